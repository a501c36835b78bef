"""What every resampler promises (the contract: `zoo.specs.Resampler`)."""

from typing import cast

import numpy as np

from zoo.data.resampling import batch_weights, resample
from zoo.data.sealed import Rows
from zoo.factories import complete
from zoo.registry import Entry, Registry
from zoo.specs import Resampler
from zoo.testing.check import expect

CLASSES = ("a", "b", "c")
COUNTS = (120, 60, 24)


def balances(registry: Registry, entry: Entry) -> None:
    """Every class stays, in the same shape and type, all finite, and no further from balance than before."""
    rows = _rows()
    after = _resampled(entry, rows)
    expect(after.values.shape[1:] == rows.values.shape[1:], f"rows become {after.values.shape[1:]}")
    expect(after.values.dtype == np.float32, f"values become {after.values.dtype}")
    expect(after.labels.dtype == np.int64, f"labels become {after.labels.dtype}")
    counts = np.bincount(after.labels, minlength=len(CLASSES))
    expect(bool((counts > 0).all()), f"classes have {counts.tolist()} rows")
    expect(counts.max() / counts.min() <= COUNTS[0] / COUNTS[-1], f"{list(COUNTS)} rows become {counts.tolist()}")


def seed(registry: Registry, entry: Entry) -> None:
    """The same seed gives the same rows."""
    one, two = _resampled(entry, _rows()), _resampled(entry, _rows())
    same = np.array_equal(one.values, two.values) and np.array_equal(one.labels, two.labels)
    expect(same, "the same seed gives different rows")


def leaves_its_input(registry: Registry, entry: Entry) -> None:
    """The rows it was given are as they were."""
    rows = _rows()
    values, labels = rows.values.copy(), rows.labels.copy()
    _resampled(entry, rows)
    same = np.array_equal(values, rows.values) and np.array_equal(labels, rows.labels)
    expect(same, "it changes the rows it is given")


def row_weights(registry: Registry, entry: Entry) -> None:
    """Where it draws batches, every class can be drawn."""
    rows, params = _rows(), complete(entry.spec, {})
    batch_weights(cast(Resampler, entry.spec), params, rows.labels, CLASSES, 0)


CHECKS = (balances, seed, leaves_its_input, row_weights)


def use(registry: Registry, entry: Entry) -> None:
    """Resample once."""
    _resampled(entry, _rows())


def _rows() -> Rows:
    """Three overlapping classes of two channels, imbalanced."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), COUNTS).astype(np.int64)
    values = (labels[:, None, None] * 0.7 + rng.normal(size=(len(labels), 2, 6))).astype(np.float32)
    return Rows(values, labels, np.arange(len(labels)), None, None)


def _resampled(entry: Entry, rows: Rows) -> Rows:
    return resample(cast(Resampler, entry.spec), complete(entry.spec, {}), rows, CLASSES, 7)
