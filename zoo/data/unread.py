"""Series that are read when they are needed: the rows of arrays that may be larger than the memory.

A data set that Python code passes as arrays is not copied. The values of a large one, and of its large parts, are
`Unread`: indexing reads some rows, as float32. Parts of at most `AT_ONCE` bytes are read at once.
"""

import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
AT_ONCE = 2**25  # bytes: larger parts are read in pieces
PIECE = 2**21  # samples in a piece


class Unread:
    """Values float32 `(rows, channels, times)` that are read when they are indexed.

    shape  `(rows, channels, times)`
    read   returns the values at some positions, as an array that nobody else uses
    """

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(self, shape: tuple[int, int, int], read: Callable[[Ints], Floats]) -> None:
        self.shape, self._read = shape, read

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | Ints) -> Floats:
        """Read the rows of a slice, or those at these positions."""
        return self._read(np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Read all rows."""
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the values themselves: another process has no access to the arrays."""
        return np.asarray, (self[:],)

    @property
    def nbytes(self) -> int:
        rows, channels, times = self.shape
        return rows * channels * times * self.dtype.itemsize


Values = Floats | Unread
Change = Callable[[Floats, Ints], Floats]


def unread(array: npt.NDArray[Any]) -> Unread:
    """Return the rows of an array `(rows, channels, times)` of any number type.

    Pages of a memory-mapped file are released after they are read. A number too large for float32 becomes infinite.
    """
    rows, channels, times = array.shape
    file = _mapped_file(array)

    def read(places: Ints) -> Floats:
        with np.errstate(over="ignore"):
            found = np.ascontiguousarray(np.asarray(array[places]), np.float32)
        if file is not None:
            with suppress(OSError, ValueError, AttributeError):  # not every system has it
                file.madvise(mmap.MADV_DONTNEED)
        return found

    return Unread((rows, channels, times), read)


def changed(values: Unread, change: Change, *, times: int | None = None) -> Unread:
    """Return values that `change` computes, given some rows and their positions; `times` is the new width, if any."""
    rows, channels, width = values.shape
    return Unread((rows, channels, width if times is None else times), lambda rows: change(values[rows], rows))


def stacked(several: Sequence[Values]) -> Values:
    """Return the rows of all these values, one after the other."""
    if len(several) == 1:
        return several[0]
    starts = np.cumsum([0, *map(len, several)])
    _, channels, times = several[0].shape
    if not any(isinstance(values, Unread) for values in several):
        return np.concatenate([np.asarray(values) for values in several])

    def read(rows: Ints) -> Floats:
        found = np.empty((len(rows), channels, times), np.float32)
        for values, start, end in zip(several, starts, starts[1:], strict=False):
            here = (start <= rows) & (rows < end)
            found[here] = values[rows[here] - start]
        return found

    return Unread((int(starts[-1]), channels, times), read)


def picked(values: Values, rows: Ints) -> Values:
    """Return the rows at these positions: a copy, or `Unread` for many rows of unread values."""
    if not isinstance(values, Unread):
        return values[rows]
    _, channels, times = values.shape
    return at_once(Unread((len(rows), channels, times), lambda places: values[rows[places]]))


def at_once(values: Unread) -> Values:
    """Read the values if they are small."""
    return np.asarray(values) if values.nbytes <= AT_ONCE else values


def pieces(values: Values) -> Iterator[tuple[slice, Floats]]:
    """Yield some rows at a time: their positions and values."""
    if not isinstance(values, Unread) and _mapped_file(values) is not None:
        values = unread(values)
    step = max(1, PIECE // max(1, values.shape[1] * values.shape[2]))
    for start in range(0, len(values), step):
        part = slice(start, min(start + step, len(values)))
        yield part, values[part]


def _mapped_file(array: Any) -> mmap.mmap | None:
    """Return the file that an array maps into memory; None for other arrays, and if changes are kept in memory."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.mode == "c":
            return None
        array = array.base
    return array if isinstance(array, mmap.mmap) else None
