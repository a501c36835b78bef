"""The difference of the expected scores of two configurations, paired by seed and by test row.

It varies with the seed, by s²/S of the differences of the S seeds, and with the rows (or patients), by the variance of
the mean difference of the seeds. The variance over rows is that of no difference, as in McNemar's test (1947): each row
is compared to the mean of both configurations. A class of one row, right in each seed of one side only, then proves
nothing. The limits of both parts, each with Student's quantile, are combined as in MOVER (Zou and Donner 2008). With
fewer than `FEWEST` seeds, the interval is over rows only. `python benchmarks/false_positives.py` measures how often an
interval leaves out zero by chance.

In a cross-validation, the variance over folds takes the place of that over seeds: each of K folds moves the pooled
score, and the variance of these K values is multiplied by 1/K + 1/(K - 1), since the training sets overlap (Nadeau and
Bengio 2003, Inference for the generalization error; the second part is test rows / training rows). The wider of this
interval and that over rows holds. `python benchmarks/false_folds.py` measures it.

Satterthwaite's degrees of freedom (1946) would be too many where the seeds vary more than the rows: at the levels of
190 comparisons, a difference would be found by chance nine times as often as stated. The combined limits find it less
often than stated, for any ratio of the two parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from zoo.metrics import limits
from zoo.metrics.outcome import Doubles, Labels, Outcome
from zoo.metrics.patients import BY_CLASS, Patients, variance_of
from zoo.metrics.seeds import FEWEST

Pair = tuple[Outcome, Outcome]


SMALLEST_P = 1e-15
UNSEEN = 1.0  # rows of a class that may be predicted unequally although no test row was
HALVINGS = 50


@dataclass(frozen=True)
class Difference:
    """How much the first of two configurations scores above the second.

    values     by seed
    variances  of their mean: over seeds, 0 for too few seeds, and over rows or patients
    freedoms   the degrees of freedom of these two
    folds      the variance over the folds of a cross-validation, and its degrees of freedom; None without folds
    """

    values: Doubles
    variances: tuple[float, float]
    freedoms: tuple[float, float]
    folds: tuple[float, float] | None = None

    @property
    def mean(self) -> float:
        return float(self.values.mean())

    @property
    def limits(self) -> tuple[float, float]:
        """The 95 % interval of the mean."""
        squares = [limits.students(free) ** 2 * v for free, v in zip(self.freedoms, self.variances, strict=True)]
        half = float(np.sqrt(sum(squares)))
        if self.folds is not None:
            half = max(half, limits.students(self.folds[1]) * float(np.sqrt(self.folds[0])))
        return self.mean - half, self.mean + half

    @property
    def p(self) -> float:
        """The probability of a mean at least as far from zero if there is no difference."""
        p = float(p_values(self.mean, *self.variances, *self.freedoms))
        return p if self.folds is None else max(p, float(p_values(self.mean, self.folds[0], 0.0, self.folds[1], 1)))


def p_values(
    means: npt.ArrayLike, over_seeds: npt.ArrayLike, over_rows: npt.ArrayLike, seeds: float, rows: float
) -> Doubles:
    """Return for each mean the level at which one limit of its interval is zero, by bisection.

    `over_seeds` and `over_rows` are the variances, `seeds` and `rows` their degrees of freedom.
    """
    square = np.asarray(means, np.float64) ** 2
    low, high = np.full(square.shape, np.log(SMALLEST_P)), np.zeros(square.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        tail = np.exp(middle) / 2
        half = stdtrit(seeds, tail) ** 2 * over_seeds + stdtrit(rows, tail) ** 2 * over_rows
        low, high = np.where(half > square, middle, low), np.where(half > square, high, middle)
    found: Doubles = np.where(square > 0, np.exp(high), 1.0)
    return found


def difference(pairs: Sequence[Pair], name: str, number: int | None = None) -> Difference:
    """Return the difference of a score from pairs of the same rows, one pair for each seed.

    number  the position of the class, for a score by class
    """
    return mean_difference([pairs], name, number)


def mean_difference(several: Sequence[Sequence[Pair]], name: str, number: int | None = None) -> Difference:
    """Return the mean of several differences on the same rows; each has one pair for each seed, the same seeds."""
    by_seed = [[one.value(name, number) - other.value(name, number) for one, other in pairs] for pairs in several]
    values, some = np.mean(by_seed, axis=0), several[0][0][0]
    every = [pair for pairs in several for pair in pairs]
    same = all(starmap(_same_network, every))
    within = 0.0 if same else _over_rows(some, _mean_influence(several, name, number), name, number)
    freedoms = (max(len(values) - 1, 1), max(some.units - 1, 1))
    if some.fold is not None:
        own = _mean_influence(several, name, number, own=True)
        return Difference(values, (0.0, within), freedoms, _over_folds(some.fold, own))
    between = float(values.var(ddof=1)) / len(values) if len(values) >= FEWEST else 0.0
    return Difference(values, (between, within), freedoms)


def _same_network(one: Outcome, other: Outcome) -> bool:
    """Whether both have equal probabilities; equal classes without probabilities can come from different networks."""
    return not (one.decided or other.decided) and np.array_equal(one.probabilities, other.probabilities)


def _mean_influence(several: Sequence[Sequence[Pair]], name: str, number: int | None, *, own: bool = False) -> Doubles:
    found: Doubles = np.mean([_influence(pairs, name, number, own=own) for pairs in several], axis=0)
    return found


def _over_folds(fold: Labels, influence: Doubles) -> tuple[float, float]:
    """Return the corrected variance over folds of the mean over seeds, and its degrees of freedom.

    The value of a fold is what its rows would make of the pooled score if all rows were like them.
    """
    number = int(fold.max()) + 1
    values = number * np.bincount(fold, influence, number)
    return float(values.var(ddof=1)) * (1 / number + 1 / (number - 1)), number - 1


def _over_rows(outcome: Outcome, influence: Doubles, name: str, number: int | None) -> float:
    """Return the variance over rows; that of a class is at least that of one more row with unequal predictions.

    Without it, two configurations that are equal on the two rows of a class would have an interval without width.
    """
    variance = float(variance_of(outcome, influence))
    if name == "log_loss":
        return variance
    by_class = name in BY_CLASS or number is not None
    kind = outcome.labels if by_class else np.zeros_like(outcome.labels)
    least = lowest_variances(np.bincount(kind))
    if number is not None:
        least = np.where(np.arange(len(least)) == number, least, 0.0)
    squares = np.bincount(kind, influence**2, len(least))
    scale = 1 if number is not None else np.count_nonzero(least)
    return max(variance, float(np.maximum(squares, least / scale**2).sum()))


def lowest_variances(sizes: npt.ArrayLike) -> Doubles:
    """Return the lowest variance of the difference of a share of these numbers of rows; 0 without rows."""
    rows = np.asarray(sizes, np.float64)
    return np.where(rows > 0, UNSEEN / (rows + UNSEEN) ** 2, 0.0)


def no_interval(pair: Pair, classes: Sequence[str], noun: str, name: str, number: int | None = None) -> str:
    """Return the reason for which a difference of a score has no interval; "" if it can have one.

    `noun` is the word for a group of rows.
    """
    outcome, _ = pair
    if name == "precision" and any(number not in each.predicted for each in pair):
        return f"class {classes[number or 0]} is never predicted"
    if outcome.unit is None:
        return ""
    patients = Patients(outcome.counts(), noun)
    reasons = patients.too_few(classes)
    if number is not None:
        return reasons[number]
    return "; ".join(filter(None, reasons)) if name in BY_CLASS else patients.too_few_in_all()


def _influence(pairs: Sequence[Pair], name: str, number: int | None, *, own: bool = False) -> Doubles:
    """Return by how much each row moves the mean difference, `(rows,)`, where both have the same expected score.

    With `own`, both have their observed scores.
    """
    level = None if own else np.mean([each.levels(name) for pair in pairs for each in pair], axis=0)
    moved = np.mean([one.influence(name, level) - other.influence(name, level) for one, other in pairs], axis=0)
    found: Doubles = moved if number is None else moved[:, number]
    return found
