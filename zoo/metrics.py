"""Scores with intervals, computed from the class probabilities of every test row.

All scores are functions of sums over rows, so one matrix product computes them for many bootstrap samples at once. A
bootstrap sample draws rows with replacement or, if test rows are grouped, whole groups (patients): rows of one patient
are not independent. The intervals are the 2.5 and 97.5 percentiles (Efron and Tibshirani 1993, An introduction to the
bootstrap, chapter 13).

The class list is fixed. A class without test rows has no recall, is left out of the macro means, and is named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.records import Interval, Scores
from zoo.scores import CLASS_SCORES, MACRO_SCORES

Array = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]

RESAMPLES = 1000
CHUNK = 50  # bootstrap samples at a time
MOST_WEIGHTS = 2**22  # of all samples at a time, so that the weights of a million rows stay under 100 MB
MANY_ROWS = 2**18
ECE_BINS = 15  # as in Guo et al. 2017
SMALLEST = 1e-15  # keeps the log loss of a probability of zero finite


@dataclass(frozen=True)
class _Sparse:
    """A matrix `(units, width)` with one term for each unit in each of some column ranges.

    columns, amounts  the column and the value of each term, `(units,)` for each range
    """

    columns: tuple[Array, ...]
    amounts: tuple[Array, ...]
    width: int
    __array_ufunc__ = None  # so that `weights @ matrix` calls the method below

    def __rmatmul__(self, weights: Doubles) -> Doubles:
        """Return `(samples, width)` for weights `(samples, units)`."""
        terms = [*zip(self.columns, self.amounts, strict=True)]
        products = [
            sum(np.bincount(column, weights=row * amount, minlength=self.width) for column, amount in terms)
            for row in weights
        ]
        return np.array(products)


@dataclass(frozen=True)
class Sums:
    """The terms of the sums, by unit (row or group): each array is `(units, …)`."""

    confusion: Doubles | _Sparse  # (units, classes * classes), true class first
    log_loss: Doubles  # (units, 1)
    calibration: Doubles | _Sparse  # (units, 2 * bins): confidence, hits


def score(
    probabilities: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    groups: Array | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Scores:
    """Return all scores of probabilities `(rows, classes)` for labels `(rows,)`; AUROC is one-vs-rest, macro mean."""
    unit = units_of(labels, groups)
    sums = _sums(probabilities.astype(np.float64), labels, len(classes), unit)
    ranks = [_Ranking(probabilities[:, number], labels == number) for number in range(len(classes))]
    units = int(unit.max()) + 1
    value = _scores(sums, ranks, unit, np.ones((1, units)))
    rng = np.random.default_rng(seed)
    draws = [_scores(sums, ranks, unit, weights) for weights in drawn_units(rng, units, resamples)]
    spread = {name: np.concatenate([draw[name] for draw in draws]) for name in value} if draws else {}
    confusion = (np.ones((1, units)) @ sums.confusion).reshape(len(classes), -1).astype(int)
    support = dict(zip(classes, confusion.sum(1).tolist(), strict=True))
    by_class = {
        name: {
            label: interval_of(value[name][:, number], spread[name][:, number] if spread else None)
            for number, label in enumerate(classes)
        }
        for name in CLASS_SCORES
    }
    return Scores(
        **{name: interval_of(value[name], spread.get(name)) for name in MACRO_SCORES},
        **by_class,  # type: ignore[arg-type]  # mypy expects an Interval for every name
        confusion=confusion.tolist(),
        support=support,
        absent=[label for label, count in support.items() if count == 0],
        resampled=resampled_words(groups, units),
    )


def units_of(labels: npt.NDArray[np.int64], groups: Array | None) -> Array:
    """Return the bootstrap unit of each row, `(rows,)`, counted from 0: the row itself, or its group."""
    return np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)


def resampled_words(groups: Array | None, units: int) -> str:
    """Return the units that the bootstrap draws: `rows`, or the number of groups."""
    return "rows" if groups is None else f"{units} groups"


def confusion_by_unit(
    labels: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], n_classes: int, unit: Array
) -> Doubles:
    """Return the confusion matrix of each unit, `(units, classes * classes)`, the true class first."""
    confusion = np.zeros((int(unit.max()) + 1, n_classes * n_classes))
    np.add.at(confusion, (unit, labels * n_classes + predicted), 1)
    return confusion


def _sums(probabilities: Doubles, labels: npt.NDArray[np.int64], n_classes: int, unit: Array) -> Sums:
    rows, units = np.arange(len(labels)), int(unit.max()) + 1
    predicted = probabilities.argmax(1)
    confidence = probabilities[rows, predicted]
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    by_row = -np.log(np.maximum(probabilities[rows, labels], SMALLEST))
    loss = np.bincount(unit, weights=by_row, minlength=units)[:, None]
    if units > MANY_ROWS and np.array_equal(unit, rows):  # a dense matrix would need hundreds of bytes for each row
        ones, hits = np.ones(units, np.int8), predicted == labels
        return Sums(
            _Sparse((labels * n_classes + predicted,), (ones,), n_classes**2),
            loss.astype(np.float64),
            _Sparse((bins, ECE_BINS + bins), (confidence, hits), 2 * ECE_BINS),
        )
    calibration = np.zeros((units, 2 * ECE_BINS))
    for offset, amount in enumerate((confidence, predicted == labels)):
        np.add.at(calibration, (unit, offset * ECE_BINS + bins), amount)
    confusion = confusion_by_unit(labels, predicted, n_classes, unit)
    return Sums(confusion, loss.astype(np.float64), calibration)


def drawn_units(rng: np.random.Generator, units: int, resamples: int) -> Iterator[Doubles]:
    """Yield how often each unit was drawn, at most `(CHUNK, units)` at a time."""
    chunk = max(1, min(CHUNK, MOST_WEIGHTS // units))
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        drawn = rng.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units).astype(np.float64)


def _scores(sums: Sums, ranks: "list[_Ranking]", unit: Array, weights: Doubles) -> dict[str, Doubles]:
    """Return every score for each row of `weights`, `(samples, units)`."""
    n_classes = len(ranks)
    confusion = (weights @ sums.confusion).reshape(-1, n_classes, n_classes)
    total = confusion.sum((1, 2))
    loss = (weights @ sums.log_loss)[:, 0] / total
    confidence, hits = np.split(weights @ sums.calibration, 2, axis=1)
    auroc = np.array([[ranking.auroc(draw[unit]) for ranking in ranks] for draw in weights])
    return {
        **scores_of_confusion(confusion),
        "auroc": _nanmean(auroc),
        "log_loss": loss,
        "ece": np.abs(confidence - hits).sum(1) / total,
    }


def scores_of_confusion(confusion: Doubles) -> dict[str, Doubles]:
    """Return the scores of confusion matrices `(samples, true, predicted)`; MCC as in Gorodkin 2004."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    true, predicted, total = confusion.sum(2), confusion.sum(1), confusion.sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hits / true
        precision = np.where(true > 0, hits / np.maximum(predicted, 1), np.nan)
        f1 = np.where(true > 0, 2 * hits / (true + predicted), np.nan)
        covariance = hits.sum(1) * total - (true * predicted).sum(1)
        spread = np.sqrt((total**2 - (predicted**2).sum(1)) * (total**2 - (true**2).sum(1)))
        mcc = np.where(spread > 0, covariance / spread, 0.0)
    return {
        "accuracy": hits.sum(1) / total,
        "macro_recall": _nanmean(recall),
        "macro_f1": _nanmean(f1),
        "mcc": mcc,
        "recall": recall,
        "precision": precision,
        "f1": f1,
    }


