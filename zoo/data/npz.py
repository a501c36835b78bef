"""NumPy `.npz` archives as data sets.

    X        numbers (rows, times) or (rows, channels, times); also called values, x or data. The ending `_ntc` states
             the layout (rows, times, channels), `_nct` the layout (rows, channels, times)
    y        (rows,) whole numbers or text; also called labels or target
    groups   (rows,), optional: the group of each row, such as the patient
    lengths  (rows,), optional: the number of valid samples of each row, from its start

Arrays whose names end in `_train`, `_test` and, optionally, `_val` are a published split: `X_train`, `X_ntc_train`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.checks import dropped_note, flat_rows, kept_of
from zoo.data.counting import describing
from zoo.data.keys import Cells, alike_note, classes_of, keys_of_sets
from zoo.data.lengths import ends_of, padding_note, settled, within
from zoo.data.npzfile import NpzFile, opened
from zoo.data.reading import read_line
from zoo.data.series import TEST, TRAIN, VALIDATION, DeclaredSplit, Floats, Ints, LabelledSeries
from zoo.errors import DataError, UsageError
from zoo.wording import count_text

NPZ_SUFFIXES = (".npz",)

_SERIES = ("X", "values", "x", "data")
LAYOUTS = ("ntc", "nct")
_LAID_OUT = tuple(f"{name}_{layout}" for name in _SERIES for layout in LAYOUTS)
_LABELS = ("y", "labels", "target")
_PARTS = {"_train": TRAIN, "_val": VALIDATION, "_test": TEST}


@dataclass(frozen=True)
class _Names:
    """The names of the arrays, without the endings `_train`, `_val` and `_test`."""

    labels: tuple[str, ...]
    groups: str
    groups_asked: bool

    @classmethod
    def asked(cls, target: str | None, group: str | None, suffixes: Sequence[str]) -> "_Names":
        """Return the requested names. In a published split, the name of one array stands for those of all sets."""
        target, group = (None if name is None else _stem(name, suffixes) for name in (target, group))
        return cls(_LABELS if target is None else (target,), group or "groups", group is not None)


@dataclass(frozen=True)
class _Set:
    """The rows of one set of a published split, or all rows of a file.

    name    the name of the array with the series
    label   the name of the array with the labels
    what    the array with the labels, as named in messages
    values  float32 `(rows, channels, times)`, zeros after the end of each row
    flat    whether the array has the shape `(rows, times)`, as columns of a table have
    ended   whether the lengths come from NaN at the end of rows
    """

    name: str
    label: str
    what: str
    values: Floats
    flat: bool
    lengths: Ints | None
    ended: bool
    labels: Cells
    groups: Cells | None


def from_npz(
    path: Path,
    *,
    target: str | None = None,
    group: str | None = None,
    constant: str = "error",
    layout: str | None = None,
) -> LabelledSeries:
    """Read the arrays of an `.npz` as a data set, with the split `official` if it has `X_train` and `X_test`.

    target    the name of the labels if not `y`, `labels` or `target`; for a split, with or without `_train`
    group     the name of the groups if not `groups`
    constant  the treatment of rows that are constant in every channel: "error", "keep" or "drop"
    layout    "ntc" for series `(rows, times, channels)`, "nct" for `(rows, channels, times)`; None: the name of the
              array decides, without an ending "nct", and an array with more channels than samples is refused

    NaN at the end of a row, in all its channels, is padding and sets the length of the row.
    Raises DataError for data that cannot be used, in one line with the file, the array, the place and the way out.
    """
    if layout not in (None, *LAYOUTS):
        raise UsageError(f"dataset.layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
    with opened(path) as file:
        suffixes = _suffixes(file)
        names = _Names.asked(target, group, suffixes)
        if names.groups in names.labels:
            raise DataError(f"{path}: array {names.groups!r} is requested as target and as group; name two arrays")
        parts = [_read_set(file, suffix, names, layout) for suffix in suffixes]
        unread = [name for name in file.names if name not in file.read]
    _check_alike(path, parts)
    lengths = _lengths(parts)
    values = np.concatenate([part.values for part in parts])
    kept = kept_of(flat_rows(values, lengths), constant, str(path), lambda row: _place(parts, row))
    read = keys_of_sets([part.labels for part in parts])
    _check_samples(path, parts, read)
    keys = np.concatenate(read)[kept]
    labels, classes = classes_of(keys, parts[0].labels.what)
    values, lengths = settled(values[kept], None if lengths is None else lengths[kept])
    marks = np.repeat(np.array([_PARTS.get(suffix, TRAIN) for suffix in suffixes], np.int8), [*map(_size, parts)])
    groups = _groups(parts, kept)
    return LabelledSeries(
        values=values,
        labels=labels,
        classes=classes,
        groups=groups,
        group_noun=names.groups if names.groups_asked else "group",
        lengths=lengths,
        splits={"official": DeclaredSplit(marks[kept])} if len(parts) > 1 else {},
        notes=(
            *dropped_note(kept),
            *alike_note(keys, "labels"),
            *alike_note(groups, "groups"),
            *_notes(path, parts, unread),
        ),
        read=_read(path, parts, values, lengths, labels, classes),
    )


def _suffixes(file: NpzFile) -> list[str]:
    """Return the endings of the array names: `_train`, `_val` and `_test`, or only the empty ending."""
    there = [end for end in ("", *_PARTS) if any(f"{name}{end}" in file.names for name in (*_SERIES, *_LAID_OUT))]
    if "" in there and len(there) > 1:
        raise DataError(
            f"{file.path}: the file has series with and without {there[1]!r} in their names; keep one of the two"
        )
    if there and "" not in there and not {"_train", "_test"} <= set(there):
        raise DataError(f"{file.path}: the file has series for {there[0][1:]} only; a split needs X_train and X_test")
    return there or [""]


def _stem(name: str, suffixes: Sequence[str]) -> str:
    return next((name.removesuffix(end) for end in suffixes if end and name.endswith(end)), name)


def _read_set(file: NpzFile, end: str, names: _Names, layout: str | None) -> _Set:
    laid_out = [f"{each}{end}" for each in _LAID_OUT if f"{each}{end}" in file.names]
    name = file.one_of([*(f"{each}{end}" for each in _SERIES), *laid_out], "series", "")
    layout = _layout(file, name, name.removesuffix(end)[-4:], layout)
    values, flat = _series(file, name, layout)
    rows, _, times = values.shape
    called = [f"{each}{end}" for each in names.labels]
    labels = called[0] if len(called) == 1 else file.one_of(called, "labels", "; name it with --target")
    asked = f"{names.groups}{end}"
    groups = file.cells(asked, rows) if names.groups_asked or asked in file.names else None
    declared = file.lengths(f"lengths{end}", rows, times) if f"lengths{end}" in file.names else None
    lengths = ends_of(values) if declared is None else declared
    _check_finite(file, name, values, lengths, layout)
    if lengths is not None:
        np.copyto(values, 0, where=~within(lengths, times))
    ended = lengths is not declared
    return _Set(name, labels, file.what(labels), values, flat, lengths, ended, file.cells(labels, rows), groups)


def _layout(file: NpzFile, name: str, ending: str, asked: str | None) -> str | None:
    """Return the layout that the name of an array states, or the requested one. Raises UsageError if they differ."""
    stated = ending[1:] if ending in {f"_{layout}" for layout in LAYOUTS} else None
    if stated and asked and stated != asked:
        raise UsageError(f"{file.what(name)} is named as {stated}, but dataset.layout is {asked}: leave one out")
    return stated or asked


def _series(file: NpzFile, name: str, layout: str | None) -> tuple[Floats, bool]:
    """Return float32 `(rows, channels, times)`, not yet checked for NaN, and whether the array has no channels."""
    array = file.array(name)
    what = file.what(name)
    forms = f"{what} has the shape {array.shape}; series are (rows, times) or (rows, channels, times)"
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what} holds {array.dtype}, not numbers; save it as float32")
    if array.ndim not in (2, 3):
        raise DataError(forms)
    if layout is not None and array.ndim == 2:
        raise UsageError(f"{what} has the shape {array.shape}, without channels: leave out dataset.layout={layout}")
    flat = array.ndim == 2
    if flat:
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
    # A float64 too large for float32 becomes infinite; it is refused later with its place.
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, np.float32), flat


def _check_finite(file: NpzFile, name: str, values: Floats, lengths: Ints | None, layout: str | None) -> None:
    finite = np.isfinite(values)
    if lengths is not None:
        finite |= ~within(lengths, values.shape[2])
    broken = np.flatnonzero(~finite.all(axis=(1, 2)))
    if broken.size:
        row = int(broken[0])
        channel, time = np.unravel_index(int(np.argmin(finite[row])), finite.shape[1:])
        last = f"{time}, {channel}" if layout == "ntc" else f"{channel}, {time}"
        place = f"{name}[{row}, {time}]" if values.shape[1] == 1 else f"{name}[{row}, {last}]"
        raise DataError(
            f"{file.path}: {count_text(broken.size, 'row')} with NaN or infinite samples before the end, the first at "
            f"{place}; fill them in or remove these rows"
        )
    if lengths is not None and (lengths == 0).any():
        raise DataError(f"{file.path}: {name}[{int(np.argmin(lengths))}] has only NaN samples; remove such rows")


def _check_samples(path: Path, parts: Sequence[_Set], keys: Sequence[npt.NDArray[Any]]) -> None:
    """Raise DataError for a column of an array `(rows, times)` that is an index, an id or the label by its values."""
    for part, labels in zip(parts, keys, strict=True):
        found = describing(part.values[:, 0], labels, part.lengths) if part.flat else {}
        if found:
            place, reason = next(iter(found.items()))
            raise DataError(
                f"{path}: {part.name}[:, {place}] seems to be no sample: {reason}; save the series without it (a "
                "patient as groups), or with the shape (rows, 1, times) if it is a sample"
            )


def _check_alike(path: Path, parts: Sequence[_Set]) -> None:
    """Raise DataError if the sets of a split do not fit together."""
    first = parts[0]
    for part in parts[1:]:
        both = f"{path}: {first.name} and {part.name}"
        if first.values.shape[1:] != part.values.shape[1:]:
            raise DataError(
                f"{both} have the shapes {first.values.shape[1:]} and {part.values.shape[1:]} (channels, times); save "
                "both with one shape, shorter series padded with NaN at the end"
            )
        if (first.groups is None) != (part.groups is None):
            raise DataError(f"{both}: only one of them has groups; save groups for both or neither")


def _lengths(parts: Sequence[_Set]) -> Ints | None:
    if all(part.lengths is None for part in parts):
        return None
    times = parts[0].values.shape[2]
    full = (np.full(len(part.values), times, np.int64) if part.lengths is None else part.lengths for part in parts)
    return np.concatenate([*full])


def _groups(parts: Sequence[_Set], kept: npt.NDArray[np.bool_]) -> npt.NDArray[Any] | None:
    groups = [part.groups for part in parts if part.groups is not None]
    return np.concatenate(keys_of_sets(groups, groups=True))[kept] if groups else None


def _place(parts: Sequence[_Set], row: int) -> str:
    for part in parts[:-1]:
        if row < len(part.values):
            return f"{part.name}[{row}]"
        row -= len(part.values)
    return f"{parts[-1].name}[{row}]"


def _read(
    path: Path, parts: Sequence[_Set], values: Floats, lengths: Ints | None, labels: Ints, classes: Sequence[str]
) -> str:
    samples = " and ".join(part.name for part in parts)
    return read_line(path.name, values, lengths, labels, classes, samples=samples, label=parts[0].label)


def _size(part: _Set) -> int:
    return len(part.values)


def _notes(path: Path, parts: Sequence[_Set], unread: Sequence[str]) -> list[str]:
    """Return notes on how the arrays were read, where the file allows more than one reading."""
    notes = []
    if any(part.ended for part in parts):
        notes.append(padding_note(path.name))
    if unread:
        notes.append(f"{path.name}: arrays not read: {', '.join(unread[:8])}")
    return notes
