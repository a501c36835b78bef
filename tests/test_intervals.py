"""Limits against scipy, formulas of the papers, and enumerated coverage; reasons where a score has no interval."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, t

from zoo.metrics import score
from zoo.metrics.limits import Z, effective, exact, of_auroc, of_draws, of_mean, of_mean_share, of_units, wilson
from zoo.metrics.limits import satterthwaite as freedom_of
from zoo.metrics.outcome import Outcome, log_odds, scores_of_confusion
from zoo.metrics.rows import drawn_confusions
from zoo.metrics.seeds import of_expected, over_rows_of_mean
from zoo.records import Interval
from zoo.scores import CLASS_SCORES

NO_LIMITS = {"low": None, "high": None}


def hits_of(*hits: int, supports: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Predictions in which each class has these hits; its misses go to the next class."""
    labels = np.repeat(np.arange(len(supports)), supports)
    said = [
        np.where(np.arange(n) < hit, c, (c + 1) % len(supports))
        for c, (n, hit) in enumerate(zip(supports, hits, strict=True))
    ]
    return np.eye(len(supports), dtype=np.float32)[np.concatenate(said)], labels


@pytest.mark.parametrize(("hits", "size"), [(0, 2), (7, 7), (3, 5), (38, 40), (250, 500), (0, 500)])
def test_limits_of_a_share_equal_scipys(hits: int, size: int) -> None:
    for method, found in (("wilson", wilson(hits / size, size)), ("exact", exact(hits, size))):
        interval = binomtest(hits, size).proportion_ci(method=method)
        assert found == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_one_hit_and_one_miss_have_the_limit_of_a_poisson_count() -> None:
    for size in (1, 2, 17, 500):
        assert wilson(1 / size, size)[0] == pytest.approx(-np.log(0.95) / size)
        assert wilson(1 - 1 / size, size)[1] == pytest.approx(1 + np.log(0.95) / size)


@pytest.mark.parametrize("support", [1, 2, 3, 4, 7, 17, 50, 500])
def test_the_recall_of_a_class_is_covered_as_often_as_documented(support: int) -> None:
    recalls, hits = np.linspace(0.05, 0.99, 400)[:, None], np.arange(support + 1)
    low, high = wilson(hits / support, np.full(support + 1, support))
    covered = (binom.pmf(hits, support, recalls) * ((low <= recalls) & (recalls <= high))).sum(1)
    assert covered.min() > 0.85
    assert covered.mean() > 0.94


@pytest.mark.parametrize("supports", [(1, 1), (2, 2), (2, 500), (3, 4), (11, 14), (40, 40)])
def test_macro_recall_of_two_classes_is_covered_as_often_as_documented(supports: tuple[int, int]) -> None:
    first, second = (grid.ravel() for grid in np.meshgrid(*(np.arange(n + 1) for n in supports), indexing="ij"))
    sizes = np.array(supports, dtype=float)
    low, high = np.array(
        [of_mean_share(np.array(pair, dtype=float), sizes) for pair in zip(first, second, strict=True)]
    ).T
    for one in (0.05, 0.3, 0.5, 0.54, 0.9, 0.99):
        for other in (0.05, 0.5, 0.56, 0.95, 0.99):
            true = (one + other) / 2
            inside = (low <= true + 1e-12) & (true - 1e-12 <= high)
            covered = (binom.pmf(first, supports[0], one) * binom.pmf(second, supports[1], other) * inside).sum()
            assert covered > 0.9, (one, other)


def test_a_mean_has_the_limits_of_zou_and_donner() -> None:
    values, low, high = np.array([0.5, 0.9]), np.array([0.4, 0.6]), np.array([0.7, 1.0])
    assert of_mean(values, (low, high)) == pytest.approx((0.7 - np.hypot(0.1, 0.3) / 2, 0.7 + np.hypot(0.2, 0.1) / 2))
    alike = np.ones((2, 2))  # of values that vary together, the limits are averaged
    assert of_mean(values, (low, high), alike) == pytest.approx((0.5, 0.85))


