"""Missing runs: the stored runs that cells have, the time that missing ones take, and their training."""
