"""The results store: runs, studies and their files."""
