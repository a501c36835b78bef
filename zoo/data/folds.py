"""Folds: the test sets of a cross-validation, fixed by the data set and their number.

Every row is in one fold. Folds are stratified by class, and by group where groups are known.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.groups import plural
from zoo.data.series import TEST, TRAIN, DeclaredSplit, Ints, LabelledSeries
from zoo.errors import DataError, UsageError

CROSS_VALIDATION = "cross-validation"
FOLD_SEED = 0  # the folds are the same for every run
DRAWS = 20  # of parts by group, of which the best is used


@dataclass(frozen=True)
class Fold:
    """One fold of a cross-validation: its number, counted from 1, and the number of all.

    `named` is whether the protocol was named, which a data set with a published split requires.
    """

    number: int
    of: int
    named: bool = False


def fold_split(series: LabelledSeries, fold: Fold, parts: Ints) -> DeclaredSplit:
    """Return the split whose test set is one of the `parts` that `part_of_each_row` returned."""
    marks = np.where(parts == fold.number - 1, TEST, TRAIN).astype(np.int8)
    ignored = ("the published split is not used: cross-validation separates all rows anew",) if series.splits else ()
    return DeclaredSplit(marks, by_group=series.groups is not None, notes=ignored)


def part_of_each_row(series: LabelledSeries, fold: Fold) -> Ints:
    """Return the fold of each row, counted from 0.

    Raises UsageError for fewer than two folds, and DataError if the rarest class has fewer rows or groups, or if
    the data set has a published split and the protocol was not named.
    """
    if fold.of < 2:
        raise UsageError(f"--cv must be at least 2, not {fold.of}")
    if CROSS_VALIDATION in series.refusals:
        raise DataError(series.refusals[CROSS_VALIDATION])
    if series.splits and not fold.named:
        raise DataError(
            f"this data set has a published split, which --cv does not use: leave --cv out, or add --protocol "
            f"{CROSS_VALIDATION}"
        )
    _refuse_rare_classes(series, fold.of)
    from sklearn.model_selection import StratifiedKFold  # takes half a second

    if series.groups is None:
        return _drawn(StratifiedKFold(fold.of, shuffle=True, random_state=FOLD_SEED), series.labels)
    owners = np.unique(series.groups, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return _drawn_by_group(series.labels.tobytes(), owners.tobytes(), len(series.classes), fold.of)


def folds_fingerprint(series: LabelledSeries, labels: Ints, parts: Ints, hashes: npt.NDArray[np.uint64]) -> str:
    """Return a hash of all rows with their labels, lengths, groups and folds: equal for all folds.

    hashes  those of all rows of the series, by `row_hashes`
    """
    digest = hashlib.sha256()
    for array in (hashes, labels, parts, series.lengths):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    if series.groups is not None:
        digest.update(",".join(map(str, series.groups.tolist())).encode())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=4)
def _drawn_by_group(labels: bytes, owners: bytes, classes: int, folds: int) -> Ints:
    """Return the best of DRAWS parts by group; kept, since each fold and seed of a bench needs them.

    5,000 rows in 200 groups take 0.7 s, 100,000 rows in 5,000 groups 20 s. `labels` and `owners` are int64, the groups
    counted from 0.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    kinds, groups = np.frombuffer(labels, np.int64), np.frombuffer(owners, np.int64)
    draws = [
        _drawn(StratifiedGroupKFold(folds, shuffle=True, random_state=FOLD_SEED + draw), kinds, groups)
        for draw in range(DRAWS)
    ]
    best = max(draws, key=lambda parts: _balance(kinds, classes, parts, folds))
    best.setflags(write=False)
    return best


def _drawn(splitter: Any, labels: Ints, groups: npt.NDArray[Any] | None = None) -> Ints:
    parts = np.empty(len(labels), np.int64)
    for number, (_, test) in enumerate(splitter.split(np.zeros(len(labels)), labels, groups)):
        parts[test] = number
    return parts


def _refuse_rare_classes(series: LabelledSeries, folds: int) -> None:
    """Raise DataError if a class has fewer rows, or groups, than there are folds."""
    labels, noun = series.labels, "row"
    if series.groups is not None:
        owner = np.unique(series.groups, return_inverse=True)[1]
        labels, noun = np.unique(np.stack([labels, owner]), axis=1)[0], series.group_noun
    counts = np.bincount(labels, minlength=len(series.classes))
    rarest = int(np.argmin(np.where(counts > 0, counts, counts.max() + 1)))
    few, name = int(counts[rarest]), series.classes[rarest]
    if few < folds:
        fewer = f"use --cv {few}, or " if few > 1 else ""
        raise DataError(
            f"--cv {folds}: class {name!r} has {_of(noun)}{few} {noun if few == 1 else plural(noun)}, and each of the "
            f"{folds} folds needs one: {fewer}leave the class out with --drop-class {name}"
        )


def _of(noun: str) -> str:
    return "" if noun == "row" else "rows of "


def _balance(labels: Ints, classes: int, parts: Ints, folds: int) -> tuple[int, float]:
    """Return how many pairs of a class and a part have rows in and outside the part, and minus their imbalance."""
    table = np.zeros((folds, classes))
    np.add.at(table, (parts, labels), 1)
    total = table.sum(0)
    shares = table[:, total > 0] / total[total > 0]
    return int(((shares > 0) & (shares < 1)).sum()), -float(np.abs(shares - 1 / folds).sum())
