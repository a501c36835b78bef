"""The values of all scores, and by how much each test row moves them.

The class list is fixed. A class without test rows has no recall, and is left out of the macro means.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

ECE_BINS = 15  # as in Guo et al. 2017
SMALLEST = 1e-15  # keeps the log loss of a probability of zero finite


@dataclass(frozen=True)
class Outcome:
    """The test rows, with what was predicted for them.

    probabilities  float64 `(rows, classes)`
    odds           float64 `(rows, classes)`: AUROC ranks the rows by them, class by class
    unit           the group of each row, `(rows,)`, counted from 0; None if rows are not grouped
    fold           the fold of each row, `(rows,)`, counted from 0; None if one training predicted all rows
    decided        whether only the predicted classes are known, with a probability of 1: no AUROC and no log loss
    """

    probabilities: Doubles
    odds: Doubles
    labels: Labels
    unit: Labels | None = None
    fold: Labels | None = None
    decided: bool = False

    @classmethod
    def of(
        cls,
        probabilities: Array,
        labels: Labels,
        groups: Array | None = None,
        logits: Array | None = None,
        fold: Labels | None = None,
        *,
        decided: bool = False,
    ) -> "Outcome":
        """Return the rows; without `logits`, AUROC ranks them by the probabilities."""
        unit = None if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
        odds = probabilities if logits is None else log_odds(logits)
        return cls(probabilities.astype(np.float64), odds.astype(np.float64), labels, unit, fold, decided)

    @property
    def n_classes(self) -> int:
        return int(self.probabilities.shape[1])

    @cached_property
    def predicted(self) -> Labels:
        predicted: Labels = self.probabilities.argmax(1)
        return predicted

    @cached_property
    def confusion(self) -> Doubles:
        """The confusion matrix, `(true, predicted)`."""
        cells = np.bincount(self.labels * self.n_classes + self.predicted, minlength=self.n_classes**2)
        return cells.reshape(self.n_classes, self.n_classes).astype(np.float64)

    @cached_property
    def loss(self) -> Doubles:
        """The log loss of each row, `(rows,)`."""
        if self.decided:
            return np.full(len(self.labels), np.nan)
        own = self.probabilities[np.arange(len(self.labels)), self.labels]
        return -np.log(np.maximum(own, SMALLEST))

    @cached_property
    def areas(self) -> dict[int, "tuple[float, Doubles]"]:
        """The AUROC of each class with rows on both sides, and by how much each row moves it, `(rows,)`."""
        if self.decided:
            return {}
        found = {number: _auroc(self.odds[:, number], self.labels == number) for number in range(self.n_classes)}
        return {number: area for number, area in found.items() if area is not None}

    @property
    def units(self) -> int:
        """The number of independent units: groups, or rows without groups."""
        return len(self.labels) if self.unit is None else int(self.unit.max()) + 1

    def value(self, name: str, number: int | None = None) -> float:
        """Return a score; `number` is the position of the class, for a score by class. NaN without such rows."""
        levels = self.levels(name)
        return float(_nanmean(np.atleast_1d(levels)) if number is None else levels[number])

    @cached_property
    def by_fold(self) -> "list[Outcome]":
        """The rows of each fold of a cross-validation; none without folds."""
        folds = [] if self.fold is None else [self.fold == number for number in range(int(self.fold.max()) + 1)]
        return [Outcome(self.probabilities[at], self.odds[at], self.labels[at], decided=self.decided) for at in folds]

    def counts(self) -> Doubles:
        """Return the number of rows of each class by group, `(groups, classes)`."""
        return self.by_unit(np.eye(self.n_classes)[self.labels])

    def values(self) -> dict[str, Any]:
        """Return every score; scores by class are arrays `(classes,)`, NaN for a class without rows."""
        areas = [area for area, _ in self.areas.values()]
        return {
            **{name: value[0] for name, value in scores_of_confusion(self.confusion[None]).items()},
            "auroc": np.mean(areas) if areas else np.nan,
            "log_loss": self.loss.mean(),
            "ece": self._calibration_error(),
        }

    def influence(self, name: str, at: Doubles | None = None) -> Doubles:
        """Return by how much each row moves a score, `(rows,)` or for a score by class `(rows, classes)`.

        It is the derivative of the score by the weight of the row; over all rows, the sum is zero. `at`, in the form of
        `levels`, is the score by a hypothesis, to which each row is then compared instead of to the observed score.
        """
        if name == "log_loss":
            moved: Doubles = (self.loss - (self.loss.mean() if at is None else at)) / len(self.loss)
        elif name == "auroc":
            each = [influence + self._beyond(number, area, at) for number, (area, influence) in self.areas.items()]
            moved = np.mean(each, axis=0, dtype=np.float64) if each else np.zeros(len(self.labels))
        else:
            moved = cell_influence(name, self.confusion, at)[self.labels, self.predicted]
        return moved

    def levels(self, name: str) -> Doubles:
        """Return the values that a score consists of: `(classes,)` for macro means and scores by class, else `()`.

        NaN for a class without rows.
        """
        if name == "auroc":
            areas = {number: area for number, (area, _) in self.areas.items()}
            return np.array([areas.get(number, np.nan) for number in range(self.n_classes)])
        if name == "log_loss":
            return np.asarray(self.loss.mean())
        found: Doubles = scores_of_confusion(self.confusion[None])[name.removeprefix("macro_")][0]
        return found

    def _beyond(self, number: int, area: float, at: Doubles | None) -> Doubles | float:
        """Return what to add to the influences on an AUROC if rows are compared to a hypothesis."""
        if at is None:
            return 0.0
        positive = self.labels == number
        sizes = np.where(positive, positive.sum(), (~positive).sum())
        moved: Doubles = (area - at[number]) / sizes
        return moved

    def by_unit(self, influence: Doubles) -> Doubles:
        """Return the sums over the rows of each group, `(groups, …)`; the influences themselves without groups."""
        if self.unit is None:
            return influence
        sums = np.zeros((self.units, *influence.shape[1:]))
        np.add.at(sums, self.unit, influence)
        return sums

    def confidence_bins(self) -> tuple[Doubles, Labels]:
        """Return the confidence of each row, its highest probability, and the bin of the calibration error it is in."""
        confidence: Doubles = self.probabilities.max(1)
        return confidence, np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)

    def _calibration_error(self) -> float:
        confidence, bins = self.confidence_bins()
        excess = np.bincount(bins, confidence - (self.predicted == self.labels), ECE_BINS)
        return float(np.abs(excess).sum() / len(confidence))


def log_odds(logits: Array) -> Doubles:
    """Return log p - log(1 - p) of each class, float64 `(rows, classes)`."""
    wide = np.asarray(logits, np.float64)
    odds = np.full_like(wide, np.inf)
    for number in range(wide.shape[1] if wide.shape[1] > 1 else 0):
        others = np.delete(wide, number, axis=1)
        highest = others.max(1)
        odds[:, number] = wide[:, number] - highest - np.log(np.exp(others - highest[:, None]).sum(1))
    return odds


def scores_of_confusion(confusion: Doubles) -> dict[str, Doubles]:
    """Return the scores of confusion matrices `(samples, true, predicted)`; MCC as in Gorodkin 2004."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    true, predicted, total = confusion.sum(2), confusion.sum(1), confusion.sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hits / true
        precision = np.where(true > 0, np.where(predicted > 0, hits / predicted, 0.0), np.nan)
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


