"""The simulated heartbeats keep the real set's format, imbalance and difficulty."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from zoo import DataError
from zoo.data import LEFT_OUT, TEST, TRAIN, VALIDATION, LabelledSeries
from zoo_heartbeats import zoo_components
from zoo_heartbeats.dataset import COUNTS, heartbeats
from zoo_heartbeats.forms import HEIGHT, T_EARLY, T_LATE, WIDTH, P, R, published_form
from zoo_heartbeats.patients import population
from zoo_heartbeats.rhythm import draw_rhythm

N, S, V, F, Q = range(5)


@pytest.fixture(scope="module")
def series() -> LabelledSeries:
    return heartbeats()


@pytest.fixture(scope="module")
def larger() -> LabelledSeries:
    return heartbeats(rows=7_300)


def rows_of(series: LabelledSeries, part: int, split: str = "official") -> tuple[np.ndarray, np.ndarray]:
    mine = series.splits[split].parts == part
    return series.values[mine, 0], series.labels[mine]


def valid_samples(values: np.ndarray) -> np.ndarray:
    """Samples up to the last one that is not padding."""
    return values.shape[1] - (values[:, ::-1] != 0).argmax(axis=1)


def test_the_spec_says_that_it_is_synthetic_and_takes_rows() -> None:
    (spec,) = zoo_components()
    assert (spec.name, spec.generated, spec.synthetic, spec.from_files) == ("heartbeats", True, True, False)


def test_the_plugin_module_imports_nothing_heavy() -> None:
    code = "import sys, zoo_heartbeats; print({'numpy', 'torch'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_parts_have_the_sizes_and_the_imbalance_of_mitbih(series: LabelledSeries) -> None:
    counted = np.array([72_471, 2_223, 5_788, 641, 6_431])  # of N, S, V, F, Q in its training set
    shares = counted / counted.sum()
    for part, rows in ((TRAIN, 5_000), (VALIDATION, 5_000), (TEST, 20_000)):
        counts = np.bincount(rows_of(series, part)[1], minlength=5)
        assert counts.sum() == rows
        assert np.abs(counts - rows * shares).max() < 1


@pytest.mark.parametrize("rows", [50, 1_234])
def test_every_class_is_in_the_smallest_training_part_and_shares_hold_in_any(rows: int) -> None:
    counts = np.bincount(rows_of(heartbeats(rows=rows), TRAIN)[1], minlength=5)
    assert counts.sum() == rows
    assert counts.min() >= 1
    assert np.abs(counts - rows * np.array(COUNTS) / sum(COUNTS)).max() < 1.5


def test_rows_are_finite_scaled_by_their_own_extremes_and_never_constant(series: LabelledSeries) -> None:
    values = series.values[:, 0]
    assert values.dtype == np.float32
    assert series.values.shape == (30_000, 1, 187)
    assert np.isfinite(values).all()
    whole = values[valid_samples(values) < 187]  # a longer one may have its extremes where it was cut
    assert (whole.min(axis=1) == 0).all()
    assert (whole.max(axis=1) == 1).all()
    assert (values.min() >= 0) & (values.max() <= 1)
    assert (values.std(axis=1) > 0.01).all()


def test_a_row_starts_at_an_r_peak_and_shows_the_next(series: LabelledSeries) -> None:
    values, labels = rows_of(series, TRAIN)
    normal = values[labels == N]
    assert (normal[:, 0] > normal[:, 4]).mean() > 0.8
    lengths = valid_samples(normal)
    inside = np.arange(187) < lengths[:, None]
    middle = inside & (np.arange(187) > 0.5 * lengths[:, None])
    assert (np.where(middle, normal, 0).max(axis=1) > 0.8).mean() > 0.8


def test_rows_are_padded_as_often_as_the_real_ones(series: LabelledSeries) -> None:
    values, labels = rows_of(series, TEST)
    lengths = valid_samples(values)
    # The real set: median 106 samples of N, 5th to 95th percentile 73 to 163, and one row in a hundred cut.
    low, middle, high = np.percentile(lengths[labels == N], [5, 50, 95])
    assert 65 < low < 85
    assert 95 < middle < 120
    assert 140 < high < 175
    assert 0.0005 < (lengths[labels == N] == 187).mean() < 0.03


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_patients(series: LabelledSeries) -> None:
    again, other = heartbeats(), heartbeats(seed=1)
    assert series.values.tobytes() == again.values.tobytes()
    assert np.array_equal(series.labels, again.labels)
    assert np.array_equal(series.groups, again.groups)
    assert not np.array_equal(series.values, other.values)


def test_more_rows_change_no_row_that_was_there(series: LabelledSeries, larger: LabelledSeries) -> None:
    for part in (TRAIN, VALIDATION, TEST):
        small = series.splits["official"].parts == part
        large = np.flatnonzero(larger.splits["official"].parts == part)[: small.sum()]
        assert larger.values[large].tobytes() == series.values[small].tobytes()
        assert np.array_equal(larger.labels[large], series.labels[small])
        assert np.array_equal(larger.groups[large], series.groups[small])


def test_no_row_occurs_twice(series: LabelledSeries) -> None:
    assert len({row.tobytes() for row in series.values}) == len(series.values)


@pytest.mark.parametrize(("rows", "seed"), [(50, 0), (5_000, 1)])
def test_inter_patient_shares_no_patient_and_has_every_class_on_each_side(rows: int, seed: int) -> None:
    series = heartbeats(rows=rows, seed=seed)
    parts, groups = series.splits["inter-patient"].parts, series.groups
    assert groups is not None
    sides = {part: set(groups[parts == part]) for part in (TRAIN, VALIDATION, TEST)}
    assert not sides[TRAIN] & sides[VALIDATION]
    assert not sides[TRAIN] & sides[TEST]
    assert not sides[VALIDATION] & sides[TEST]
    for part in sides:
        assert np.bincount(series.labels[parts == part], minlength=5).min() >= 10


def test_inter_patient_scores_the_same_rows_whatever_is_trained_on(
    series: LabelledSeries, larger: LabelledSeries
) -> None:
    for part in (VALIDATION, TEST):
        small, large = (rows_of(data, part, "inter-patient")[0] for data in (series, larger))
        assert np.array_equal(small, large)
    assert len(rows_of(larger, TRAIN, "inter-patient")[0]) > len(rows_of(series, TRAIN, "inter-patient")[0])


def test_official_is_intra_patient_and_leaves_nothing_out(series: LabelledSeries) -> None:
    parts = series.splits["official"].parts
    assert series.groups is not None
    assert not (parts == LEFT_OUT).any()
    assert set(series.groups[parts == TEST]) == set(series.groups[parts == TRAIN])


def test_premature_beats_are_early_and_a_pause_follows_ventricular_ones() -> None:
    people = population(0)
    labels = np.repeat(np.arange(5), 2_000)
    regular = np.flatnonzero((people.fibrillation == 0) & ~people.paced)
    patient = np.random.default_rng(0).choice(regular, len(labels))
    rhythm = draw_rhythm(np.random.default_rng(1), people, labels, patient)
    before, after = (
        {c: np.median((r / people.interval[patient])[labels == c]) for c in range(5)}
        for r in (rhythm.before, rhythm.after)
    )
    assert before[S] < 0.9 * before[N]
    assert before[V] < 0.9 * before[N]
    assert after[V] > 1.1 * after[N]
    assert after[S] < after[V]


def test_ventricular_beats_are_wide_in_their_second_half(series: LabelledSeries) -> None:
    values, labels = rows_of(series, TRAIN)
    swing = np.abs(np.diff(values[:, :6], axis=1)).max(axis=1)  # a narrow R falls within 25 ms
    assert np.median(swing[labels == V]) < 0.6 * np.median(swing[labels == N])


def test_the_published_table_gives_the_waves_their_known_proportions() -> None:
    form = published_form()
    assert form[R, HEIGHT] == pytest.approx(1.0)
    assert form[R, WIDTH] == pytest.approx(0.1 / (2 * np.pi), rel=1e-4)
    assert form[P, HEIGHT] == pytest.approx(1.2 * 0.25**2 / (30 * 0.1**2), rel=1e-4)
    assert 0 < form[P, HEIGHT] < form[T_EARLY, HEIGHT] + form[T_LATE, HEIGHT] < 1


@pytest.mark.parametrize("rows", [0, 49, 1_000_001, -5])
def test_a_number_of_rows_it_cannot_make_is_refused_with_the_range(rows: int) -> None:
    with pytest.raises(DataError, match=rf"{rows}.* request 50 to 1,000,000"):
        heartbeats(rows=rows)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(DataError, match=r"0 or a positive.*-1"):
        heartbeats(seed=-1)


def test_its_notes_say_that_it_is_synthetic(series: LabelledSeries) -> None:
    assert any("synthetic" in note for note in series.notes)
    assert all(split.notes for split in series.splits.values())


def test_a_weighted_logistic_model_on_raw_samples_does_not_solve_it(series: LabelledSeries) -> None:
    values, labels = rows_of(series, TRAIN)
    scaler = StandardScaler().fit(values)
    model = LogisticRegression(class_weight="balanced", max_iter=2_000)
    with threadpool_limits(1):  # with more, the small matrices take longer wherever another process is at work
        model.fit(scaler.transform(values), labels)
    test_values, test_labels = rows_of(series, TEST)
    recall = recall_score(test_labels, model.predict(scaler.transform(test_values)), average="macro")
    assert 0.4 < recall <= 0.75