def test_a_class_that_is_never_found_widens_the_interval_of_macro_recall() -> None:
    found = score(*hits_of(40, 40, 0, supports=(40, 40, 2)), "abF")
    assert found.macro_recall.value == pytest.approx(2 / 3)
    assert found.macro_recall.low == pytest.approx(2 / 3 - np.sqrt(2) * (1 - wilson(1, 40)[0]) / 3)
    assert found.macro_recall.high == pytest.approx((2 + exact(0, 2)[1]) / 3)
    assert found.recall["F"] == pytest.approx({"value": 0, "low": 0, "high": float(wilson(0, 2)[1])})
    assert score(*hits_of(7, 40, supports=(7, 40)), "ab").recall["a"]["low"] == pytest.approx(0.6457, abs=1e-4)


def test_confusions_are_drawn_from_the_posterior_with_the_same_class_totals() -> None:
    confusion = np.array([[8.0, 2, 0], [0, 0, 0], [1, 1, 98]])
    drawn = np.concatenate(list(drawn_confusions(confusion, 20_000, seed=1)))
    np.testing.assert_allclose(drawn.sum(2), np.tile([10, 0, 100], (20_000, 1)))
    np.testing.assert_allclose(drawn[:, 0].mean(0), 10 * np.array([8.5, 2.25, 0.25]) / 11, atol=0.03)
    np.testing.assert_allclose(drawn[:, 2].mean(0), 100 * np.array([1.25, 1.25, 98.5]) / 101, atol=0.03)


def test_the_limits_of_draws_hold_both_the_draws_and_the_draws_moved_to_the_score() -> None:
    draws = np.linspace(0, 1, 1001)
    assert of_draws(np.array(0.5), draws) == pytest.approx((0.025, 0.975))
    assert of_draws(np.array(0.6), draws) == pytest.approx((0.025, 1.075))
    assert of_draws(np.array(0.4), draws) == pytest.approx((-0.075, 0.975))


def test_a_perfect_score_has_a_lower_limit_and_no_interval_ends_outside_of_its_range() -> None:
    found = score(*hits_of(10, 10, supports=(10, 10)), "ab")
    for name in ("macro_recall", "macro_f1", "accuracy", "mcc", "auroc"):
        interval = found.of_all(name)
        assert (interval.value, interval.high) == (1, 1)
        assert 0.2 < (interval.low or 0) < 0.95, name
    worst = score(*hits_of(0, 0, supports=(10, 10)), "ab")
    assert (worst.mcc.value, worst.mcc.low, worst.accuracy.low) == (-1, -1, 0)
    for name in CLASS_SCORES:
        assert worst.by_class(name)["a"]["low"] == 0


@pytest.mark.parametrize("area", [0.0, 0.1, 0.5, 0.93, 1.0])
def test_the_limits_of_an_auroc_are_as_far_as_their_own_errors(area: float) -> None:
    low, high = of_auroc(area, 7, 30)
    assert 0 <= low <= area <= high <= 1
    for end in {low, high} - {0.0, 1.0}:
        spread = 1 + (37 / 2 - 1) * ((1 - end) / (2 - end) + end / (1 + end))
        assert abs(end - area) == pytest.approx(Z * np.sqrt(end * (1 - end) * spread / 210), rel=1e-5)


def test_scores_without_an_interval_have_a_reason() -> None:
    found = score(*hits_of(1, 1, 0, supports=(2, 1, 1)), "abc")
    few = "4 test rows: fewer than 12"
    assert found.mcc == {"value": found.mcc.value, **NO_LIMITS, "reason": few}
    assert found.f1["a"]["reason"] == few
    assert found.recall["a"]["low"] is not None
    assert found.log_loss.reason == "2 of 4 rows are wrong: fewer than 20"
    assert found.ece.reason.startswith("the calibration error of few rows is too high by chance")
    assert score(*hits_of(1, 1, supports=(2, 2)), "ab", draws=0).mcc.reason == ""


def test_the_log_loss_has_students_interval() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    probabilities = np.clip(
        np.stack([1 - labels, labels], 1) * 0.4 + 0.3 + rng.normal(0, 0.3, 200)[:, None] * [-1, 1], 0.05, 0.95
    )
    probabilities /= probabilities.sum(1, keepdims=True)
    loss = -np.log(probabilities[np.arange(200), labels])
    expected = t.interval(0.95, 199, loss.mean(), loss.std(ddof=1) / np.sqrt(200))
    found = score(probabilities, labels, "ab").log_loss
    by_logarithm = loss.mean() * np.exp((expected[1] - loss.mean()) / loss.mean())
    assert (found.low, found.high) == pytest.approx((expected[0], by_logarithm))


