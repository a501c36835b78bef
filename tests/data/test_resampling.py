import math
import sys
from dataclasses import replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import zoo
from zoo import Resampler
from zoo.data.files import from_file
from zoo.data.fingerprints import fingerprint
from zoo.data.protocols import separate
from zoo.data.resampling import batch_weights, resample
from zoo.data.rows import Rows
from zoo.errors import ResamplingError
from zoo.factories import complete
from zoo.harness.seeds import axis_seeds
from zoo.registry import Registry, Source
from zoo.store.predictions import read_predictions
from zoo.store.runs import Store

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


@pytest.mark.parametrize("name", ["oversampled", "undersampled", "smote"])
def test_same_seed_same_rows(registry: Registry, rows: Rows, name: str) -> None:
    one, again, other = (balanced(registry, name, rows, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.values, again.values)
    assert np.array_equal(one.labels, again.labels)
    assert not np.array_equal(one.values, other.values)


@pytest.mark.parametrize("name", ["oversampled", "undersampled"])
def test_rows_that_are_taken_keep_their_channels_label_and_length(registry: Registry, name: str) -> None:
    lengths = np.arange(90) % 7 + 80
    before = replace(MEETING(60, 20, 10, channels=2, times=90), lengths=lengths, groups=np.arange(90))
    given = before.values.copy()
    after = balanced(registry, name, before)
    found = {row.tobytes(): place for place, row in enumerate(before.values)}
    origin = [found[row.tobytes()] for row in after.values]
    np.testing.assert_array_equal(after.labels, before.labels[origin])
    np.testing.assert_array_equal(after.lengths, lengths[origin])
    assert after.values.dtype == np.float32
    assert after.groups is None
    assert set(after.index.tolist()) == {-1}
    np.testing.assert_array_equal(before.values, given)


def few(rows: Rows, count: int) -> Rows:
    keep = np.r_[np.flatnonzero(rows.labels != 2), np.flatnonzero(rows.labels == 2)[:count]]
    return replace(rows, values=rows.values[keep], labels=rows.labels[keep], index=rows.index[keep])


def test_a_class_too_small_for_its_neighbours_is_named_with_both_ways_out(registry: Registry, rows: Rows) -> None:
    message = (
        r"smote needs more than k_neighbors=5 training rows of each class, and class 'c' has 4: "
        r"use --set data.k_neighbors=3 or --data oversampled"
    )
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "smote", few(rows, 4))
    assert np.bincount(balanced(registry, "smote", few(rows, 4), k_neighbors=3).labels).min() > 50
    with pytest.raises(ResamplingError, match="class 'c' has 1"):
        balanced(registry, "smote", few(rows, 1))
    assert np.bincount(balanced(registry, "oversampled", few(rows, 1)).labels).min() > 50


@pytest.mark.parametrize(
    ("count", "ways_out"),
    [
        (5, r"class 'c' has 5: use --set data\.k_neighbors=4 or --data oversampled$"),
        (2, r"class 'c' has 2: use --set data\.k_neighbors=1 or --data oversampled$"),
        (1, r"class 'c' has 1 \(k_neighbors=5\): use more --rows or --data oversampled$"),
    ],
)
@pytest.mark.parametrize("cut", [True, False])
def test_a_class_needs_one_row_more_than_it_has_neighbours(
    registry: Registry, count: int, ways_out: str, cut: bool
) -> None:
    ways_out = ways_out if cut else ways_out.replace("more --rows or ", "")  # where all rows are in use
    with pytest.raises(ResamplingError, match=ways_out):
        balanced(registry, "smote", replace(MEETING(30, 20, count), cut=cut))
    if count > 1:
        assert counts(balanced(registry, "smote", MEETING(30, 20, count), k_neighbors=count - 1)) == [30, 30, 30]


def test_of_several_classes_that_are_too_small_the_smallest_is_named(registry: Registry) -> None:
    sizes = MEETING(30, 10, 4)
    with pytest.raises(ResamplingError, match=r"class 'c' has 4: use --set data\.k_neighbors=3 "):
        balanced(registry, "smote", sizes, k_neighbors=20)
    assert counts(balanced(registry, "smote", sizes, k_neighbors=3)) == [30, 30, 30]


def test_classes_that_gain_no_rows_need_no_neighbours(registry: Registry) -> None:
    assert counts(balanced(registry, "smote", MEETING(4, 4, 4))) == [4, 4, 4]


def cleaned(*, random_state: int) -> object:
    """Takes out rows that their three neighbours outvote; not from the smallest class."""
    from imblearn.under_sampling import EditedNearestNeighbours

    return EditedNearestNeighbours(n_neighbors=3)


