from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from zoo import Resampler
from zoo.data.protocols import separate
from zoo.data.resampling import batch_weights, resample
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


def clouds(*counts: int, distance: float, channels: int = 1, times: int = 187) -> Rows:
    """Classes of the given sizes around points `distance` apart, in units of their spread, and in mixed order.

    The spread is along two directions only: in many more, every row is about as far from all others.
    """
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    plane = rng.normal(size=(2, channels * times))
    places = rng.normal(size=(len(labels), 2)) + distance * np.eye(3, 2)[labels]
    values = (places @ plane).astype(np.float32).reshape(-1, channels, times)
    return Rows(values, labels.astype(np.int64), np.arange(len(labels)))


def counts(rows: Rows) -> list[int]:
    return np.bincount(rows.labels, minlength=3).tolist()


MEETING = partial(clouds, distance=1.5)
APART = partial(clouds, distance=100.0)


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


INTERPOLATING = ["smote", "adasyn", "borderline-smote", "smote-tomek"]


@pytest.mark.parametrize("name", INTERPOLATING)
def test_rows_made_between_rows_bring_balance_and_keep_their_form(registry: Registry, name: str) -> None:
    before = MEETING(200, 40, 12, channels=2, times=90)
    after = balanced(registry, name, before)
    assert min(counts(after)) > 150
    assert after.values.dtype == np.float32
    assert after.values.shape == (len(after), 2, 90)
    assert len(after.index) == len(after.labels)
    again, other = (balanced(registry, name, before, seed) for seed in (0, 1))
    assert np.array_equal(after.values, again.values)
    assert not np.array_equal(after.values[: len(other)], other.values[: len(after)])


@pytest.mark.parametrize("name", INTERPOLATING)
def test_rows_made_between_rows_lie_between_rows_of_their_class(registry: Registry, name: str) -> None:
    before = MEETING(120, 30, 15)
    after = balanced(registry, name, before)
    known = {row.tobytes() for row in before.values}
    for row, label in zip(after.values, after.labels, strict=True):
        if row.tobytes() not in known:
            of_class = before.values[before.labels == label]
            assert (row <= of_class.max(axis=0) + 1e-4).all()
            assert (row >= of_class.min(axis=0) - 1e-4).all()


@pytest.mark.parametrize("name", INTERPOLATING)
def test_equal_classes_stay_as_they_are(registry: Registry, name: str) -> None:
    after = balanced(registry, name, APART(20, 20, 20))
    assert counts(after) == [20, 20, 20]


@pytest.mark.parametrize("name", INTERPOLATING)
def test_unequal_lengths_stop_what_makes_rows_between_rows(registry: Registry, name: str) -> None:
    rows = MEETING(60, 20, 10)
    even = replace(rows, lengths=np.full(90, 100))
    after = balanced(registry, name, even)
    assert after.lengths.tolist() == [100] * len(after)
    with pytest.raises(ResamplingError, match=f"{name} makes rows between rows, which unequal lengths do not allow"):
        balanced(registry, name, replace(rows, lengths=np.arange(90) + 98))


def test_adasyn_comes_near_the_largest_class_and_no_nearer(registry: Registry) -> None:
    after = counts(balanced(registry, "adasyn", MEETING(200, 40, 12)))
    assert after[0] == 200
    assert after[1:] != [200, 200]
    assert after[1:] == pytest.approx([200, 200], abs=20)


def test_smote_tomek_leaves_no_link(registry: Registry) -> None:
    from imblearn.under_sampling import TomekLinks

    before = MEETING(120, 30, 15)
    lifted, after = balanced(registry, "smote", before), balanced(registry, "smote-tomek", before)
    links = TomekLinks(sampling_strategy="all").fit(lifted.values[:, 0], lifted.labels)
    kept = links.fit_resample(lifted.values[:, 0], lifted.labels)[0]
    assert len(kept) < len(lifted)
    assert np.array_equal(after.values[:, 0], kept)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("adasyn", "n_neighbors"), ("borderline-smote", "k_neighbors"), ("smote-tomek", "k_neighbors")],
)
def test_each_kind_of_neighbours_is_checked_by_class(registry: Registry, name: str, parameter: str) -> None:
    message = (
        rf"{name} needs more than {parameter}=5 rows of each class to train on, and class 'c' has 4: "
        rf"use --set data.{parameter}=3 or --data oversampled"
    )
    rows = MEETING(60, 20, 4)
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, name, rows)
    assert counts(balanced(registry, name, rows, **{parameter: 3}))[2] > 30
    with pytest.raises(ResamplingError, match="needs two rows or more of each class to train on, and class 'c' has 1"):
        balanced(registry, name, MEETING(60, 20, 1))


