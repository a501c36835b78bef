"""Results: what a run is, where it is kept and how its files are written."""