def test_a_resampler_that_makes_no_rows_needs_no_neighbours_in_each_class() -> None:
    spec = Resampler(name="cleaner", factory=f"{__name__}:cleaned", summary="Cleans.", exact=False)
    before = MEETING(60, 20, 3)
    after = counts(resample(spec, {}, before, CLASSES, 0))
    assert after[2] == 3
    assert sum(after) < len(before)


@pytest.mark.parametrize("sizes", [(60, 20, 0), (60, 0, 20)])
@pytest.mark.parametrize("name", ["oversampled", "undersampled", "smote", "adasyn", "borderline-smote", "smote-tomek"])
def test_a_class_without_rows_gains_none_and_stops_nothing(
    registry: Registry, name: str, sizes: tuple[int, int, int]
) -> None:
    after = counts(balanced(registry, name, MEETING(*sizes)))
    present = [count for count, size in zip(after, sizes, strict=True) if size]
    assert after[sizes.index(0)] == 0
    assert max(present) / min(present) < 1.5


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
    with pytest.raises(ResamplingError, match=f"{name} interpolates between rows, which unequal lengths do not allow"):
        balanced(registry, name, replace(rows, lengths=np.where(np.arange(90) == 89, 99, 100)))


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
        rf"{name} needs more than {parameter}=5 training rows of each class, and class 'c' has 4: "
        rf"use --set data.{parameter}=3 or --data oversampled"
    )
    rows = MEETING(60, 20, 4)
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, name, rows)
    assert counts(balanced(registry, name, rows, **{parameter: 3}))[2] > 30
    with pytest.raises(ResamplingError, match="needs at least two training rows of each class, and class 'c' has 1"):
        balanced(registry, name, MEETING(60, 20, 1))


def test_neighbours_among_all_rows_are_checked_against_all_rows(registry: Registry) -> None:
    message = "borderline-smote needs more than m_neighbors=30 training rows, and there are 24: .*data.m_neighbors=23"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "borderline-smote", MEETING(12, 6, 6), m_neighbors=30)
    few = MEETING(60, 20, 4)
    after = balanced(registry, "borderline-smote", few, kind="borderline-2")  # its k_neighbors are of any class
    assert counts(after) == [60, 60, 60]
    message = r"more than k_neighbors=84 training rows, and there are 84: .*data\.k_neighbors=83"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "borderline-smote", few, kind="borderline-2", k_neighbors=84)
    after = balanced(registry, "borderline-smote", few, kind="borderline-2", k_neighbors=83)
    assert counts(after) == [60, 60, 60]


def test_borderline_smote_that_made_nothing_is_named(registry: Registry) -> None:
    """imbalanced-learn gives the rows back as they were, without a word."""
    message = "borderline-smote made none of the 40 requested rows of class 'b': none of its rows is on the border"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "borderline-smote", APART(60, 20, 10))


def test_borderline_smote_that_made_rows_of_some_classes_is_named(registry: Registry) -> None:
    rows = MEETING(60, 20, 10)
    far = np.where(rows.labels == 2, 1000, 0).astype(np.float32)[:, None, None]
    message = "borderline-smote made none of the 50 requested rows of class 'c'.*use --data smote"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "borderline-smote", replace(rows, values=rows.values + far))


def test_adasyn_on_classes_apart_names_the_class(registry: Registry) -> None:
    rows = MEETING(60, 20, 10)
    far = np.where(rows.labels == 2, 1000, 0).astype(np.float32)[:, None, None]
    message = "adasyn can make no row of class 'c': none of its rows has a neighbour of another class: use --data smote"
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "adasyn", replace(rows, values=rows.values + far))


def test_adasyn_with_too_little_to_make_names_the_class(registry: Registry) -> None:
    message = "adasyn can make no row of class 'b': so few rows are missing .* rounds to zero: use --data smote"
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
    with pytest.raises(ResamplingError, match=f"^{name}'s {parameter} must be at least 1, not 0$"):
        balanced(registry, name, MEETING(60, 20, 10), **{parameter: 0})


def test_smote_tomek_that_deletes_a_class_is_named(registry: Registry) -> None:
    """Twelve pairs of an `a` and a `b` next to each other are twelve links, and both rows of a link go."""
    places = np.repeat(np.arange(12) * 100.0, 2) + np.tile([0.0, 1.0], 12)
    values = np.concatenate([places, -1000 - np.arange(12) * 100.0])[:, None, None] * np.ones((1, 1, 20))
    labels = np.concatenate([np.tile([0, 1], 12), np.full(12, 2)])
    rows = Rows(values.astype(np.float32), labels, np.arange(36))
    with pytest.raises(ResamplingError, match="smote-tomek removed all rows of class 'a': use --data oversampled"):
        balanced(registry, "smote-tomek", rows)


