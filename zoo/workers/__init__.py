"""Worker processes over Ray, for studies and for benches with `--jobs`: the session, the nodes, the limits inside."""
