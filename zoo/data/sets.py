"""Sets of rows, from the arrays of a file or of Python code, checked and joined to one data set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.checks import dropped_note, flat_rows, kept_of
from zoo.data.counting import describing
from zoo.data.keys import Cells, Place, alike_note, classes_of, keys_of_sets
from zoo.data.lengths import ends_of, padding_note, settled, within, zeroed
from zoo.data.series import DeclaredSplit, Ints, LabelledSeries
from zoo.data.unread import Unread, Values, picked, pieces, stacked
from zoo.errors import DataError, UsageError
from zoo.wording import count_text

LAYOUTS = ("ntc", "nct")

At = Callable[[int, int, int], str]


@dataclass(frozen=True)
class RowSet:
    """The rows of one set of a published split, or all rows of a data set.

    name    the name of the array with the series
    label   the name of the array with the labels
    values  `(rows, channels, times)`, zeros after the end of each row
    ended   whether the lengths come from NaN at the end of rows
    columns whether the array has the shape `(rows, times)`, as columns of a table have
    flat    bool `(rows,)`: whether all samples of a row are equal
    place   the place of a row in messages
    """

    name: str
    label: str
    values: Values
    lengths: Ints | None
    ended: bool
    columns: bool
    flat: npt.NDArray[np.bool_]
    labels: Cells
    groups: Cells | None
    place: Place


def laid_out(array: npt.NDArray[Any], what: str, layout: str | None) -> npt.NDArray[Any]:
    """Return a view `(rows, channels, times)` of series of any number type, which may contain NaN.

    what    the array in messages
    layout  one of `LAYOUTS` for an array with three axes; None is "nct" unless there are more channels than samples
    """
    forms = f"{what} has the shape {array.shape}; series are (rows, times) or (rows, channels, times)"
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what} holds {array.dtype}, not numbers; save it as float32")
    if array.ndim not in (2, 3):
        raise DataError(forms)
    if layout is not None and array.ndim == 2:
        raise UsageError(f"{what} has the shape {array.shape}, without channels: leave out dataset.layout={layout}")
    if array.ndim == 2:
        array = array[:, np.newaxis]
    elif layout == "ntc":
        array = array.transpose(0, 2, 1)
    _, channels, times = array.shape
    if 0 in array.shape or times < 2:
        ways = "; (rows, times, channels) needs `--set dataset.layout=ntc`" if layout is None and channels > 1 else ""
        raise DataError(f"{forms}, with at least 2 samples{ways}")
    if layout is None and channels > times:
        raise DataError(
            f"{forms}, and {channels} channels of {times} samples are unlikely: `--set dataset.layout=ntc` reads "
            f"{channels} samples of {count_text(times, 'channel')}, `nct` reads {channels} channels"
        )
    return array


def place_in(name: str, values: Values, layout: str | None) -> At:
    """Return the place of a sample in the array of this name: `X[3, 0, 7]`."""

    def at(row: int, channel: int, time: int) -> str:
        last = f"{time}, {channel}" if layout == "ntc" else f"{channel}, {time}"
        return f"{name}[{row}, {time}]" if values.shape[1] == 1 else f"{name}[{row}, {last}]"

    return at


def row_set(
    source: str,
    values: Values,
    *,
    name: str,
    label: str,
    labels: Cells,
    groups: Cells | None = None,
    lengths: Ints | None = None,
    columns: bool = False,
    at: At,
    place: Place | None = None,
) -> RowSet:
    """Check the values of a set, a piece at a time. NaN at the end of a row, in all channels, is padding.

    source   the file, in messages
    lengths  those that are declared; None: the rows end where NaN begins
    columns  whether the array has the shape `(rows, times)`, as columns of a table have
    at       the place of a sample in messages
    place    the place of a row in messages; None: `X[3]`

    Raises DataError for other samples that are NaN or infinite.
    """
    where = place or (lambda row: f"{name}[{row}]")
    ends = ends_of(values) if lengths is None else lengths
    flat, whole = np.empty(len(values), np.bool_), np.empty(len(values), np.bool_)
    for part, some in pieces(values):
        own = None if ends is None else ends[part]
        flat[part] = flat_rows(some, own)
        whole[part] = _finite(some, own).all(axis=(1, 2))
    if not whole.all():
        row = int(np.argmin(whole))
        finite = _finite(values[row : row + 1], None if ends is None else ends[row : row + 1])[0]
        channel, time = np.unravel_index(int(np.argmin(finite)), finite.shape)
        raise DataError(
            f"{source}: {count_text(int((~whole).sum()), 'row')} with NaN or infinite samples before the end, the "
            f"first at {at(row, int(channel), int(time))}; fill them in or remove these rows"
        )
    if ends is not None and (ends == 0).any():
        raise DataError(f"{source}: {where(int(np.argmin(ends)))} has only NaN samples; remove such rows")
    filled = values if ends is None else zeroed(values, ends)
    return RowSet(name, label, filled, ends, ends is not lengths, columns, flat, labels, groups, where)


def joined(
    source: str,
    sets: Sequence[RowSet],
    marks: Sequence[int],
    *,
    short: str,
    constant: str,
    group_noun: str,
    notes: Sequence[str] = (),
) -> LabelledSeries:
    """Return the data set of these sets; several are the split `official`, with the marks of `DeclaredSplit`.

    source    the file, in messages
    short     the same in notes
    constant  the treatment of rows that are constant in every channel: "error", "keep" or "drop"
    """
    _check_alike(source, sets)
    lengths = _lengths(sets)
    kept = kept_of(np.concatenate([each.flat for each in sets]), constant, source, lambda row: _place(sets, row))
    read = keys_of_sets([each.labels for each in sets])
    for each, known in zip(sets, read, strict=True):
        _check_samples(source, each, known)
    keys = np.concatenate(read)[kept]
    labels, classes = classes_of(keys, sets[0].labels.what)
    values = stacked([each.values for each in sets])
    if not kept.all():
        values = picked(values, np.flatnonzero(kept))
    values, lengths = settled(values, None if lengths is None else lengths[kept])
    parts = np.repeat(np.array(marks, np.int8), [len(each.values) for each in sets])
    groups = _groups(sets, kept)
    padded = [padding_note(short)] if any(each.ended for each in sets) else []
    return LabelledSeries(
        values=values,
        labels=labels,
        classes=classes,
        groups=groups,
        group_noun=group_noun,
        lengths=lengths,
        splits={"official": DeclaredSplit(parts[kept])} if len(sets) > 1 else {},
        notes=(*dropped_note(kept), *alike_note(keys, "labels"), *alike_note(groups, "groups"), *padded, *notes),
    )


def _check_samples(source: str, rows: RowSet, labels: npt.NDArray[Any]) -> None:
    """Raise DataError for a column of an array `(rows, times)` that is an index, an id or the label by its values.

    The first rows decide for values that are unread.
    """
    if not rows.columns:
        return
    seen, values = next(pieces(rows.values)) if isinstance(rows.values, Unread) else (slice(None), rows.values)
    lengths = None if rows.lengths is None else rows.lengths[seen]
    if found := describing(values[:, 0], labels[seen], lengths):
        place, reason = next(iter(found.items()))
        raise DataError(
            f"{source}: {rows.name}[:, {place}] seems to be no sample: {reason}; save the series without it (a "
            "patient as groups), or with the shape (rows, 1, times) if it is a sample"
        )


def _finite(values: npt.NDArray[np.float32], lengths: Ints | None) -> npt.NDArray[np.bool_]:
    finite = np.isfinite(values)
    if lengths is not None:
        finite |= ~within(lengths, values.shape[2])
    return finite


def _check_alike(source: str, sets: Sequence[RowSet]) -> None:
    """Raise DataError if the sets of a split do not fit together."""
    first = sets[0]
    for each in sets[1:]:
        both = f"{source}: {first.name} and {each.name}"
        if first.values.shape[1:] != each.values.shape[1:]:
            raise DataError(
                f"{both} have the shapes {first.values.shape[1:]} and {each.values.shape[1:]} (channels, times); save "
                "both with one shape, shorter series padded with NaN at the end"
            )
        if (first.groups is None) != (each.groups is None):
            raise DataError(f"{both}: only one of them has groups; save groups for both or neither")


def _lengths(sets: Sequence[RowSet]) -> Ints | None:
    if all(each.lengths is None for each in sets):
        return None
    times = sets[0].values.shape[2]
    full = (np.full(len(each.values), times, np.int64) if each.lengths is None else each.lengths for each in sets)
    return np.concatenate([*full])


def _groups(sets: Sequence[RowSet], kept: npt.NDArray[np.bool_]) -> npt.NDArray[Any] | None:
    groups = [each.groups for each in sets if each.groups is not None]
    return np.concatenate(keys_of_sets(groups, groups=True))[kept] if groups else None


def _place(sets: Sequence[RowSet], row: int) -> str:
    for each in sets[:-1]:
        if row < len(each.values):
            return each.place(row)
        row -= len(each.values)
    return sets[-1].place(row)
