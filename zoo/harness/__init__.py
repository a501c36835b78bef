"""The bench harness: what was asked becomes cells, and each cell a stored run."""