def test_neighbours_among_all_rows_are_checked_against_all_rows(registry: Registry) -> None:
    message = (
        "borderline-smote needs more than m_neighbors=30 rows to train on, and there are 24: .*data.m_neighbors=23"
    )
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "borderline-smote", MEETING(12, 6, 6), m_neighbors=30)
    few = MEETING(60, 20, 4)
    after = balanced(registry, "borderline-smote", few, kind="borderline-2")  # its k_neighbors are of any class
    assert counts(after) == [60, 60, 60]
    with pytest.raises(ResamplingError, match="more than k_neighbors=84 rows to train on, and there are 84"):
        balanced(registry, "borderline-smote", few, kind="borderline-2", k_neighbors=84)


def test_borderline_smote_that_made_nothing_is_named(registry: Registry) -> None:
    """imbalanced-learn gives the rows back as they were, without a word."""
    message = "borderline-smote made none of the 40 rows it was to make of class 'b': no row of it is on the border"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "borderline-smote", APART(60, 20, 10))


def test_borderline_smote_that_made_rows_of_some_classes_is_named(registry: Registry) -> None:
    rows = MEETING(60, 20, 10)
    far = np.where(rows.labels == 2, 1000, 0).astype(np.float32)[:, None, None]
    message = "borderline-smote made none of the 50 rows it was to make of class 'c'.*use --data smote"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "borderline-smote", replace(rows, values=rows.values + far))


def test_adasyn_on_classes_apart_names_the_class(registry: Registry) -> None:
    rows = MEETING(60, 20, 10)
    far = np.where(rows.labels == 2, 1000, 0).astype(np.float32)[:, None, None]
    message = "adasyn can make no row of class 'c': no row of it has a neighbour of another class: use --data smote"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "adasyn", replace(rows, values=rows.values + far))


def test_adasyn_with_too_little_to_make_names_the_class(registry: Registry) -> None:
    message = "adasyn can make no row of class 'b': the few it lacks, .* round to none: use --data smote"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "adasyn", clouds(60, 57, 20, distance=0.0))


@pytest.mark.parametrize("sizes", [(40, 40, 40), (41, 40, 39)])
def test_smote_tomek_may_take_links_from_classes_that_were_equal(registry: Registry, sizes: tuple[int, ...]) -> None:
    after = counts(balanced(registry, "smote-tomek", MEETING(*sizes)))
    assert max(after) / min(after) > max(sizes) / min(sizes)
    assert min(after) > 20


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("smote", "k_neighbors"),
        ("adasyn", "n_neighbors"),
        ("borderline-smote", "m_neighbors"),
        ("smote-tomek", "k_neighbors"),
    ],
)
def test_neighbours_are_at_least_one(registry: Registry, name: str, parameter: str) -> None:
    with pytest.raises(ResamplingError, match=f"^{name}'s {parameter} is at least 1, not 0$"):
        balanced(registry, name, MEETING(60, 20, 10), **{parameter: 0})


def test_smote_tomek_that_deletes_a_class_is_named(registry: Registry) -> None:
    """Twelve pairs of an `a` and a `b` next to each other are twelve links, and both rows of a link go."""
    places = np.repeat(np.arange(12) * 100.0, 2) + np.tile([0.0, 1.0], 12)
    values = np.concatenate([places, -1000 - np.arange(12) * 100.0])[:, None, None] * np.ones((1, 1, 20))
    labels = np.concatenate([np.tile([0, 1], 12), np.full(12, 2)])
    rows = Rows(values.astype(np.float32), labels, np.arange(36))
    with pytest.raises(
        ResamplingError, match="smote-tomek left no row of class 'a' to train on: use --data oversampled"
    ):
        balanced(registry, "smote-tomek", rows)


def test_smote_tomek_that_takes_too_long_is_refused_before_it_begins(registry: Registry) -> None:
    labels = np.repeat([0, 1, 2], [60_000, 6_000, 1_000])
    rows = Rows(np.zeros((67_000, 1, 187), dtype=np.float32), labels, np.arange(67_000))
    message = (
        "compares every row with every other, which for the 180,000 rows after smote takes about 11 minutes: "
        "use fewer --rows, --data smote, or wait with --set data.max_minutes=11"
    )
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "smote-tomek", rows)
    few = MEETING(60, 20, 10)
    with pytest.raises(ResamplingError, match="for the 180 rows after smote takes about 1 minute:"):
        balanced(registry, "smote-tomek", few, max_minutes=0.0)
    assert len(balanced(registry, "smote-tomek", few, max_minutes=1.0)) > 100