def test_smote_tomek_that_takes_too_long_is_refused_before_it_begins(registry: Registry) -> None:
    few = MEETING(60, 20, 10)
    with pytest.raises(ResamplingError, match="for the 180 rows after smote this takes about 1 minute:"):
        balanced(registry, "smote-tomek", few, max_minutes=0.0)
    assert len(balanced(registry, "smote-tomek", few, max_minutes=1.0)) > 100
    minutes = 180 * 180 * 187 * 1e-10 / 60
    assert len(balanced(registry, "smote-tomek", few, max_minutes=minutes)) > 100
    with pytest.raises(ResamplingError, match="for the 180 rows"):
        balanced(registry, "smote-tomek", few, max_minutes=math.nextafter(minutes, 0))
    labels = np.repeat([0, 1, 2], [60_000, 6_000, 1_000])
    rows = Rows(np.zeros((67_000, 1, 187), dtype=np.float32), labels, np.arange(67_000))
    message = (
        "compares every row with every other row; for the 180,000 rows after smote this takes about 11 minutes: "
        "use fewer --rows, use --data smote, or allow the time with --set data.max_minutes=11"
    )
    with pytest.raises(ResamplingError, match=message):
        balanced(registry, "smote-tomek", rows)


def test_the_time_of_smote_tomek_counts_the_classes_that_have_rows(registry: Registry) -> None:
    with pytest.raises(ResamplingError, match="for the 120 rows after smote this takes about 1 minute:"):
        balanced(registry, "smote-tomek", MEETING(60, 0, 10), max_minutes=0.0)


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


def test_balanced_batches_draws_a_row_by_one_over_the_rows_of_its_class(registry: Registry) -> None:
    labels = np.array([0, 2, 0, 1, 0, 2, 0, 1])
    rows = Rows(np.zeros((8, 1, 2), np.float32), labels, np.arange(8))
    assert weights_of(registry, "balanced-batches", rows).tolist() == [0.5, 1, 0.5, 1, 0.5, 1, 0.5, 1]
    lone = replace(rows, labels=np.array([0, 2, 0, 1, 0, 2, 0, 0]))
    assert weights_of(registry, "balanced-batches", lone).tolist() == [0.2, 0.5, 0.2, 1, 0.2, 0.5, 0.2, 0.2]


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


def given(*, random_state: int, weights: Any) -> "Given":
    return Given(weights)


class Given:
    """The weights it was made with."""

    def __init__(self, weights: Any) -> None:
        self.weights = weights

    def row_weights(self, labels):
        return self.weights


@pytest.mark.parametrize("kind", [list, partial(np.array, dtype=np.int64), partial(np.array, dtype=np.float32)])
def test_some_rows_of_a_class_may_never_be_drawn(kind: Any) -> None:
    spec = Resampler(name="drawer", factory=f"{__name__}:given", summary="Draws.")
    weights = batch_weights(spec, {"weights": kind([0, 4, 1, 0, 2])}, np.array([0, 0, 2, 2, 2]), CLASSES, 0)
    assert weights.tolist() == [0, 1, 0.25, 0, 0.5]
    assert weights.dtype == np.float64


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
        ("short", r"drawer returned weights of shape \(89,\) for 90 rows"),
        ("negative", "drawer returned weights that are negative, NaN or infinite"),
        ("nan", "drawer returned weights that are negative, NaN or infinite"),
        ("infinite", "drawer returned weights that are negative, NaN or infinite"),
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
        if self.harm in ("nan", "inf"):
            values = values.copy()
            values[-1, -1] = float(self.harm)
            return values, labels
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
        ("deletes", "breaker removed all rows of class 'a'"),
        ("nan", "breaker made rows with NaN"),
        ("inf", "breaker made rows with NaN or infinite samples"),
        ("nothing", "breaker returned .* instead of .* rows of class 'b'"),
    ],
)
def test_what_a_resampler_did_is_checked(rows: Rows, harm: str, message: str) -> None:
    spec = Resampler(name="breaker", factory=f"{__name__}:broken", summary="Breaks.")
    with pytest.raises(ResamplingError, match=message):
        resample(spec, {"harm": harm}, rows, CLASSES, 0)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("deletes", "breaker removed all rows of class 'a'"),
        ("nan", "breaker made rows with NaN"),
        ("nothing", r"breaker changed no class \(rows: .* of class 'c', .* of the largest class\)"),
        ("less", r"breaker made the classes less balanced \(rows: 3 of class 'c', .* of the largest class\)"),
    ],
)
def test_what_an_inexact_resampler_did_is_checked(rows: Rows, harm: str, message: str) -> None:
    spec = Resampler(name="breaker", factory=f"{__name__}:broken", summary="Breaks.", exact=False)
    with pytest.raises(ResamplingError, match=message):
        resample(spec, {"harm": harm}, rows, CLASSES, 0)


