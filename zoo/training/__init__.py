"""Training: the loop that trains every network, fitted networks, batches and hardware."""
