"""The rows of one part of a data set."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.series import Floats, Ints


@dataclass(frozen=True)
class Rows:
    """One part of a data set: values `(rows, channels, times)`, labels and the rest by row.

    `index` says where each row stands in the data set it came from.
    """

    values: Floats
    labels: Ints
    index: Ints
    groups: npt.NDArray[Any] | None = None
    lengths: Ints | None = None

    def __len__(self) -> int:
        return len(self.labels)


def balanced(rows: Rows, values: npt.NDArray[np.float32], labels: Ints, lengths: Ints | None) -> Rows:
    """A training set with resampled rows in place of its own."""
    return replace(rows, values=values, labels=labels, lengths=lengths, groups=None, index=np.full(len(labels), -1))