# AUROC


def test_auroc_ranks_rows_whose_probabilities_are_equal_in_float32_by_their_logits() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(400) % 2
    logits = (np.stack([np.zeros(400), 60 + 40 * labels + rng.uniform(-9, 9, 400)], 1)).astype(np.float32)
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = (exponents / exponents.sum(1, keepdims=True)).astype(np.float32)
    assert (probabilities[:, 1] == 1).all()
    assert score(probabilities, labels, "ab", logits=logits).auroc.value == 1
    assert (score(probabilities, labels, "ab").auroc.value or 0) < 1


def test_log_odds_are_exact_where_probabilities_are_not() -> None:
    odds = log_odds(np.array([[100.0, 0.0, -5.0], [0.0, 0.0, 0.0], [-1000.0, 3.0, 1.0]], dtype=np.float32))
    assert odds[0] == pytest.approx([100 - np.log(1 + np.exp(-5)), -100, -105])
    assert odds[1] == pytest.approx([-np.log(2)] * 3)
    assert odds[2] == pytest.approx([-1003 - np.log1p(np.exp(-2)), 2, -2])


# influences and patients


@pytest.mark.parametrize("name", ["accuracy", "macro_recall", "macro_f1", "mcc", "recall", "precision", "f1"])
def test_the_influence_of_a_row_is_the_derivative_of_the_score_by_its_weight(name: str) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 150)
    probabilities = np.eye(5)[np.where(rng.random(150) < 0.6, labels, rng.integers(0, 4, 150))]
    outcome = Outcome.of(probabilities, labels)  # of five classes, one has no rows

    def weighted(row: int, weight: float) -> np.ndarray:
        cells = outcome.confusion.copy()
        cells[outcome.labels[row], outcome.predicted[row]] += weight
        return np.nan_to_num(scores_of_confusion(cells[None])[name][0])

    influence = outcome.influence(name)
    np.testing.assert_allclose(influence.sum(0), 0, atol=1e-12)
    for row in range(0, 150, 15):
        slope = (weighted(row, 1e-4) - weighted(row, -1e-4)) / 2e-4
        np.testing.assert_allclose(influence[row], slope, atol=1e-7)


def test_the_influences_of_auroc_are_delongs_placements() -> None:
    rng = np.random.default_rng(2)
    odds, labels = rng.normal(size=(60, 2)).round(1), np.arange(60) % 3 // 2
    (area, influence) = Outcome.of(odds, labels).areas[1]
    beats = (odds[labels == 1, 1][:, None] > odds[labels == 0, 1]) + 0.5 * (
        odds[labels == 1, 1][:, None] == odds[labels == 0, 1]
    )
    assert area == pytest.approx(beats.mean())
    np.testing.assert_allclose(influence[labels == 1], (beats.mean(1) - area) / 20)
    np.testing.assert_allclose(influence[labels == 0], (beats.mean(0) - area) / 40)


def test_effective_patients_and_reasons_name_the_class() -> None:
    assert effective([362, 13, 12, 1]) == pytest.approx(388**2 / (362**2 + 13**2 + 12**2 + 1))
    assert effective([0, 0]) == 0
    groups = np.r_[np.arange(400) % 20, np.repeat([7, 8, 9], [362, 13, 13])]
    probabilities, labels = hits_of(300, 100, supports=(400, 388))
    found = score(probabilities, labels, "NF", groups, noun="patient")
    reason = "class F has 3 patients, 1.1 effective: fewer than 5"
    for interval in (found.recall["F"], found.f1["F"], found.macro_recall, found.macro_f1, found.auroc):
        assert (interval.low, interval.reason) == (None, reason)
    assert (found.groups, found.effective_groups["N"]) == ({"N": 20, "F": 3}, pytest.approx(20))
    assert found.recall["N"]["low"] is not None
    assert (found.accuracy.low, found.accuracy.reason) == (None, "20 patients, 4.0 effective: fewer than 5")


