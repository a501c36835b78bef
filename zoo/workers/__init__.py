"""Worker processes on Ray, for studies and for benches with `--jobs`: the session, its nodes, and their limits."""
