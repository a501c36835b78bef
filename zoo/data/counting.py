"""Columns of series that describe the rows instead of a sample, seen by their values: an index, an id, the label."""

import numpy as np
import numpy.typing as npt

from zoo.data.series import Floats, Ints

_FEWEST_COUNTED = 5  # rows: fewer may be equally spaced by chance
_FEWEST_SORTED = 20
_SEEN_FIRST = 64  # rows, which decide for nearly all columns of samples
_SEEN_FOR_SPREAD = 1000
_FAR = 10  # an id spreads wider than each other column by more than this factor


def describing(values: Floats, labels: npt.NDArray[np.generic], lengths: Ints | None = None) -> dict[int, str]:
    """Return the columns of `(rows, times)` that are no samples by their values, each with the reason.

    Such a column numbers the rows, has the same value in all rows of a class of `labels`, or has whole numbers unlike
    the other columns. If most columns look like that, the result is empty. Columns after the end of a row are not
    considered.
    """
    values = values if lengths is None else values[:, : lengths.min()]
    places = range(values.shape[1])
    found: dict[int, str] = {}
    if len(values) >= _FEWEST_SORTED:
        found |= _unlike_others(values, [place for place in places if _whole(values[:, place])])
        found |= _of_classes(values, labels)
    found |= {place: reason for place in places if (reason := _count(values[:, place]))}
    return dict(sorted(found.items())) if 2 * len(found) <= len(places) else {}


def _count(column: npt.NDArray[np.float32]) -> str:
    """Return the reason why a column numbers the rows; empty if it does not."""
    if len(column) < _FEWEST_COUNTED or not (_whole(column) or _increases(column[:_SEEN_FIRST])):
        return ""
    exact = column.astype(np.float64)
    steps = np.diff(exact)
    if steps[0] != 0 and (steps == steps[0]).all():
        return "it counts the rows"
    if np.ptp(exact) == len(exact) - 1 and (np.diff(np.sort(exact)) == 1).all():
        return "it numbers the rows"
    if len(column) < _FEWEST_SORTED:
        return ""
    ordered = (steps >= 0).all() or (steps <= 0).all()
    if _whole(column) and ordered and np.count_nonzero(steps) >= 2:
        return "its whole numbers are in order from the first row to the last"
    return "its numbers are in order from the first row to the last" if _increases(column) else ""


def _increases(column: npt.NDArray[np.float32]) -> bool:
    steps = np.diff(column)
    return bool((steps > 0).all() or (steps < 0).all())


def _unlike_others(values: Floats, whole: list[int]) -> dict[int, str]:
    """Return the few columns of whole numbers among fractions, and ids that spread far wider than all other columns."""
    if len(whole) <= max(1, values.shape[1] // 10):
        various = [place for place in whole if len(np.unique(values[:, place])) > 2]
        return dict.fromkeys(various, "it has whole numbers, the other columns have fractions")
    spreads = values[:_SEEN_FOR_SPREAD].std(axis=0, dtype=np.float64)
    others = np.sort(spreads)[: -max(1, len(spreads) // 10)]
    wide = [place for place in whole if spreads[place] > _FAR * others.max(initial=0)]
    ids = [place for place in wide if len(np.unique(values[:, place])) == len(values)]
    return dict.fromkeys(ids, "its numbers all differ, and spread far wider than those of the other columns")


def _of_classes(values: Floats, labels: npt.NDArray[np.generic]) -> dict[int, str]:
    """Return the columns with one value for each class, such as a copy of the labels; none if they are many."""
    classes, codes = np.unique(labels, return_inverse=True)
    found = [
        place
        for place in range(values.shape[1])
        if _one_for_each(values[:_SEEN_FIRST, place], codes[:_SEEN_FIRST])
        and _one_for_each(values[:, place], codes)
        and _repeats(values[:, place])
    ]
    return dict.fromkeys(found, "it repeats the labels") if len(found) <= len(classes) else {}


def _one_for_each(column: npt.NDArray[np.float32], codes: npt.NDArray[np.intp]) -> bool:
    """Return whether all rows of a class have one value."""
    found, numbers = np.unique(column, return_inverse=True)
    present = np.unique(codes)
    return len(found) <= len(present) == len(np.unique(numbers * (int(codes.max()) + 1) + codes))


def _repeats(column: npt.NDArray[np.float32]) -> bool:
    """Return whether there are several values, each in several rows."""
    _, counts = np.unique(column, return_counts=True)
    return len(counts) > 1 and int(counts.min()) > 1


def _whole(column: npt.NDArray[np.float32]) -> bool:
    first = column[:_SEEN_FIRST]
    return bool((first == np.floor(first)).all() and (column == np.floor(column)).all())
