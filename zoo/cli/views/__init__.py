"""What commands show: tables, progress, studies, comparisons. A view imports no command."""