def cell_influence(name: str, confusion: Doubles, at: Doubles | None = None) -> Doubles:
    """Return the derivative of a score by each cell of the confusion matrix; `at` as in `Outcome.influence`.

    `(true, predicted)`, and for a score by class `(true, predicted, classes)`, 0 for a class without rows.
    """
    own = np.eye(len(confusion))
    true, predicted, hits, total = confusion.sum(1), confusion.sum(0), np.diag(confusion), confusion.sum()
    moved: Doubles
    if name in ("macro_recall", "macro_f1"):
        by_class = cell_influence(name.removeprefix("macro_"), confusion, at)
        moved = by_class.sum(2) / max(int((true > 0).sum()), 1)
        return moved
    if name == "accuracy":
        moved = (own - (hits.sum() / total if at is None else at)) / total
        return moved
    if name == "mcc":
        return _mcc_influence(confusion, at)
    hit = own[:, None, :] * own[None, :, :]
    rows, columns = own[:, None, :], own[None, :, :]
    numerator, denominator, weight = {
        "recall": (hits, true, rows),
        "precision": (hits, predicted, columns),
        "f1": (2 * hits, true + predicted, rows + columns),
    }[name]
    known = (true > 0) & (denominator > 0)
    size = np.where(known, denominator, 1.0)
    level = numerator / size if at is None else np.nan_to_num(at)
    moved = ((2 if name == "f1" else 1) * hit - level * weight) / size * known
    return moved


def _mcc_influence(confusion: Doubles, at: Doubles | None = None) -> Doubles:
    true, predicted, hits, total = confusion.sum(1), confusion.sum(0), np.trace(confusion), confusion.sum()
    covariance = hits * total - true @ predicted
    spread_true, spread_predicted = total**2 - true @ true, total**2 - predicted @ predicted
    spread = np.sqrt(spread_true * spread_predicted)
    if spread == 0:
        return np.zeros_like(confusion)
    moved = np.eye(len(confusion)) * total + hits - predicted[:, None] - true[None, :]
    relative = (total - true)[:, None] / spread_true + (total - predicted)[None, :] / spread_predicted
    level = covariance / spread if at is None else at
    found: Doubles = moved / spread - level * relative
    return found


def _auroc(odds: Doubles, positive: npt.NDArray[np.bool_]) -> "tuple[float, Doubles] | None":
    """Return the area under the ROC curve, ties counting half, and the influence of each row; None without both sides.

    The influences are the placements of DeLong, DeLong and Clarke-Pearson 1988.
    """
    ups, downs = np.sort(odds[positive]), np.sort(odds[~positive])
    if not len(ups) or not len(downs):
        return None
    below, above = _below(downs, odds[positive]), len(ups) - _below(ups, odds[~positive])
    area = float(below.sum() / (len(ups) * len(downs)))
    influence = np.empty(len(odds))
    influence[positive] = (below / len(downs) - area) / len(ups)
    influence[~positive] = (above / len(ups) - area) / len(downs)
    return area, influence


def _below(ordered: Doubles, values: Doubles) -> Doubles:
    """Return how many of the ordered values are below each value, ties counting half."""
    low, high = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    counts: Doubles = (low + high) / 2
    return counts


def _nanmean(values: Doubles) -> Doubles:
    """Return the mean over the last axis without NaN values; NaN if all are NaN."""
    known = ~np.isnan(values)
    sums = np.where(known, values, 0.0).sum(-1)
    return np.where(known.any(-1), sums / np.maximum(known.sum(-1), 1), np.nan)
