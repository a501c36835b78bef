"""Scaling: statistics of valid samples, padding that stays zero, and when it is the default."""

import numpy as np
import pytest
from conftest import waves

from zoo.data import scaling
from zoo.data.protocols import separate
from zoo.data.rows import Rows
from zoo.data.scaling import Scaling, moments
from zoo.data.series import Floats, Ints, LabelledSeries
from zoo.errors import UnknownName
from zoo.specs import SCALES


def rows_of(values: Floats, lengths: Ints | None = None) -> Rows:
    count = np.arange(len(values))
    return Rows(values, count, count, None, lengths)


def uneven() -> Rows:
    """Series of 3 to 12 samples in two channels, one in counts, one in volts, padded with zeros."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 13, size=40)
    values = rng.normal(size=(40, 2, 12)) * [[200], [2e-5]] + [[1024], [0]]
    inside = np.arange(12) < lengths[:, None, None]
    return rows_of(np.where(inside, values, 0).astype(np.float32), lengths)


def valid(rows: Rows, values: Floats) -> list[Floats]:
    assert rows.lengths is not None
    return [row[:, :length] for row, length in zip(values, rows.lengths, strict=True)]


def test_standard_is_the_z_score_of_each_channel_over_valid_samples() -> None:
    rows = uneven()
    found = Scaling.learnt("standard", rows).applied(rows).values
    samples = np.concatenate(valid(rows, rows.values), axis=1).astype(np.float64)
    mean, std = samples.mean(axis=1, keepdims=True), samples.std(axis=1, keepdims=True)
    for scaled, raw in zip(valid(rows, found), valid(rows, rows.values), strict=True):
        np.testing.assert_allclose(scaled, (raw - mean) / std, rtol=1e-5, atol=1e-5)
    assert found.dtype == np.float32


@pytest.mark.parametrize("scale", SCALES)
def test_padding_stays_zero_and_the_rows_before_are_unchanged(scale: str) -> None:
    rows = uneven()
    before = rows.values.copy()
    scaled = Scaling.learnt(scale, rows).applied(rows)
    assert rows.lengths is not None
    padding = scaled.values[np.broadcast_to(np.arange(12) >= rows.lengths[:, None, None], scaled.values.shape)]
    assert not padding.view(np.uint32).any()
    assert (rows.values == before).all()
    assert (scaled is rows) == (scale == "none")


def test_each_series_and_channel_has_its_own_scale() -> None:
    rows = uneven()
    for row in valid(rows, Scaling("standard-per-series").applied(rows).values):
        np.testing.assert_allclose(row.mean(axis=1), 0, atol=1e-6)
        np.testing.assert_allclose(row.std(axis=1), 1, rtol=1e-5)
    for row in valid(rows, Scaling("minmax-per-series").applied(rows).values):
        assert (row.min(axis=1).tolist(), row.max(axis=1).tolist()) == ([0, 0], [1, 1])


@pytest.mark.parametrize("scale", SCALES[1:])
@pytest.mark.parametrize("level", [0.1, -1e6, 1e-30, 1e38])
def test_equal_samples_become_zero(scale: str, level: float) -> None:
    values = np.full((9, 2, 7), level, np.float32)
    values[:, 1] = np.arange(7)
    rows = rows_of(values)
    scaled = Scaling.learnt(scale, rows).applied(rows).values
    assert not scaled[:, 0].any()
    assert np.ptp(scaled[:, 1]) > 0


@pytest.mark.parametrize("unit", [2.0**-60, 2.0**-10, 2.0**100])
@pytest.mark.parametrize("scale", SCALES[1:])
def test_units_that_are_powers_of_two_change_no_bit(scale: str, unit: float) -> None:
    values = waves().values
    plain, other = (rows_of(each.astype(np.float32)) for each in (values, values * unit))
    one, two = (Scaling.learnt(scale, rows).applied(rows).values for rows in (plain, other))
    assert (one == two).all()


def test_rows_are_taken_in_slices_without_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = uneven()
    whole = moments(rows.values, rows.lengths)
    monkeypatch.setattr(scaling, "SLICE", 50)  # two rows
    sliced = moments(rows.values, rows.lengths)
    np.testing.assert_allclose(sliced.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(sliced.std, whole.std, rtol=1e-12)
    few = np.array([7, 3, 5])
    assert rows.lengths is not None
    chosen, alone = moments(rows.values, rows.lengths, few), moments(rows.values[few], rows.lengths[few])
    assert (chosen.mean.tolist(), chosen.std.tolist()) == (alone.mean.tolist(), alone.std.tolist())


def test_an_unknown_scale_is_one_line() -> None:
    with pytest.raises(UnknownName, match=r"no scale named 'standrad'\. Did you mean standard"):
        Scaling("standrad")


NEEDS = [
    (1.0, 0.0, False),
    (0.0, 0.0, False),  # all equal, at 0
    (1.0, 0.9, False),
    (1.0, 1.1, True),
    (1.0, -1.1, True),
    (0.11, 0.0, False),
    (0.09, 0.0, True),
    (9.9, 0.0, False),
    (10.1, 0.0, True),
    (200.0, 1024.0, True),
    (2e-5, 0.0, True),
    (1.0, 1e7, True),
]


@pytest.mark.parametrize(("std", "mean", "needs"), NEEDS)
def test_rows_in_other_units_are_scaled_by_default(std: float, mean: float, needs: bool) -> None:
    values = np.random.default_rng(0).normal(size=(50, 1, 40))
    values = (values - values.mean()) / values.std() * std + mean
    assert bool(moments(values.astype(np.float32), None).why_scaled()) == needs


def test_channels_of_one_size_are_pooled_and_those_of_different_units_are_seen() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 3, 40)).astype(np.float32)
    assert not moments(values * [[5], [7], [1.5]] + [[2], [-2], [0.5]], None).why_scaled()
    assert moments(values * [[1], [1], [2e-5]], None).why_scaled().startswith("the standard deviations of their chan")
    assert moments(values * [[1], [1], [900]], None).why_scaled().startswith("their mean is ")
    assert not moments(values * [[1], [1], [0]], None).why_scaled(), "a channel of zeros has no unit"


def test_series_that_are_z_scored_one_by_one_stay_as_they_are() -> None:
    """As in the UCR archive, where the units of a few long series were taken out one by one."""
    rng = np.random.default_rng(0)
    for count, times in ((20, 24), (24, 470), (300, 60)):
        raw = rng.normal(size=(count, 1, times)).cumsum(axis=2) * rng.uniform(1, 1000, size=(count, 1, 1))
        values = (raw - raw.mean(axis=2, keepdims=True)) / raw.std(axis=2, keepdims=True)
        assert moments(values.astype(np.float32), None).why_scaled() == ""


def test_the_pool_depends_on_neither_seed_nor_rows() -> None:
    series = waves()
    pools = [separate(series, "holdout", seed=seed, rows=rows).pool for seed, rows in ((0, None), (1, None), (2, 30))]
    assert all((pool == pools[0]).all() for pool in pools)
    assert len(pools[0]) == 192


def test_the_statistics_are_those_of_the_training_rows_alone() -> None:
    series = waves()
    shifted = series.values.copy()
    parts = separate(series, "holdout", seed=0, rows=60)
    shifted[np.setdiff1d(np.arange(len(shifted)), parts.train.index)] += 1e6
    moved = LabelledSeries(shifted, series.labels, series.classes, series.groups)
    there, here = separate(moved, "holdout", seed=0, rows=60).scaled("standard"), parts.scaled("standard")
    assert there.scaling.mean == here.scaling.mean
    assert there.scaling.std == here.scaling.std
    assert (there.train.values == here.train.values).all()
    assert (
        there.summary.fingerprints["train"] == here.summary.fingerprints["train"] == parts.summary.fingerprints["train"]
    )
