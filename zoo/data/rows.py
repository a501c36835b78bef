"""The rows of a training, validation or test set."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.series import Ints
from zoo.data.unread import Values


@dataclass(frozen=True)
class Rows:
    """The rows of a training, validation or test set: values `(rows, channels, times)`, labels, groups and lengths.

    `index` is the position of each row in the data set it came from. `cut` is true if `--rows` left out other rows.
    The values of a large validation or test set may be read when they are indexed.
    """

    values: Values
    labels: Ints
    index: Ints
    groups: npt.NDArray[Any] | None = None
    lengths: Ints | None = None
    cut: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, rows: slice) -> "Rows":
        """Return some of the rows, with their values read."""
        groups, lengths = (None if each is None else each[rows] for each in (self.groups, self.lengths))
        return replace(
            self,
            values=self.values[rows],
            labels=self.labels[rows],
            index=self.index[rows],
            groups=groups,
            lengths=lengths,
        )

    def first(self, count: int) -> "Rows":
        """Return the first rows, at most `count`."""
        return self.part(slice(0, count))

    def unlabelled(self) -> "Rows":
        """Return the series alone: the labels are zeros, the positions -1, and there are no groups."""
        nothing = np.zeros_like(self.labels)
        return replace(self, labels=nothing, index=nothing - 1, groups=None)


def balanced(rows: Rows, values: npt.NDArray[np.float32], labels: Ints, lengths: Ints | None) -> Rows:
    """Return a training set with the resampled rows in place of its own."""
    return replace(rows, values=values, labels=labels, lengths=lengths, groups=None, index=np.full(len(labels), -1))
