"""Seeds: one per axis, derived from the seed of the run, so that each axis can vary alone."""

import numpy as np

AXES = ("split", "resampling", "weights", "batches")


def axis_seeds(seed: int, member: int = 1) -> dict[str, int]:
    """Return independent seeds for all axes (from numpy's SeedSequence); each member of an ensemble has its own."""
    own = [] if member == 1 else [member]
    return {
        axis: int(np.random.SeedSequence([seed, number, *own]).generate_state(1)[0]) for number, axis in enumerate(AXES)
    }
