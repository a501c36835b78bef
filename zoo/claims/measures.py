"""How a metric of two groups differs, seed by seed: from the predictions of test rows, or from one number of each run.

The difference of scores is that of the room of metrics: over seeds and test rows. A number of a run, such as its
training time, varies with the seed alone. Its interval is Student's for the mean over seeds.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.claims.metrics import COSTS, OVERFITTING, STEPS_TO, level_of
from zoo.errors import StoreError
from zoo.metrics.differences import Difference, mean_difference, no_interval
from zoo.metrics.outcome import Outcome
from zoo.metrics.seeds import FEWEST
from zoo.missing.shelf import Stored
from zoo.records import Interval
from zoo.scores import metric_parts
from zoo.store.predictions import predictions_of

EXACT = ("parameters", "macs")  # equal for all seeds
ROUNDING = 0.82  # steps of the validation: with a smaller deviation, five equal differences would be no chance


Seeds = Sequence[tuple[Stored, Stored]]  # two configurations: their runs, one pair for each seed


@dataclass(frozen=True)
class Measured:
    """The difference of a metric between two groups.

    difference  its values by seed and its variances; None without any value
    one_seed    the variance over rows of the difference of one seed
    reason      why there is no interval
    at_least, at_most  whether runs of the first (second) group did not reach the score of `steps_to`: the true
                difference is then larger (smaller)
    """

    difference: Difference | None
    one_seed: float = 0.0
    reason: str = ""
    at_least: bool = False
    at_most: bool = False

    @property
    def interval(self) -> Interval:
        """The mean difference with its 95 % interval, open where the score was not reached."""
        if self.difference is None:
            return Interval(reason=self.reason)
        low, high = self.difference.limits
        if self.reason:
            return Interval(self.difference.mean, reason=self.reason)
        return Interval(self.difference.mean, None if self.at_most else low, None if self.at_least else high)


def of_scores(pairs: Sequence[Seeds], metric: str) -> Measured:
    """Compare a score. Raises StoreError if predictions cannot be read, or are those of different test rows."""
    name, label = metric_parts(metric)
    parts = pairs[0][0][0].run.parts
    if label and label not in parts.classes:
        return Measured(None, reason=f"no class {label}: the classes are {', '.join(parts.classes)}")
    number = parts.classes.index(label) if label else None
    known: dict[str, Outcome] = {}
    several = [[tuple(_outcome(each, known) for each in pair) for pair in seeds] for seeds in pairs]
    every = [(one, other) for seeds in several for one, other in seeds]
    if any(not np.array_equal(every[0][0].labels, each.labels) for pair in every for each in pair):
        raise StoreError("the runs were scored on different test rows")
    tupled = [[(one, other) for one, other in seeds] for seeds in several]
    found = mean_difference(tupled, name, number)
    if np.isnan(found.mean):
        return Measured(None, reason="no such test rows, or no probabilities for this score")
    noun = parts.groups_by or "group"
    reasons = (no_interval(pair, parts.classes, noun, name, number) for pair in every)
    singles = [mean_difference([[each] for each in seed], name, number) for seed in zip(*tupled, strict=True)]
    one_seed = float(np.mean([each.variances[1] for each in singles]))
    return Measured(found, one_seed, next(filter(None, reasons), ""))


def of_numbers(pairs: Sequence[Seeds], metric: str, *, ratio: bool) -> Measured:
    """Compare a number of each run; with `ratio`, its logarithm. Raises StoreError if a history cannot be read."""
    values, missed, rounding = [], (set[str](), set[str]()), 0.0
    for seeds in pairs:
        row = []
        for pair in seeds:
            numbers = []
            for side, stored in enumerate(pair):
                value, reached, step = _number(stored, metric)
                if value is None or (ratio and value <= 0):
                    return Measured(None, reason=f"run {stored.run.id} has no {metric.replace('_', ' ')}")
                numbers.append(np.log(value) if ratio else value)
                rounding = max(rounding, np.log1p(step / value) if ratio and step else step)
                if not reached:
                    missed[side].add(stored.run.id)
            row.append(numbers[0] - numbers[1])
        values.append(row)
    found = over_seeds(np.mean(values, axis=0), exact=metric in EXACT, rounding=rounding)
    if missed[0] and missed[1]:
        reason = f"{len(missed[0] | missed[1])} runs of both groups never reached {level_of(metric):g}"
        return Measured(found, reason=reason)
    return Measured(found, at_least=bool(missed[0]), at_most=bool(missed[1]))


def over_seeds(values: np.ndarray, *, exact: bool, rounding: float) -> Difference:
    """Return the difference of numbers that vary with the seed alone.

    Steps to a score are known up to one epoch: without the lowest deviation, five equal differences would prove one.
    """
    deviation = max(float(values.std(ddof=1)) if len(values) > 1 else 0.0, ROUNDING * rounding)
    between = 0.0 if exact or len(values) < FEWEST else deviation**2 / len(values)
    return Difference(values, (between, 0.0), (max(len(values) - 1, 1), 1.0))


def _outcome(stored: Stored, known: dict[str, Outcome]) -> Outcome:
    """Return the predictions of a run; each file is read once."""
    run = stored.run
    if run.id not in known:
        known[run.id] = predictions_of(stored.store, run).outcome
    return known[run.id]


def _number(stored: Stored, metric: str) -> tuple[float | None, bool, float]:
    """Return the number of a run, whether its training reached it, and the distance of the values that it can have."""
    run = stored.run
    if metric in COSTS:
        value = getattr(run.cost, metric)
        return None if value is None else float(value), True, 0.0
    history = _history(stored)
    if metric == OVERFITTING:
        kept = next((row for row in history if int(row["number"]) == run.best_epoch), None)
        if kept is None or run.train_macro_recall is None:
            return None, True, 0.0
        return run.train_macro_recall - float(kept["macro_recall"]), True, 0.0
    assert metric.startswith(STEPS_TO)
    history = [row for row in history if row.get("member", "1") == "1"]  # the networks of an ensemble learn alike
    steps = np.cumsum([float(row.get("steps") or 0) for row in history])
    if not len(steps) or not steps[-1]:
        return None, True, 0.0
    each, level = float(np.diff(steps, prepend=0.0).max()), level_of(metric)
    reached = [step for step, row in zip(steps, history, strict=True) if float(row.get("macro_recall") or 0) >= level]
    return float(reached[0] if reached else steps[-1]), bool(reached), each


def _history(stored: Stored) -> list[dict[str, str]]:
    path = stored.store.read(stored.run, "history.csv")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def scaled_back(interval: Interval) -> Interval:
    """Return a difference of logarithms as a ratio."""
    value, low, high = (None if each is None else float(np.exp(each)) for each in list(interval.values())[:3])
    return Interval(value, low, high, interval.reason)
