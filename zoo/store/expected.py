"""The expected score of a configuration: the mean over its seeds, with an interval over test rows and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoo.errors import StoreError
from zoo.metrics.seeds import FEWEST, of_expected, over_rows_of_mean
from zoo.records import Interval
from zoo.scores import metric_parts
from zoo.store.predictions import predictions_of, rescored
from zoo.store.run import Run
from zoo.store.runs import Store

RANGES = {"mcc": (-1.0, 1.0), "log_loss": (0.0, np.inf)}


@dataclass(frozen=True)
class Expected:
    """The mean score of a configuration.

    interval   the mean with its 95 % interval, or with the reason for which it has none
    deviation  the standard deviation over seeds; None for one seed
    over       what the interval covers: `rows`, or `seeds and rows` from five seeds on
    """

    interval: Interval
    deviation: float | None
    over: str


def expected(store: Store, runs: Sequence[Run], metric: str) -> Expected:
    """Return the expected score of the runs of one configuration, one for each seed, from their predictions."""
    scored = [run for run in runs if run.score(metric) is not None]
    values = np.array([run.score(metric) for run in scored], np.float64)
    over = "seeds and rows" if len(values) >= FEWEST else "rows"
    if not scored:
        return Expected(Interval(), None, over)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else None
    try:
        interval = _interval(store, scored, values, metric)
    except StoreError as problem:
        interval = Interval(float(values.mean()), reason=str(problem))
    return Expected(interval, deviation, over)


def _interval(store: Store, runs: Sequence[Run], values: npt.NDArray[np.float64], metric: str) -> Interval:
    mean = float(values.mean())
    scores = [(rescored(store, run) if run.scores.bootstrapped else run).scores.of_all(metric) for run in runs]
    ends = [
        (score.value - score.low, score.high - score.value)
        for score in scores
        if score.value is not None and score.low is not None and score.high is not None
    ]
    if len(ends) < len(scores):
        return Interval(mean, reason=next((score.reason for score in scores if score.reason), ""))
    if len(scores) == 1:
        return scores[0]
    found = [predictions_of(store, run) for run in runs]
    outcomes = [each.outcome for each in found]
    name, label = metric_parts(metric)
    number = found[0].classes.index(label) if label else None
    below, above = over_rows_of_mean(outcomes, name, ends, number)
    low, high = of_expected(values, (mean - below, mean + above), max(outcomes[0].units - 1, 1))
    least, most = RANGES.get(metric, (0.0, 1.0))
    return Interval(mean, max(low, least), min(high, most))
