"""What every data set promises (the contract: `zoo.specs.Dataset`)."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np

from zoo.data.series import LabelledSeries
from zoo.errors import DataError
from zoo.factories import complete, load_factory
from zoo.registry import Entry, Registry
from zoo.specs import Dataset
from zoo.testing.check import expect

ROWS = 400


def loads(registry: Registry, entry: Entry) -> None:
    """A generated one gives labelled series, all classes of them; one from files says in one line what it lacks."""
    spec = cast(Dataset, entry.spec)
    if spec.from_files:
        with tempfile.TemporaryDirectory() as empty:
            _refuses(entry, Path(empty))
        _refuses(entry, None)
        return
    series = _load(entry)
    expect(isinstance(series, LabelledSeries), f"its factory gives {type(series).__name__}, not LabelledSeries")
    counts = np.bincount(series.labels, minlength=len(series.classes))
    expect(bool((counts > 0).all()), f"classes have {counts.tolist()} rows")


def repeats(registry: Registry, entry: Entry) -> None:
    """Loaded twice, it is the same to the bit."""
    if not cast(Dataset, entry.spec).from_files:
        one, two = _load(entry), _load(entry)
        same = np.array_equal(one.values, two.values) and np.array_equal(one.labels, two.labels)
        expect(same, "loaded twice, it differs")


CHECKS = (loads, repeats)


def use(registry: Registry, entry: Entry) -> None:
    """Load it; one from files finds none."""
    if cast(Dataset, entry.spec).from_files:
        with contextlib.suppress(DataError):
            _load(entry, data_dir=None)
    else:
        _load(entry)


def _load(entry: Entry, **more: Any) -> LabelledSeries:
    spec = cast(Dataset, entry.spec)
    harness: dict[str, Any] = {"rows": ROWS} if spec.generated else {}
    return cast(LabelledSeries, load_factory(spec.factory)(**harness, **more, **complete(spec, {})))


def _refuses(entry: Entry, folder: Path | None) -> None:
    try:
        _load(entry, data_dir=folder)
    except DataError as error:
        expect("\n" not in str(error), "what it says without its files is more than one line")
    else:
        expect(False, f"it finds its files in {folder}")
