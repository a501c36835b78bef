"""Series in one column of lists of a Parquet file: each row holds its samples, and rows may differ in length."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from zoo.data.memory import check_fits
from zoo.data.series import Floats

_SAMPLE_BYTES = 2 * 4  # float32, and one copy


def is_list(kind: Any) -> bool:
    """Return whether a column of this type holds a series of numbers in each row."""
    types = pyarrow.types
    lists = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view, types.is_large_list_view)
    if not any(is_kind(kind) for is_kind in lists):
        return False
    return bool(types.is_floating(kind.value_type) or types.is_integer(kind.value_type))


def from_lists(column: Any, what: str) -> Floats:
    """Return a column of lists as float32 `(rows, times)` with NaN after the end of each row, and for missing samples.

    `what` names the column in messages. Raises DataError if the padded rows do not fit in memory.
    """
    lengths = _lengths(column)
    times = int(lengths.max(initial=0))
    check_fits(_SAMPLE_BYTES * len(lengths) * times, f"{what}: padding to {times:,} samples", "cut the longest series")
    flat = pyarrow.compute.list_flatten(column).cast("float64", safe=False)
    values = np.full((len(lengths), times), np.nan, np.float32)
    # A float64 too large for float32 becomes infinite; it is refused later with its place.
    with np.errstate(over="ignore"):
        values[np.arange(times) < lengths[:, np.newaxis]] = flat.to_numpy()
    return values


def ends_with_missing(column: Any) -> bool:
    """Return whether the last sample of a list is missing or NaN."""
    last = np.cumsum(_lengths(column))[_lengths(column) > 0] - 1
    flat = pyarrow.compute.list_flatten(column).cast("float64", safe=False)
    return bool(np.isnan(flat.to_numpy()[last]).any())


def _lengths(column: Any) -> npt.NDArray[np.int64]:
    """Return int64 `(rows,)`; the length of a missing list is 0."""
    found: npt.NDArray[np.int64] = pyarrow.compute.list_value_length(column).fill_null(0).to_numpy().astype(np.int64)
    return found
