"""Scores with 95 % intervals, computed from the predictions of every test row."""

from zoo.metrics.scoring import score as score
