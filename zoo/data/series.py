"""Labelled series: the form in which every data set reaches the harness."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.unread import Unread, pieces
from zoo.errors import DataError

LEFT_OUT, TRAIN, VALIDATION, TEST = -1, 0, 1, 2

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DeclaredSplit:
    """A published split of a data set, row by row.

    parts          int8 `(rows,)`: LEFT_OUT, TRAIN, VALIDATION or TEST. Without VALIDATION rows, the harness draws them
                   from TRAIN
    classes        the scored classes, None for all; rows of other classes are left out
    by_group       whether the validation set is drawn by group, like the test set; if the groups of the test rows have
                   no other rows, it always is
    keep_in_train  groups that must not go into the validation set
    notes          notes on this split for readers of a score; if a split by group shares groups between the test set
                   and another set, a note must name them or state their number, such as `2 patients`
    """

    parts: npt.NDArray[np.int8]
    classes: tuple[str, ...] | None = None
    by_group: bool = False
    keep_in_train: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelledSeries:
    """Rows of equal width with their labels; shorter series are padded with zeros at the end.

    values       float32 `(rows, channels, times)`, finite; those of large arrays are read when they are indexed
    labels       int64 `(rows,)`, indices into `classes`
    classes      the fixed list of class names; a class without rows stays in it
    groups       `(rows,)`, the group of each row (a patient), or None; a split by group keeps each group together
    group_noun   the word for a group in messages
    lengths      int64 `(rows,)`, the number of valid samples of each row, or None if all `times` are valid
    splits       declared splits by protocol name (`official`, `inter-patient`, …)
    refusals     protocols that this form of the data does not support, each with the reason
    notes        notes on these rows for readers of a score
    read         one line that reports how a file was read, shown before the first run
    """

    values: Floats | Unread
    labels: Ints
    classes: tuple[str, ...]
    groups: npt.NDArray[Any] | None = None
    group_noun: str = "patient"
    lengths: Ints | None = None
    splits: Mapping[str, DeclaredSplit] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    read: str = ""

    def __post_init__(self) -> None:
        rows = self.values.shape[0]
        if self.values.ndim != 3 or self.values.dtype != np.float32:
            raise DataError(f"values are {self.values.dtype} {self.values.shape}, not float32 (rows, channels, times)")
        for name in ("labels", "groups", "lengths"):
            array = getattr(self, name)
            if array is not None and array.shape != (rows,):
                raise DataError(f"{name} have the shape {array.shape}, not ({rows},)")
        if rows == 0:
            raise DataError("the data set has no rows")
        if len(set(self.classes)) != len(self.classes):
            raise DataError(f"class names are not unique: {', '.join(self.classes)}")
        self._check_range("labels", self.labels, 0, len(self.classes) - 1)
        if self.lengths is not None:
            self._check_range("lengths", self.lengths, 1, self.values.shape[2])
        if not isinstance(self.values, Unread):  # the reader of unread values has checked them
            self._check_finite(self.values)

    def _check_finite(self, values: Floats) -> None:
        for part, some in pieces(values):
            if not np.isfinite(some).all():
                first = part.start + int(np.flatnonzero(~np.isfinite(some).all((1, 2)))[0])
                raise DataError(f"row {first} has NaN or infinite samples")

    def _check_range(self, name: str, array: Ints, low: int, high: int) -> None:
        if array.dtype != np.int64:
            raise DataError(f"{name} are {array.dtype}, not int64")
        if array.min() < low or array.max() > high:
            raise DataError(f"{name} range from {array.min()} to {array.max()}; expected {low} to {high}")

    @property
    def n_channels(self) -> int:
        return int(self.values.shape[1])

    @property
    def n_times(self) -> int:
        return int(self.values.shape[2])