class _Ranking:
    """The ranks of one class's rows among all other rows by its probability, used to compute weighted AUROCs.

    A positive row ranks above the first `low` negatives, and is equal to those between `low` and `high`.
    """

    def __init__(self, probability: Array, positive: npt.NDArray[np.bool_]) -> None:
        self.positives = np.flatnonzero(positive)
        negatives = np.flatnonzero(~positive)
        self.negatives = negatives[np.argsort(probability[negatives], kind="stable")]
        ordered = probability[self.negatives]
        self.low = np.searchsorted(ordered, probability[self.positives], side="left")
        self.high = np.searchsorted(ordered, probability[self.positives], side="right")

    def auroc(self, weights: Doubles) -> float:
        """Return the area under the ROC curve of weighted rows, ties counting half; NaN without rows on both sides."""
        positive = weights[self.positives]
        below = np.zeros(len(self.negatives) + 1)
        np.cumsum(weights[self.negatives], out=below[1:])
        pairs = positive.sum() * below[-1]
        return float(positive @ (below[self.low] + below[self.high]) / (2 * pairs)) if pairs > 0 else np.nan


def _nanmean(values: Doubles) -> Doubles:
    """Return the mean over the last axis without NaN values; NaN if all are NaN."""
    known = ~np.isnan(values)
    sums = np.where(known, values, 0.0).sum(-1)
    return np.where(known.any(-1), sums / np.maximum(known.sum(-1), 1), np.nan)


def interval_of(value: Array, spread: Array | None) -> Interval:
    """Return value and interval as plain numbers, with None for NaN, which JSON does not have."""
    known = spread[~np.isnan(spread)] if spread is not None else np.empty(0)
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Interval(_plain(value[0]), _plain(low), _plain(high))


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
