"""Ray Tune's schedulers, over epochs: what ends a trial before its last one."""

from collections.abc import Callable, Mapping

from ray.tune.schedulers import (
    ASHAScheduler,
    FIFOScheduler,
    HyperBandScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

EPOCH = "epoch"  # the key of results that counts time: a pause or a restart does not confuse it


def make_scheduler(name: str, epochs: int) -> TrialScheduler:
    """The scheduler of that name for trials of at most `epochs` epochs."""
    made: Mapping[str, Callable[[], TrialScheduler]] = {
        "none": FIFOScheduler,
        # Its default first rung of one epoch judges networks before they have learnt anything.
        "asha": lambda: ASHAScheduler(
            time_attr=EPOCH, max_t=epochs, grace_period=max(1, min(epochs // 4, 5)), reduction_factor=3
        ),
        # Without the time slice it pauses and restarts trials every epoch while there are too few to compare with.
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
    """The epoch after which the scheduler stops a trial as a matter of course."""
    return float(getattr(scheduler, "_max_t", float("inf")))
