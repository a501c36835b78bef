"""Labels and groups: whole numbers or text, read from any type in which a file stores them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from zoo.data.series import Ints
from zoo.errors import DataError
from zoo.wording import count_text

Place = Callable[[int], str]


def keys_of(cells: Any, what: str, place: Place) -> npt.NDArray[Any]:
    """Return labels or groups from a `pyarrow.ChunkedArray`: int64 `(rows,)` if all are whole numbers, else text.

    `what` names the cells in messages, `place` a row. Raises DataError if a value is missing, or is neither a whole
    number nor text.
    """
    cells = _numbers_if_possible(_plain(cells))
    _check_none_missing(cells, what, place)
    kind = cells.type
    if pyarrow.types.is_floating(kind):
        return _whole(cells.to_numpy().astype(np.float64), what, place)
    if pyarrow.types.is_integer(kind) or pyarrow.types.is_boolean(kind):
        return _int64(cells, what)
    if _is_text(kind):
        return np.array(cells.to_pylist(), np.str_)
    raise DataError(f"{what} holds {kind}; labels and groups are whole numbers or text")


def classes_of(keys: npt.NDArray[Any], what: str) -> tuple[Ints, tuple[str, ...]]:
    """Return labels int64 `(rows,)` and the sorted classes that they index. Raises DataError for fewer than two."""
    found, labels = np.unique(keys, return_inverse=True)
    if len(found) < 2:
        only = f"one class, {str(found[0])!r}" if len(found) else "no class"
        raise DataError(f"{what} has {only}; name the labels with --target")
    return labels.astype(np.int64), tuple(str(value) for value in found)


def _plain(cells: Any) -> Any:
    """Return text without surrounding spaces, and null for empty text; categories become their values."""
    if pyarrow.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if not _is_text(cells.type):
        return cells
    trimmed = pyarrow.compute.utf8_trim_whitespace(cells)
    return pyarrow.compute.if_else(pyarrow.compute.equal(trimmed, ""), None, trimmed)


def _numbers_if_possible(cells: Any) -> Any:
    if not _is_text(cells.type) or pyarrow.compute.any(pyarrow.compute.match_substring(cells, "x")).as_py():
        return cells  # pyarrow reads 0x10 as 16
    for kind in ("int64", "float64"):
        try:
            return cells.cast(kind)
        except pyarrow.ArrowInvalid:
            continue
    return cells


def _check_none_missing(cells: Any, what: str, place: Place) -> None:
    missing = np.flatnonzero(pyarrow.compute.is_null(cells, nan_is_null=True).to_numpy())
    if missing.size:
        raise DataError(
            f"{what} is empty in {count_text(missing.size, 'row')}, the first at {place(int(missing[0]))}; "
            "fill it in or remove these rows"
        )


def _whole(values: npt.NDArray[np.float64], what: str, place: Place) -> Ints:
    broken = np.flatnonzero(~np.isfinite(values) | (values != np.floor(values)) | (np.abs(values) >= 2**53))
    if broken.size:
        raise DataError(
            f"{what} is {values[broken[0]]!s} at {place(int(broken[0]))}; labels and groups are whole numbers or text"
        )
    return values.astype(np.int64)


def _int64(cells: Any, what: str) -> Ints:
    try:
        return np.asarray(cells.cast("int64").to_numpy(), np.int64)
    except pyarrow.ArrowInvalid as error:
        raise DataError(
            f"{what} holds whole numbers of {2**63} or more; save them as text that begins with a letter"
        ) from error


def _is_text(kind: Any) -> bool:
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))
