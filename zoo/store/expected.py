"""The expected score of a configuration: the mean over its seeds, with an interval over test rows and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoo.errors import StoreError
from zoo.metrics.outcome import Outcome
from zoo.metrics.seeds import FEWEST, of_expected, over_rows_of_mean
from zoo.metrics.spread import Spread, by_fold, spread
from zoo.records import Interval
from zoo.scores import metric_parts
from zoo.store.predictions import Remembered, predictions_of, rescored
from zoo.store.run import Run
from zoo.store.runs import Store

RANGES = {"mcc": (-1.0, 1.0), "log_loss": (0.0, np.inf)}  # of other scores: 0 to 1


@dataclass(frozen=True)
class Expected:
    """The mean score of a configuration.

    interval   the mean with its 95 % interval, or with the reason for which it has none
    deviation  the standard deviation over seeds; None for one seed
    over       what the interval covers: `rows`, or `seeds and rows` from five seeds on
    spread     that of one fold and seed, by its cause; None unless a cross-validation has several seeds
    """

    interval: Interval
    deviation: float | None
    over: str
    spread: Spread | None = None


def expected(store: Store | Remembered, runs: Sequence[Run], metric: str) -> Expected:
    """Return the expected score of the runs of one configuration, one for each seed, from their predictions."""
    scored = [run for run in runs if run.score(metric) is not None]
    values = np.array([run.score(metric) for run in scored], np.float64)
    over = "seeds and rows" if len(values) >= FEWEST else "rows"
    if not scored:
        return Expected(Interval(), None, over)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else None
    try:
        return Expected(_interval(store, scored, values, metric), deviation, over, _spread(store, scored, metric))
    except StoreError as problem:
        return Expected(Interval(float(values.mean()), reason=str(problem)), deviation, over)


def _spread(store: Store | Remembered, runs: Sequence[Run], metric: str) -> Spread | None:
    if metric == "ece" or not runs[0].folds or len(runs) < 2:
        return None
    outcomes, number = _outcomes(store, runs, metric)
    return spread(by_fold(outcomes, metric_parts(metric)[0], number), most_deviation(metric))


def most_deviation(metric: str) -> float:
    """Return the largest standard deviation that a score can have: half its range."""
    least, most = RANGES.get(metric, (0.0, 1.0))
    return (most - least) / 2


def _outcomes(store: Store | Remembered, runs: Sequence[Run], metric: str) -> tuple[list[Outcome], int | None]:
    """Return the predictions of each run, and the position of the class of the metric, if it has one."""
    found, label = [predictions_of(store, run) for run in runs], metric_parts(metric)[1]
    return [each.outcome for each in found], found[0].classes.index(label) if label else None


def _interval(store: Store | Remembered, runs: Sequence[Run], values: npt.NDArray[np.float64], metric: str) -> Interval:
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
    outcomes, number = _outcomes(store, runs, metric)
    below, above = over_rows_of_mean(outcomes, metric_parts(metric)[0], ends, number)
    low, high = of_expected(values, (mean - below, mean + above), max(outcomes[0].units - 1, 1))
    least, most = RANGES.get(metric, (0.0, 1.0))
    return Interval(mean, max(low, least), min(high, most))
