"""Checks of every data set (the contract: `zoo.specs.Dataset`)."""

import contextlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.groups import says_shared, shared_by
from zoo.data.series import LabelledSeries
from zoo.errors import DataError
from zoo.factories import complete, load_factory
from zoo.registry import Entry, Registry
from zoo.specs import Dataset
from zoo.testing.check import expect

ROWS = 400


def loads(registry: Registry, entry: Entry[Dataset]) -> None:
    """It returns labelled series with rows of every class; for missing files it raises DataError of one line.

    A split by group has no group in the test set and in another set, unless a note of the split states it.
    """
    spec = entry.spec
    if spec.from_files:
        with tempfile.TemporaryDirectory() as empty:
            _refuses(entry, Path(empty))
        _refuses(entry, None)
        return
    series = _load(entry)
    expect(isinstance(series, LabelledSeries), f"its factory returns {type(series).__name__}, not LabelledSeries")
    counts = np.bincount(series.labels, minlength=len(series.classes))
    expect(bool((counts > 0).all()), f"classes have {counts.tolist()} rows")
    for name, split in series.splits.items():
        found = f"its split {name} has {len(split.parts)} rows, not {len(series.labels)}"
        expect(split.parts.shape == series.labels.shape, found)
        if series.groups is not None and (split.by_group or name.startswith("inter-patient")):
            shared = shared_by(split, series.groups)
            some = ", ".join(map(str, shared[:5].tolist()))
            found = f"its split {name} has {series.group_noun} {some} in the test set and outside it, without a note"
            expect(says_shared(split.notes, shared, series.group_noun), found)
    if spec.generated:
        more = len(_load(entry, rows=2 * ROWS).labels) - len(series.labels)
        expect(more == ROWS, f"with {ROWS} more training rows requested, it returns {more} more rows")


def repeats(registry: Registry, entry: Entry[Dataset]) -> None:
    """Two loads return identical data, bit by bit."""
    one, two = (_plain(_load(entry)) for _ in range(2))
    differ = [name for name in one if one[name] != two[name]]
    expect(not differ, f"after two loads, its {', '.join(differ)} differ")


CHECKS = (loads, repeats)
WHERE: Mapping[Callable[..., None], Callable[[Entry[Dataset]], bool]] = {
    repeats: lambda entry: not entry.spec.from_files,
}


def use(registry: Registry, entry: Entry[Dataset]) -> None:
    """Load it; a data set from files gets no folder."""
    if entry.spec.from_files:
        with contextlib.suppress(DataError):
            _load(entry, data_dir=None)
    else:
        _load(entry)


def _load(entry: Entry[Dataset], **more: Any) -> LabelledSeries:
    spec = entry.spec
    harness: dict[str, object] = {"rows": ROWS} if spec.generated else {}
    series: LabelledSeries = load_factory(spec.factory)(**{**harness, **more, **complete(spec, {})})
    return series


def _plain(series: LabelledSeries) -> dict[str, object]:
    """Return its fields in a form that can be compared."""
    splits = {name: {**vars(split), "parts": split.parts.tobytes()} for name, split in series.splits.items()}
    held = {**vars(series), "splits": splits}
    return {name: _bits(value) if isinstance(value, np.ndarray) else value for name, value in held.items()}


def _bits(array: npt.NDArray[Any]) -> Any:
    return (array.dtype, array.shape, array.tolist() if array.dtype == object else array.tobytes())


def _refuses(entry: Entry[Dataset], folder: Path | None) -> None:
    try:
        _load(entry, data_dir=folder)
    except DataError as error:
        expect("\n" not in str(error), "its error for missing files is longer than one line")
    else:
        expect(False, f"without its files it raises no DataError (data_dir={folder})")