class Taking:
    """Takes the first rows of each class, repeating them where there are too few, and sets the given attributes."""

    def __init__(self, take: tuple[int, ...], says: dict[str, Any]) -> None:
        self.take = take
        self.says = says

    def fit_resample(self, values, labels):
        taken = [np.resize(np.flatnonzero(labels == label), count) for label, count in enumerate(self.take)]
        index = np.concatenate(taken)
        for name, value in self.says.items():
            setattr(self, name, value)
        return values[index].astype(np.float64), labels[index].astype(np.int32)


def taking(*, random_state: int, take: tuple[int, ...], says: dict[str, Any]) -> Taking:
    return Taking(take, says)


def taken(before: Rows, take: tuple[int, ...], *, exact: bool, **says: Any) -> Rows:
    spec = Resampler(name="taker", factory=f"{__name__}:taking", summary="Takes.", exact=exact)
    return resample(spec, {"take": take, "says": says}, before, CLASSES, 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((40, 40, 40), (40, 40, 40)),
        ((40, 40, 40), (40, 40, 20)),
        ((40, 0, 40), (20, 0, 40)),
        ((60, 20, 10), (60, 20, 11)),
        ((60, 20, 10), (54, 20, 9)),
        ((60, 20, 10), (60, 60, 60)),
    ],
)
def test_an_inexact_resampler_may_leave_classes_two_to_one_or_as_far_apart_as_they_were(
    before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    assert counts(taken(MEETING(*before), after, exact=False)) == list(after)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ((40, 40, 40), (40, 40, 19), r"made the classes less balanced \(rows: 19 of class 'c', 40"),
        ((40, 40, 40), (40, 1, 40), r"made the classes less balanced \(rows: 1 of class 'b', 40"),
        ((40, 0, 40), (41, 0, 20), r"made the classes less balanced \(rows: 20 of class 'c', 41"),
        ((60, 20, 10), (61, 20, 10), r"made the classes less balanced \(rows: 10 of class 'c', 61"),
        ((60, 20, 10), (60, 20, 1), r"made the classes less balanced \(rows: 1 of class 'c', 60"),
        ((40, 40, 39), (40, 40, 39), r"changed no class \(rows: 39 of class 'c', 40"),
        ((40, 0, 20), (40, 0, 20), r"changed no class \(rows: 20 of class 'c', 40"),
        ((40, 1, 20), (40, 1, 20), r"changed no class \(rows: 1 of class 'b', 40"),
    ],
)
def test_an_inexact_resampler_that_brings_no_balance_is_refused(
    before: tuple[int, ...], after: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ResamplingError, match=rf"^taker {message} of the largest class\): use --data smote$"):
        taken(MEETING(*before), after, exact=False)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_class_that_is_gone_is_named(missing: int, exact: bool) -> None:
    after = tuple(0 if label == missing else 40 for label in range(3))
    name = CLASSES[missing]
    with pytest.raises(ResamplingError, match=f"^taker removed all rows of class '{name}': use --data oversampled$"):
        taken(MEETING(40, 40, 40), after, exact=exact, sampling_strategy_={missing: 0})


OVER, UNDER = "over-sampling", "under-sampling"


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ((60, 50, 10), {"_sampling_type": OVER, "sampling_strategy_": {1: 30}}),
        ((60, 60, 60), {"_sampling_type": OVER, "sampling_strategy_": {np.int64(1): 40, np.int64(2): 50}}),
        ((10, 12, 10), {"_sampling_type": UNDER, "sampling_strategy_": {0: 10, 1: 12}}),
        ((30, 20, 10), {"sampling_strategy_": {0: 30}}),
        ((60, 20, 10), {}),
        ((60, 20, 10), {"sampling_strategy_": "auto"}),
    ],
)
def test_an_exact_resampler_gives_each_class_what_it_was_asked_for(
    after: tuple[int, ...], says: dict[str, Any]
) -> None:
    before = MEETING(60, 20, 10, channels=2, times=20)
    found = taken(before, after, exact=True, **says)
    assert counts(found) == list(after)
    assert found.values.dtype == np.float32
    assert found.labels.dtype == np.int64
    firsts = np.flatnonzero(before.labels == 0)[:10]
    np.testing.assert_array_equal(found.values[:10], before.values[firsts])


