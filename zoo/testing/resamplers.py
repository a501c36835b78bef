"""Checks of every resampler (the contract: `zoo.specs.Resampler`)."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.resampling import batch_weights, resample
from zoo.data.rows import Rows
from zoo.factories import complete, load_factory
from zoo.registry import Entry, Registry
from zoo.specs import Resampler
from zoo.testing.check import expect, required
from zoo.testing.watching import imported

Floats = npt.NDArray[np.float64]

CLASSES = ("a", "b", "c")
COUNTS = (120, 60, 24)
SPACING = 0.7  # between classes, in standard deviations; they overlap, because some resamplers need that


def balances(registry: Registry, entry: Entry[Resampler]) -> None:
    """It keeps every class, the shape and the dtype, and the classes are not less balanced than before."""
    rows = _rows()
    after = _resampled(entry, rows)
    expect(after.values.shape[1:] == rows.values.shape[1:], f"the shape of a row becomes {after.values.shape[1:]}")
    counts = np.bincount(after.labels, minlength=len(CLASSES))
    expect(len(counts) == len(CLASSES), f"{len(CLASSES)} classes become {len(counts)}")
    expect(bool((counts > 0).all()), f"classes have {counts.tolist()} rows")
    found = f"classes of {list(COUNTS)} rows become less balanced: {counts.tolist()}"
    expect(counts.max() / counts.min() <= COUNTS[0] / COUNTS[-1], found)
    if hasattr(sampler := _sampler(entry), "fit_resample"):
        values, labels = sampler.fit_resample(np.asarray(rows.values).reshape(len(rows), -1), rows.labels)
        expect(values.dtype == np.float32, f"values become {values.dtype}")
        expect(labels.dtype == np.int64, f"labels become {labels.dtype}")


def keeps_classes(registry: Registry, entry: Entry[Resampler]) -> None:
    """Rows keep their class: the mean of each class stays closer to its old value than to another class."""
    rows = _rows()
    after = _resampled(entry, rows)
    for label, name in enumerate(CLASSES):
        was, now = (each.values[each.labels == label].mean(0) for each in (rows, after))
        far = float(abs(was.mean() - now.mean()))
        expect(far < SPACING / 2, f"the mean of class {name} moves by {far:.2f}, but classes are only {SPACING} apart")


def seed(registry: Registry, entry: Entry[Resampler]) -> None:
    """The same seed produces the same rows, and the same weights if it draws batches."""
    one, two = _resampled(entry, _rows()), _resampled(entry, _rows())
    same = np.array_equal(one.values, two.values) and np.array_equal(one.labels, two.labels)
    expect(same, "the same seed produces different rows")
    if (weights := _weights(entry)) is not None:
        again = required(_weights(entry), "it returns weights only the first time")
        expect(np.array_equal(weights, again), "the same seed produces different weights")


def leaves_its_input(registry: Registry, entry: Entry[Resampler]) -> None:
    """It does not change its input rows and labels."""
    rows = _rows()
    values, labels = np.array(rows.values), rows.labels.copy()
    _resampled(entry, rows)
    _weights(entry, rows)
    same = np.array_equal(values, rows.values) and np.array_equal(labels, rows.labels)
    expect(same, "it changes its input rows or labels")


def lengths(registry: Registry, entry: Entry[Resampler]) -> None:
    """If it does not interpolate, it accepts unequal lengths, and each row keeps its length."""
    rows = _rows()
    declared = 2 + np.arange(len(rows.labels)) % 5
    after = _resampled(entry, replace(rows, lengths=declared))
    kept = required(after.lengths, "it drops the lengths of rows")
    own = dict(zip((row.tobytes() for row in np.asarray(rows.values)), declared, strict=True))
    pairs = zip(np.asarray(after.values), kept, strict=True)
    expect(all(own.get(row.tobytes(), length) == length for row, length in pairs), "rows get the lengths of other rows")


def row_weights(registry: Registry, entry: Entry[Resampler]) -> None:
    """If it draws batches, every class can be drawn."""
    weights, labels = required(_weights(entry), "it returns no weights"), _rows().labels
    for label, name in enumerate(CLASSES):
        expect(bool(weights[labels == label].any()), f"no row of class {name} can be drawn")


CHECKS = (balances, keeps_classes, seed, leaves_its_input, lengths, row_weights)
WHERE: Mapping[Callable[..., None], Callable[[Entry[Resampler]], bool]] = {
    lengths: lambda entry: not entry.spec.interpolates,
    row_weights: lambda entry: _draws_batches(entry),
}


def use(registry: Registry, entry: Entry[Resampler]) -> None:
    """Resample once, and compute the weights of rows."""
    _resampled(entry, _rows())
    _weights(entry)


def _rows() -> Rows:
    """Return rows of two channels in three overlapping, imbalanced classes."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), COUNTS).astype(np.int64)
    values = (labels[:, None, None] * SPACING + rng.normal(size=(len(labels), 2, 6))).astype(np.float32)
    return Rows(values, labels, np.arange(len(labels)), None, None)


def _resampled(entry: Entry[Resampler], rows: Rows) -> Rows:
    return resample(entry.spec, complete(entry.spec, {}), rows, CLASSES, 7)


def _weights(entry: Entry[Resampler], rows: Rows | None = None) -> Floats | None:
    spec, labels = entry.spec, (rows or _rows()).labels
    return batch_weights(spec, complete(spec, {}), labels, CLASSES, 7)


def _sampler(entry: Entry[Resampler]) -> Any:
    return load_factory(entry.spec.factory)(random_state=7, **complete(entry.spec, {}))


def _draws_batches(entry: Entry[Resampler]) -> bool:
    """Whether it draws batches; true if it cannot be built, so that a check reports the reason."""
    with contextlib.suppress(Exception, SystemExit):
        imported(entry.spec.factory)
        return hasattr(_sampler(entry), "row_weights")
    return True
