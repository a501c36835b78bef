"""One seed per axis, all derived from the run's, so that one axis can be varied alone."""

import numpy as np

AXES = ("split", "resampling", "weights", "batches")


def axis_seeds(seed: int, member: int = 1) -> dict[str, int]:
    """The seeds of all axes (numpy's SeedSequence keeps them independent); a member of an ensemble has its own."""
    own = [] if member == 1 else [member]
    return {
        axis: int(np.random.SeedSequence([seed, number, *own]).generate_state(1)[0]) for number, axis in enumerate(AXES)
    }
