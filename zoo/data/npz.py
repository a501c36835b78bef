"""NumPy `.npz` archives as data sets.

    X        numbers (rows, times) or (rows, channels, times); also called values, x or data. The ending `_ntc` states
             the layout (rows, times, channels), `_nct` the layout (rows, channels, times)
    y        (rows,) whole numbers or text; also called labels or target
    groups   (rows,), optional: the group of each row, such as the patient
    lengths  (rows,), optional: the number of valid samples of each row, from its start

Arrays whose names end in `_train`, `_test` and, optionally, `_val` are a published split: `X_train`, `X_ntc_train`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data.npzfile import NpzFile, opened
from zoo.data.reading import read_line
from zoo.data.series import TEST, TRAIN, VALIDATION, LabelledSeries
from zoo.data.sets import LAYOUTS, RowSet, joined, laid_out, place_in, row_set
from zoo.errors import DataError, UsageError
from zoo.wording import count_text

NPZ_SUFFIXES = (".npz",)

_SERIES = ("X", "values", "x", "data")
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
        sets = [_read_set(file, suffix, names, layout) for suffix in suffixes]
        unread = [name for name in file.names if name not in file.read]
    series = joined(
        str(path),
        sets,
        [_PARTS.get(suffix, TRAIN) for suffix in suffixes],
        short=path.name,
        constant=constant,
        group_noun=names.groups if names.groups_asked else "group",
        notes=[f"{path.name}: arrays not read: {', '.join(unread[:8])}"] if unread else (),
    )
    return replace(series, read=_read(path, sets, names, series))


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


def _read_set(file: NpzFile, end: str, names: _Names, layout: str | None) -> RowSet:
    stating = [f"{each}{end}" for each in _LAID_OUT if f"{each}{end}" in file.names]
    name = file.one_of([*(f"{each}{end}" for each in _SERIES), *stating], "series", "")
    layout = _layout(file, name, name.removesuffix(end)[-4:], layout)
    stored = file.array(name)
    array = laid_out(stored, file.what(name), layout)
    # A float64 too large for float32 becomes infinite; it is refused later with its place.
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, np.float32)
    rows, _, times = values.shape
    called = [f"{each}{end}" for each in names.labels]
    labels = called[0] if len(called) == 1 else file.one_of(called, "labels", "; name it with --target")
    asked = f"{names.groups}{end}"
    groups = file.cells(asked, rows) if names.groups_asked or asked in file.names else None
    declared = file.lengths(f"lengths{end}", rows, times) if f"lengths{end}" in file.names else None
    return row_set(
        str(file.path),
        values,
        name=name,
        label=labels,
        labels=file.cells(labels, rows),
        groups=groups,
        lengths=declared,
        columns=stored.ndim == 2,
        at=place_in(name, values, layout),
    )


def _layout(file: NpzFile, name: str, ending: str, asked: str | None) -> str | None:
    """Return the layout that the name of an array states, or the requested one. Raises UsageError if they differ."""
    stated = ending[1:] if ending in {f"_{layout}" for layout in LAYOUTS} else None
    if stated and asked and stated != asked:
        raise UsageError(f"{file.what(name)} is named as {stated}, but dataset.layout is {asked}: leave one out")
    return stated or asked


def _read(path: Path, sets: Sequence[RowSet], names: _Names, series: LabelledSeries) -> str:
    samples = " and ".join(each.name for each in sets)
    found = 0 if series.groups is None else len(np.unique(series.groups))
    groups = (f'groups "{names.groups}": {count_text(found, "value")}',) if found else ()
    return read_line(
        path.name,
        series.values,
        series.lengths,
        series.labels,
        series.classes,
        samples=samples,
        label=sets[0].label,
        details=groups,
    )
