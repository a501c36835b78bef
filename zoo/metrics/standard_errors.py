"""Standard errors of validation scores: how far a score is from its expectation because the rows are few.

As for the intervals of test scores, a class keeps its number of rows, and each row may be predicted anew. Rows of one
patient are not independent: a standard error is then never below that of the sums of influences over each patient.
"""

from collections.abc import Sequence
from math import nan, sqrt

import numpy as np

from zoo.metrics.outcome import Doubles, Labels, cell_influence
from zoo.metrics.rows import posterior


def of_mean_share(shares: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the standard error of the mean of independent shares, each of `sizes` rows, such as macro recall."""
    return sqrt(sum(share * (1 - share) / size for share, size in zip(shares, sizes, strict=True))) / len(sizes)


def of_confusion(name: str, confusion: Doubles, rows: tuple[Labels, Labels, Labels] | None = None) -> float:
    """Return the standard error of macro recall, macro F1 or accuracy, by the delta method.

    The shares of the predictions are the means of their posterior, so 3 hits of 3 rows are not certain: the recall is
    (hits + 1/2) / (rows + 1). `rows` are the labels, the predictions and the patients of the rows, if rows are grouped.
    """
    counts, weights = confusion.sum(1), posterior(confusion)
    shares = weights / weights.sum(1, keepdims=True)
    moved = cell_influence(name, shares * counts[:, None])
    variance = float(counts @ ((shares * moved**2).sum(1) - (shares * moved).sum(1) ** 2))
    if rows is not None:
        labels, predicted, unit = rows
        variance = max(variance, _over_units(cell_influence(name, confusion)[labels, predicted], unit))
    return sqrt(max(variance, 0.0))


def of_losses(losses: Doubles, labels: Labels | None = None, unit: Labels | None = None) -> float:
    """Return the standard error of the mean of the losses of rows, or with `labels` of the mean over the classes.

    A class with one row has the variance of all rows. NaN for a single row.
    """
    if len(losses) < 2:
        return nan
    place = np.zeros(len(losses), np.int64) if labels is None else np.unique(labels, return_inverse=True)[1]
    sizes = np.bincount(place)
    rest = losses - (np.bincount(place, losses) / sizes)[place]
    spreads = np.where(
        sizes > 1, np.bincount(place, rest**2) / np.maximum(sizes - 1, 1), np.full(len(sizes), losses.var(ddof=1))
    )
    variance = float((spreads / sizes).sum()) / len(sizes) ** 2
    if unit is not None:
        variance = max(variance, _over_units(rest / sizes[place] / len(sizes), unit))
    return sqrt(variance)


def _over_units(influence: Doubles, unit: Labels) -> float:
    """Return the variance of a score from the sums of influences over each patient."""
    sums = np.bincount(unit, influence)
    return float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1)
