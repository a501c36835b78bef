"""Columns of series that describe the rows instead of a sample, seen by their values: an index, an id, the label."""

import numpy as np
import numpy.typing as npt

from zoo.data.series import Floats, Ints

_FEWEST_COUNTED = 5  # rows: fewer may be equally spaced by chance
_FEWEST_SORTED = 20
_SEEN_FIRST = 64  # rows, which decide for nearly all columns of samples


def describing(values: Floats, labels: npt.NDArray[np.generic], lengths: Ints | None = None) -> dict[int, str]:
    """Return the columns of `(rows, times)` that are no samples by their values, each with the reason.

    Such a column numbers the rows, has one value for each label of `(rows,)`, or has whole numbers where nearly all
    other columns have fractions. If most columns look like that, the result is empty. Columns after the end of a row
    are not considered.
    """
    values = values if lengths is None else values[:, : lengths.min()]
    whole = [place for place in range(values.shape[1]) if _whole(values[:, place])]
    found = dict.fromkeys(_copies(values, labels), "it repeats the labels")
    found |= {place: reason for place in whole if (reason := _count(values[:, place]))}
    if len(values) >= _FEWEST_SORTED and len(whole) <= max(1, values.shape[1] // 10):
        various = [place for place in whole if len(np.unique(values[:, place])) > 2]
        found = dict.fromkeys(various, "it has whole numbers, the other columns have fractions") | found
    return found if 2 * len(found) <= values.shape[1] else {}


def _count(column: npt.NDArray[np.float32]) -> str:
    """Return the reason why a column of whole numbers numbers the rows; empty if it does not."""
    if len(column) < _FEWEST_COUNTED:
        return ""
    exact = column.astype(np.float64)
    steps = np.diff(exact)
    if steps[0] != 0 and (steps == steps[0]).all():
        return "it counts the rows"
    if (np.diff(np.sort(exact)) == 1).all():
        return "it numbers the rows"
    ordered = (steps >= 0).all() or (steps <= 0).all()
    if ordered and len(column) >= _FEWEST_SORTED and np.count_nonzero(steps) >= 2:
        return "its whole numbers are in order from the first row to the last"
    return ""


def _copies(values: Floats, labels: npt.NDArray[np.generic]) -> list[int]:
    """Return the columns with one value for each label, and another for each other label."""
    if len(values) < _FEWEST_SORTED:
        return []
    _, codes = np.unique(labels, return_inverse=True)
    return [
        place
        for place in range(values.shape[1])
        if _is_copy(values[:_SEEN_FIRST, place], codes[:_SEEN_FIRST]) and _is_copy(values[:, place], codes)
    ]


def _is_copy(column: npt.NDArray[np.float32], codes: npt.NDArray[np.intp]) -> bool:
    found, numbers = np.unique(column, return_inverse=True)
    pairs = np.unique(numbers * (int(codes.max()) + 1) + codes)
    return len(pairs) == len(found) == len(np.unique(codes)) > 1


def _whole(column: npt.NDArray[np.float32]) -> bool:
    first = column[:_SEEN_FIRST]
    return bool((first == np.floor(first)).all() and (column == np.floor(column)).all())