def weights_of(registry: Registry, name: str, rows: Rows) -> np.ndarray | None:
    spec = registry.get("resampler", name).spec
    return batch_weights(spec, complete(spec, {}), rows.labels, CLASSES, 0)


def test_balanced_batches_leaves_the_rows_and_weighs_classes_alike(registry: Registry) -> None:
    rows = MEETING(60, 20, 4)
    uneven = replace(rows, lengths=np.arange(84) + 50)
    assert balanced(registry, "balanced-batches", uneven) is uneven
    weights = weights_of(registry, "balanced-batches", uneven)
    assert weights.dtype == np.float64
    shares = np.bincount(rows.labels, weights=weights) / weights.sum()
    np.testing.assert_allclose(shares, [1 / 3, 1 / 3, 1 / 3])
    for label in range(3):
        assert len(np.unique(weights[rows.labels == label])) == 1


def test_balanced_batches_draws_what_is_there(registry: Registry) -> None:
    weights = weights_of(registry, "balanced-batches", few(MEETING(30, 20, 10), 0))
    assert weights.sum() == pytest.approx(2 * 20)


@pytest.mark.parametrize("name", ["original", "oversampled", "undersampled", *INTERPOLATING])
def test_the_others_draw_no_batches(registry: Registry, name: str) -> None:
    assert weights_of(registry, name, MEETING(60, 20, 10)) is None


def far_apart(*, random_state: int, weight: float) -> "FarApart":
    return FarApart(weight)


class FarApart:
    """Weights as far from 1 as float64 has them."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def row_weights(self, labels):
        return np.where(labels == 0, self.weight, self.weight / 2)


@pytest.mark.parametrize("weight", [1e308, 1e-320])
def test_weights_of_any_scale_are_brought_to_one(weight: float) -> None:
    spec = Resampler(name="drawer", factory=f"{__name__}:far_apart", summary="Draws.")
    labels = MEETING(60, 20, 10).labels
    weights = batch_weights(spec, {"weight": weight}, labels, CLASSES, 0)
    np.testing.assert_allclose(weights, np.where(labels == 0, 1.0, 0.5), rtol=1e-3)


class Drawing:
    """Weights of every wrong kind."""

    def __init__(self, harm: str) -> None:
        self.harm = harm

    def row_weights(self, labels):
        weights = np.ones(len(labels))
        if self.harm == "raises":
            raise ValueError("cannot")
        if self.harm == "short":
            return weights[:-1]
        if self.harm == "class":
            return np.where(labels == 1, 0.0, 1.0)
        weights[0] = {"negative": -1.0, "nan": np.nan, "infinite": np.inf}[self.harm]
        return weights


def drawing(*, random_state: int, harm: str) -> Drawing:
    return Drawing(harm)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("raises", "drawer failed: ValueError: cannot"),
        ("short", r"drawer gave weights of shape \(89,\) for 90 rows"),
        ("negative", "drawer gave rows weights that are negative, NaN or infinite"),
        ("nan", "drawer gave rows weights that are negative, NaN or infinite"),
        ("infinite", "drawer gave rows weights that are negative, NaN or infinite"),
        ("class", "drawer would never draw a row of class 'b'"),
    ],
)
def test_weights_are_checked(harm: str, message: str) -> None:
    spec = Resampler(name="drawer", factory=f"{__name__}:drawing", summary="Draws.")
    with pytest.raises(ResamplingError, match=message):
        batch_weights(spec, {"harm": harm}, MEETING(60, 20, 10).labels, CLASSES, 0)


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
        if self.harm == "less":
            keep = np.flatnonzero((labels != 2) | (np.cumsum(labels == 2) <= 3))
            return values[keep], labels[keep]
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


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("deletes", "breaker left no row of class 'a'"),
        ("nan", "breaker made rows with NaN"),
        ("nothing", "breaker left the rows as they were, with .* of class 'c' where the largest has"),
        ("less", "breaker made the classes less equal, with 3 rows of class 'c' where the largest has"),
    ],
)
def test_what_an_inexact_resampler_did_is_checked(rows: Rows, harm: str, message: str) -> None:
    spec = Resampler(name="breaker", factory=f"{__name__}:broken", summary="Breaks.", exact=False)
    with pytest.raises(ResamplingError, match=message):
        resample(spec, {"harm": harm}, rows, CLASSES, 0)
