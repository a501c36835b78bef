"""Schedulers of Ray Tune, over epochs: they stop a trial before its last epoch."""

from collections.abc import Callable, Mapping

from ray.tune.schedulers import (
    ASHAScheduler,
    FIFOScheduler,
    HyperBandScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

EPOCH = "epoch"  # the key of results for time; pauses and restarts do not change it


def make_scheduler(name: str, epochs: int) -> TrialScheduler:
    """Return the scheduler with this name, for trials of at most `epochs` epochs."""
    made: Mapping[str, Callable[[], TrialScheduler]] = {
        "none": FIFOScheduler,
        # The default first rung of one epoch would judge networks before they have learnt anything.
        "asha": lambda: ASHAScheduler(
            time_attr=EPOCH, max_t=epochs, grace_period=max(1, min(epochs // 4, 5)), reduction_factor=3
        ),
        # Without the time slice it pauses and restarts trials every epoch until there are enough for a comparison.
        "median": lambda: MedianStoppingRule(
            time_attr=EPOCH,
            grace_period=max(1, epochs // 4),
            min_samples_required=3,
            min_time_slice=float("inf"),  # type: ignore[arg-type]  # compared with the time since minus infinity
        ),
        "hyperband": lambda: HyperBandScheduler(time_attr=EPOCH, max_t=epochs, reduction_factor=3),
    }
    return made[name]()


def last_epoch(scheduler: TrialScheduler) -> float:
    """Return the epoch at which the scheduler stops every trial."""
    return float(getattr(scheduler, "_max_t", float("inf")))
