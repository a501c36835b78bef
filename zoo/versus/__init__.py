"""Comparisons of configurations: on one test set, over several data sets, and of two single runs."""
