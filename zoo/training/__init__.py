"""Training: the one loop every network goes through, and the hardware it runs on."""