def test_precision_needs_patients_for_whose_rows_the_class_was_predicted() -> None:
    labels, groups = np.r_[np.zeros(80, int), np.ones(40, int)], np.arange(120) % 20
    for predicted, text in ((0, "is never predicted"), (3, "is predicted for 3 patients, 3.0 effective: fewer than 5")):
        said = np.where((labels == 1) & (np.arange(120) >= 120 - predicted), 1, 0)
        found = score(np.eye(2)[said], labels, "ab", groups, noun="patient")
        assert found.precision["b"]["reason"] == f"class b {text}"
        assert found.precision["a"]["low"] is not None
        assert found.f1["b"]["low"] is not None
    assert found.log_loss.low is not None
    assert score(np.eye(2)[labels], labels, "ab", groups).log_loss.reason == "0 of 120 rows are wrong: fewer than 20"


def test_accuracy_keeps_its_interval_from_ten_patients_on() -> None:
    probabilities, labels = hits_of(80, 15, supports=(100, 20))
    groups = np.r_[np.arange(100) % 10, np.zeros(20, int)]
    found = score(probabilities, labels, "ab", groups, noun="patient")
    assert found.macro_recall.reason == "class b has 1 patient, 1.0 effective: fewer than 5"
    assert found.accuracy.low is not None
    nine = score(probabilities, labels, "ab", np.minimum(groups, 8), noun="patient")
    assert nine.accuracy.reason == "9 patients: fewer than 10"


def test_the_interval_over_patients_is_wilsons_at_their_effective_number_of_rows() -> None:
    value, variance, units = 0.8, 0.0016, 12.0
    size = 1 / (variance / 0.16 + 0.5 / units**1.5) * (Z / t.ppf(0.975, 11)) ** 2
    assert of_units(value, variance, units) == pytest.approx(tuple(map(float, wilson(value, size))))
    assert of_units(1.0, 0.0, units) == pytest.approx(tuple(map(float, wilson(1, 12 * (Z / t.ppf(0.975, 11)) ** 2))))


# seeds


def test_degrees_of_freedom_of_a_sum_of_variances() -> None:
    assert freedom_of([1, 1], [4, 4]) == pytest.approx(8)
    assert freedom_of([3, 0], [4, 100]) == pytest.approx(4)
    assert freedom_of([3, 1], [4, 100]) == pytest.approx(16 / (9 / 4 + 1 / 100))


def test_an_expected_score_is_over_seeds_and_rows_from_five_seeds_on() -> None:
    values = np.array([0.7, 0.72, 0.68, 0.75, 0.65])
    between, within = values.var(ddof=1) / 5, (0.04 / Z) ** 2
    freedom = (between + within) ** 2 / (between**2 / 4 + within**2 / 99)
    half = t.ppf(0.975, freedom) * np.sqrt(between + within)
    assert of_expected(values, (0.66, 0.74), 99) == pytest.approx((0.7 - half, 0.7 + half))
    few = values[:4]
    assert of_expected(few, (few.mean() - 0.04, few.mean() + 0.03), 99) == pytest.approx(
        (few.mean() - 0.04, few.mean() + 0.03)
    )


def test_seeds_that_are_wrong_on_different_rows_have_a_narrower_interval_over_rows() -> None:
    labels = np.zeros(100, int)
    right = [np.arange(100) // 10 != seed for seed in range(4)]
    same, other = (
        [Outcome.of(np.eye(2)[np.where(hit, 0, 1)], labels) for hit in hits] for hits in (right[:1] * 4, right)
    )
    found = [(0.08, 0.04)] * 4
    assert over_rows_of_mean(same, "accuracy", found) == pytest.approx((0.08, 0.04))
    variance = (0.75 - 0.9) ** 2 * 0.4 + 0.1**2 * 0.6
    narrower = np.sqrt(variance / 0.09)
    assert over_rows_of_mean(other, "accuracy", found) == pytest.approx((0.08 * narrower, 0.04 * narrower))


def test_an_interval_names_its_reason_only_where_there_is_one() -> None:
    assert dict(Interval(0.5, 0.4, 0.6)) == {"value": 0.5, "low": 0.4, "high": 0.6}
    assert dict(Interval(0.5, reason="few")) == {"value": 0.5, "low": None, "high": None, "reason": "few"}
