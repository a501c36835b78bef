"""Series of unequal lengths in one array: which samples are valid, with no more padding than needed."""

import numpy as np
import numpy.typing as npt

from zoo.data.series import Floats, Ints


def within(lengths: Ints, times: int) -> npt.NDArray[np.bool_]:
    """Return bool `(rows, 1, times)`: true for the samples before the end of their row."""
    inside: npt.NDArray[np.bool_] = np.arange(times) < lengths[:, np.newaxis, np.newaxis]
    return inside


def settled(values: Floats, lengths: Ints | None) -> tuple[Floats, Ints | None]:
    """Cut series `(rows, channels, times)` to the longest of them; drop the lengths if all are equal."""
    if lengths is None or not len(lengths):
        return values, None
    longest = int(lengths.max())
    cut = values if longest == values.shape[2] else np.ascontiguousarray(values[:, :, :longest])
    return cut, None if (lengths == longest).all() else lengths
