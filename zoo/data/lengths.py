"""Series of unequal lengths in one array: which samples are valid, with no more padding than needed.

In a file of any form, NaN at the end of a row, in all its channels, is padding and sets the length of the row.
"""

import numpy as np
import numpy.typing as npt

from zoo.data.series import Ints
from zoo.data.unread import Unread, Values, changed, pieces


def within(lengths: Ints, times: int) -> npt.NDArray[np.bool_]:
    """Return bool `(rows, 1, times)`: true for the samples before the end of their row."""
    inside: npt.NDArray[np.bool_] = np.arange(times) < lengths[:, np.newaxis, np.newaxis]
    return inside


def ends_of(values: Values) -> Ints | None:
    """Return int64 `(rows,)`: the samples of each of `(rows, channels, times)` before NaN at its end in all channels.

    None if no row ends with NaN; 0 for a row of nothing but NaN.
    """
    lengths = np.full(len(values), values.shape[2], np.int64)
    ended = False
    for part, some in pieces(values):
        if np.isnan(some[:, :, -1]).all(axis=1).any():
            filled = np.asarray(~np.isnan(some).all(axis=1))
            ends = values.shape[2] - np.argmax(filled[:, ::-1], axis=1)
            lengths[part], ended = np.where(filled.any(axis=1), ends, 0), True
    return lengths if ended else None


def padding_note(name: str) -> str:
    """Return the note on a file whose rows end with NaN."""
    return f"{name}: NaN at the end of rows is read as padding"


def zeroed(values: Values, lengths: Ints) -> Values:
    """Set the samples after the end of each row to zero: in place, or when unread values are read."""
    times = values.shape[2]
    if isinstance(values, Unread):
        return changed(values, lambda some, rows: np.where(within(lengths[rows], times), some, np.float32(0)))
    np.copyto(values, 0, where=~within(lengths, times))
    return values


def settled(values: Values, lengths: Ints | None) -> tuple[Values, Ints | None]:
    """Cut series `(rows, channels, times)` to the longest of them; drop the lengths if all are equal."""
    if lengths is None or not len(lengths):
        return values, None
    longest = int(lengths.max())
    cut = values if longest == values.shape[2] else _cut(values, longest)
    return cut, None if (lengths == longest).all() else lengths


def _cut(values: Values, times: int) -> Values:
    if isinstance(values, Unread):
        return changed(values, lambda some, _: np.ascontiguousarray(some[:, :, :times]), times=times)
    return np.ascontiguousarray(values[:, :, :times])
