"""The output of commands: tables, progress, studies, comparisons. A view imports no command."""
