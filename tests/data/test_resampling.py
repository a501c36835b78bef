from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from zoo import Resampler
from zoo.data.protocols import separate
from zoo.data.resampling import resample
from zoo.data.sealed import Rows
from zoo.errors import ResamplingError
from zoo.factories import complete
from zoo.registry import Registry

CLASSES = ("a", "b", "c")


@pytest.fixture
def rows(series) -> Rows:
    return separate(series, "holdout", seed=0).train


def balanced(registry: Registry, name: str, rows: Rows, seed: int = 0, **params) -> Rows:
    spec = registry.get("resampler", name).spec
    return resample(spec, complete(spec, params), rows, CLASSES, seed)


def test_original_leaves_the_rows_alone(registry: Registry, rows: Rows) -> None:
    assert balanced(registry, "original", rows) is rows


@pytest.mark.parametrize("name", ["smote", "oversampled"])
def test_oversampling_lifts_every_class_to_the_largest(registry: Registry, rows: Rows, name: str) -> None:
    after = balanced(registry, name, rows)
    assert np.bincount(after.labels).tolist() == [np.bincount(rows.labels).max()] * 3
    assert after.values.dtype == np.float32
    assert after.values.shape[1:] == rows.values.shape[1:]


def test_undersampling_lowers_every_class_to_the_smallest(registry: Registry, rows: Rows) -> None:
    after = balanced(registry, "undersampled", rows)
    assert np.bincount(after.labels).tolist() == [np.bincount(rows.labels).min()] * 3


def test_oversampling_repeats_rows_and_smote_makes_rows_between(registry: Registry, rows: Rows) -> None:
    known = {row.tobytes() for row in rows.values}
    assert {row.tobytes() for row in balanced(registry, "oversampled", rows).values} == known
    made = [row for row in balanced(registry, "smote", rows).values if row.tobytes() not in known]
    assert len(made) > 50


def test_channels_are_flattened_and_restored(registry: Registry, rows: Rows) -> None:
    two = replace(rows, values=np.concatenate([rows.values, -rows.values], axis=1))
    after = balanced(registry, "smote", two)
    np.testing.assert_allclose(after.values[:, 0], -after.values[:, 1], atol=1e-5)


def test_same_seed_same_rows(registry: Registry, rows: Rows) -> None:
    one, again, other = (balanced(registry, "smote", rows, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.values, again.values)
    assert not np.array_equal(one.values, other.values)


def few(rows: Rows, count: int) -> Rows:
    keep = np.r_[np.flatnonzero(rows.labels != 2), np.flatnonzero(rows.labels == 2)[:count]]
    return replace(rows, values=rows.values[keep], labels=rows.labels[keep], index=rows.index[keep])


def test_a_class_too_small_for_its_neighbours_is_named_with_both_ways_out(registry: Registry, rows: Rows) -> None:
    message = (
        r"smote needs more than k_neighbors=5 rows of each class to train on, and class 'c' has 4: "
        r"use --set data.k_neighbors=3 or --data oversampled"
    )
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "smote", few(rows, 4))
    assert np.bincount(balanced(registry, "smote", few(rows, 4), k_neighbors=3).labels).min() > 50
    with pytest.raises(ResamplingError, match="class 'c' has 1"):
        balanced(registry, "smote", few(rows, 1))
    assert np.bincount(balanced(registry, "oversampled", few(rows, 1)).labels).min() > 50


def test_unequal_lengths_stop_smote_and_travel_with_oversampling(registry: Registry, rows: Rows) -> None:
    lengths = (np.arange(len(rows)) % 7 + 20).astype(np.int64)
    uneven = replace(rows, lengths=lengths)
    with pytest.raises(ResamplingError, match="unequal lengths do not allow: use oversampled or undersampled"):
        balanced(registry, "smote", uneven)
    after = balanced(registry, "oversampled", uneven)
    length_of = {row.tobytes(): length for row, length in zip(rows.values, lengths, strict=True)}
    assert [length_of[row.tobytes()] for row in after.values] == after.lengths.tolist()


class Broken:
    """A resampler that does what it was not asked to."""

    sampling_strategy_: ClassVar[dict[int, int]] = {1: 10}
    _sampling_type = "over-sampling"

    def __init__(self, harm: str) -> None:
        self.harm = harm

    def fit_resample(self, values, labels):
        if self.harm == "raises":
            raise ValueError("cannot")
        if self.harm == "deletes":
            return values[labels != 0], labels[labels != 0]
        if self.harm == "nan":
            return np.full_like(values, np.nan), labels
        return values, labels


def broken(*, random_state: int, harm: str) -> Broken:
    return Broken(harm)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("raises", "breaker failed: ValueError: cannot"),
        ("deletes", "breaker left no row of class 'a'"),
        ("nan", "breaker made rows with NaN"),
        ("nothing", "breaker was to give class 'b' .* rows and gave"),
    ],
)
def test_what_a_resampler_did_is_checked(rows: Rows, harm: str, message: str) -> None:
    spec = Resampler(name="breaker", factory=f"{__name__}:broken", summary="Breaks.")
    with pytest.raises(ResamplingError, match=message):
        resample(spec, {"harm": harm}, rows, CLASSES, 0)
