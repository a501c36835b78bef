"""The command line. Results go to stdout, messages and progress to stderr."""
