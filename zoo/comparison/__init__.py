"""Comparisons of searchers: curves, differences and verdicts."""
