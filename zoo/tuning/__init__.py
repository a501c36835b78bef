"""Searches for hyperparameters, over Ray Tune."""
