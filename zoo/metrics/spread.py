"""How much of the spread of a score is the split, and how much is the seed, where a cross-validation has several seeds.

Each of S seeds was trained on each of K folds. The scores of the folds are a table `(folds, seeds)` with a random
effect of the fold, one of the seed, and one of both together. The split is the effect of the fold: its training rows
and its test rows. The seed is the sum of the other two effects: what changes if a fold is trained with another seed.

The mean squares of the analysis of variance estimate them without bias; a negative estimate is shown as zero. For such
complete tables, REML finds the same. The intervals of both are the modified large-sample ones of Graybill and Wang 1980
and of Ting et al. 1990, as in Burdick and Graybill 1992, Confidence Intervals on Variance Components. The share of the
split is the intraclass correlation ICC(2,1) of Shrout and Fleiss 1979, with their interval. `python
benchmarks/spread.py` measures the bias and how often the intervals contain the true values.

The variance of the seed can differ from fold to fold, as it does where folds have few rows of a class. The interval of
the seed then has fewer degrees of freedom: those that the variance between the variances of the folds shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, fdtri

from zoo.metrics.outcome import Doubles, Outcome
from zoo.records import Interval

FEWEST_FOLDS, FEWEST_SEEDS = 3, 2  # two folds have one degree of freedom: the intervals have no use
TAIL = 0.025
SHARE_TAIL = 0.015  # with 0.025, the interval of the share covers 93 % where the seed moves all folds alike


@dataclass(frozen=True)
class Spread:
    """The spread of the score of one training on one fold, by its cause; all as standard deviations.

    total   of one fold with one seed
    split   of another fold, for the mean of many seeds
    seed    of another seed on the same fold
    share   the part of the variance that is the split
    folds, seeds  their numbers
    """

    total: float
    split: Interval
    seed: Interval
    share: Interval
    folds: int
    seeds: int

    @property
    def mostly(self) -> str:
        """Which of both is shown to be the larger one: `split` or `seed`; "" if neither is."""
        low, high = self.share.low, self.share.high
        if low is None or high is None:
            return ""
        return "split" if low > 0.5 else "seed" if high < 0.5 else ""


def by_fold(outcomes: Sequence[Outcome], name: str, number: int | None = None) -> Doubles:
    """Return the score of each fold and seed, `(folds, seeds)`, from the pooled predictions of each seed.

    `number` is the position of the class, for a score by class. NaN for a fold without rows of a class, since its score
    would be the mean over other classes.
    """
    return np.array([[_of_fold(each, fold, name, number) for fold in each.by_fold] for each in outcomes]).T


def _of_fold(pooled: Outcome, fold: Outcome, name: str, number: int | None) -> float:
    same_classes = np.array_equal(np.isnan(pooled.levels(name)), np.isnan(fold.levels(name)))
    return fold.value(name, number) if number is not None or same_classes else np.nan


def spread(scores: Doubles, most: float = np.inf) -> Spread | None:
    """Return the spread of scores `(folds, seeds)`; None below three folds or two seeds, or if one has no value.

    `most` is the largest possible standard deviation: half the range of the score.
    """
    folds, seeds = scores.shape
    if folds < FEWEST_FOLDS or seeds < FEWEST_SEEDS or not np.isfinite(scores).all():
        return None
    squares = mean_squares(scores)
    if not squares.any():  # equal scores of all
        return Spread(0.0, Interval(0.0, 0.0, 0.0), Interval(0.0, 0.0, 0.0), Interval(), folds, seeds)
    split, seed = _split(squares, folds, seeds), _seed(squares, folds, seeds, _evenness(scores))
    variances = [split.value or 0.0, seed.value or 0.0]
    total = sum(variances)
    low, high = share_limits(squares, folds, seeds)
    share = Interval(variances[0] / total, low, high)
    return Spread(float(np.sqrt(total)), _root(split, most), _root(seed, most), share, folds, seeds)


def mean_squares(scores: Doubles) -> Doubles:
    """Return the mean squares of folds, of seeds and of both together, from scores `(folds, seeds)`."""
    folds, seeds = scores.shape
    mean, by_fold, by_seed = scores.mean(), scores.mean(1), scores.mean(0)
    rest = scores - by_fold[:, None] - by_seed[None] + mean
    sums = [seeds * ((by_fold - mean) ** 2).sum(), folds * ((by_seed - mean) ** 2).sum(), (rest**2).sum()]
    found: Doubles = np.array(sums) / [folds - 1, seeds - 1, (folds - 1) * (seeds - 1)]
    return np.where(found > np.finfo(np.float64).eps * mean**2, found, 0.0)


def _evenness(scores: Doubles) -> float:
    """Return the part of the degrees of freedom that the seed keeps, if its variance differs from fold to fold.

    It is 1 if the variances of the folds differ no more than those of normal scores with one variance.
    """
    folds, seeds = scores.shape
    variances = scores.var(axis=1, ddof=1)
    between = float(variances.var(ddof=1))
    if between <= 0:
        return 1.0
    freedom = 2 * folds * float(variances.mean()) ** 2 / between
    return float(min(freedom / (folds * (seeds - 1)), 1.0))


def _seed(squares: Doubles, folds: int, seeds: int, evenness: float) -> Interval:
    """Return the variance of a seed on the same fold: a sum of two mean squares, each with its weight."""
    _, of_seed, rest = squares
    freedom = (seeds - 1) * evenness
    parts = [(of_seed / folds, freedom), (rest * (folds - 1) / folds, (folds - 1) * freedom)]
    value = sum(part for part, _ in parts)
    low = value - np.sqrt(sum((_below(free) * part) ** 2 for part, free in parts))
    high = value + np.sqrt(sum((_above(free) * part) ** 2 for part, free in parts))
    return Interval(float(value), max(float(low), 0.0), float(high))


def _split(squares: Doubles, folds: int, seeds: int) -> Interval:
    """Return the variance of a fold: the difference of two mean squares, divided by the number of seeds."""
    of_fold, _, rest = squares
    one, other = folds - 1, (folds - 1) * (seeds - 1)
    high, low = fdtri(one, other, 1 - TAIL), fdtri(one, other, TAIL)
    below, above = _below(one), _above(one)
    mixed_low = ((high - 1) ** 2 - below**2 * high**2 - _above(other) ** 2) / high
    mixed_high = ((1 - low) ** 2 - above**2 * low**2 - _below(other) ** 2) / low
    under = (below * of_fold) ** 2 + (_above(other) * rest) ** 2 + mixed_low * of_fold * rest
    value, largest = of_fold - rest, _at_least(of_fold, rest)
    over = (above * largest) ** 2 + (_below(other) * rest) ** 2 + mixed_high * largest * rest
    ends = (value - np.sqrt(max(under, 0.0)), largest - rest + np.sqrt(max(over, 0.0)))
    least, most = (max(float(end) / seeds, 0.0) for end in ends)
    return Interval(max(float(value) / seeds, 0.0), least, most)


def share_limits(squares: Doubles, folds: int, seeds: int, tail: float = SHARE_TAIL) -> tuple[float, float]:
    """Return the interval of the share of the split, from `mean_squares`, with Satterthwaite's degrees of freedom."""
    of_fold, of_seed, rest = squares
    errors = seeds * of_seed + (folds * seeds - seeds - folds) * rest
    if errors <= 0:
        return 1.0, 1.0
    split = max((of_fold - rest) / seeds, 0.0)
    other = (of_seed + (folds - 1) * rest) / folds
    ratio = seeds * split / (folds * other)
    one, two = ratio * of_seed, (1 + ratio * (folds - 1)) * rest
    parts = one**2 / (seeds - 1) + two**2 / ((folds - 1) * (seeds - 1))
    free = (one + two) ** 2 / parts if parts > 0 else float((folds - 1) * (seeds - 1))
    lower, upper = fdtri(folds - 1, free, 1 - tail), fdtri(free, folds - 1, 1 - tail)
    low = folds * (of_fold - lower * rest) / (lower * errors + folds * of_fold)
    largest = _at_least(of_fold, rest)
    high = folds * (upper * largest - rest) / (errors + folds * upper * largest)
    return min(max(float(low), 0.0), 1.0), min(max(float(high), 0.0), 1.0)


def _at_least(of_fold: float, rest: float) -> float:
    """Return the mean square of folds for an upper end, which is not zero if folds differ less than by chance."""
    return max(of_fold, rest)


def _below(freedom: float) -> float:
    return 1 - freedom / float(chdtri(freedom, TAIL))


def _above(freedom: float) -> float:
    return freedom / float(chdtri(freedom, 1 - TAIL)) - 1


def _root(found: Interval, most: float) -> Interval:
    """Return variances as standard deviations, with an upper end that is possible."""
    value, low, high = (float(np.sqrt(each or 0.0)) for each in (found.value, found.low, found.high))
    return Interval(value, low, max(min(high, most), value))
