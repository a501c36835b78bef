"""Pictures of studies and comparisons."""
