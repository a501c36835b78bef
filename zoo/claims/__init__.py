"""Hypotheses about configurations: their file, the runs that they need, and their answers."""
