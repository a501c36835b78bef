"""The bench harness: a request becomes cells, and each cell becomes a stored run."""