@pytest.mark.parametrize(
    ("after", "says", "message"),
    [
        ((60, 49, 10), {"_sampling_type": OVER, "sampling_strategy_": {1: 30}}, "49 instead of 50 rows of class 'b'"),
        ((60, 51, 10), {"_sampling_type": OVER, "sampling_strategy_": {1: 30}}, "51 instead of 50 rows of class 'b'"),
        ((60, 50, 9), {"_sampling_type": OVER, "sampling_strategy_": {1: 30}}, "9 instead of 10 rows of class 'c'"),
        (
            (11, 10, 10),
            {"_sampling_type": UNDER, "sampling_strategy_": {0: 10, 1: 10}},
            "11 instead of 10 rows of class 'a'",
        ),
        ((60, 20, 1), {"_sampling_type": UNDER, "sampling_strategy_": {0: 60}}, "1 instead of 10 rows of class 'c'"),
        ((60, 20, 11), {}, "11 instead of 10 rows of class 'c'"),
        (
            (60, 49, 10),
            {"_sampling_type": OVER, "sampling_strategy_": {1: 30}, "in_danger_indices": {}},
            "49 instead of 50 rows of class 'b'",
        ),
    ],
)
def test_an_exact_resampler_that_gives_other_counts_is_refused(
    after: tuple[int, ...], says: dict[str, Any], message: str
) -> None:
    with pytest.raises(ResamplingError, match=f"^taker returned {message}$"):
        taken(MEETING(60, 20, 10), after, exact=True, **says)


def test_lengths_come_from_the_rows_a_resampler_says_it_took(rows: Rows) -> None:
    before = replace(MEETING(4, 4, 4), labels=np.repeat([0, 1, 2], 4), lengths=np.arange(12) + 100)
    index = np.array([0, 1, 4, 5, 8, 9])
    says: dict[str, Any] = {"sampling_strategy_": {0: 2, 1: 2, 2: 2}}
    after = taken(before, (2, 2, 2), exact=True, sample_indices_=index, **says)
    assert after.lengths.tolist() == [100, 101, 104, 105, 108, 109]
    message = "taker does not report which rows it took, which unequal lengths require"
    with pytest.raises(ResamplingError, match=message):
        taken(replace(before, lengths=np.where(np.arange(12) == 11, 99, 100)), (2, 2, 2), exact=True, **says)
    even = taken(replace(before, lengths=np.full(12, 100)), (2, 2, 2), exact=True, **says)
    assert even.lengths.tolist() == [100] * 6
    assert even.lengths.dtype == np.int64


SEEN: list[tuple[list[float], list[int]]] = []  # plain numbers: arrays in a module are forgotten after a run


class Watching:
    """Takes down what it is given, and gives as many rows of zeros back."""

    sampling_strategy_: ClassVar[dict[int, int]] = {}

    def __init__(self, *, random_state: int) -> None:
        SEEN.append(([], []))

    def fit_resample(self, values, labels):
        SEEN[-1] = (values.tolist(), labels.tolist())
        return np.zeros_like(values), labels


@zoo.hookimpl
def zoo_components() -> list[Resampler]:
    return [Resampler(name="watcher", factory=f"{__name__}:Watching", summary="Watches.")]


def test_a_resampler_gets_the_training_part_and_changes_no_other(registry: Registry, waves_csv: Path) -> None:
    SEEN.clear()
    both = Registry.load(
        [
            *(Source(point.name, point.value, point.load) for point in entry_points(group="zoo")),
            Source("watcher", __name__, lambda: sys.modules[__name__]),
        ]
    )
    asked = {"dataset": str(waves_csv), "target": "kind", "group": "patient", "protocol": "holdout", "epochs": 1}
    (run,) = zoo.bench(["cnngru"], **asked, data="watcher", results="results", registry=both, set={"hidden": 4})
    parts = separate(from_file(waves_csv, target="kind", group="patient"), "holdout", seed=axis_seeds(0)["split"])
    ((values, labels),) = [pair for pair in SEEN if pair[0]]
    np.testing.assert_array_equal(values, parts.train.values.reshape(len(parts.train), -1))
    np.testing.assert_array_equal(labels, parts.train.labels)
    assert run.parts["fingerprints"]["validation"] == fingerprint(parts.validation)
    with Store(Path("results")) as store:
        stored = read_predictions(store.read(run, "predictions.parquet"), run.parts["classes"])
    parts.test.training_ended()
    np.testing.assert_array_equal(stored.labels, parts.test.open().labels)
