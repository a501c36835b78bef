"""Tuning: studies of many trials over Ray Tune; the test part stays out of reach until the winner is scored."""
