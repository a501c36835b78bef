"""Differences of two configurations and what follows from many: against scipy, a bootstrap and papers."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy import stats

from zoo.metrics.datasets import (
    friedman,
    friedman_possible,
    posterior,
    ranks,
    signed_ranks,
    signed_ranks_possible,
)
from zoo.metrics.differences import Difference, difference, no_interval, p_values
from zoo.metrics.multiple import holm, rank_intervals
from zoo.metrics.outcome import Outcome
from zoo.metrics.single import mcnemar

LABELS = np.repeat([0, 1, 2], [240, 90, 30])
RNG = np.random.default_rng(3)
EASY = RNG.normal(0.8, 1, len(LABELS))


def outcome(shift: float = 0.0, groups: np.ndarray | None = None, seed: int = 0) -> Outcome:
    """A network that finds rows as easily as `shift` says, on the same rows as the others."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 0.5, (len(LABELS), 3))
    logits[np.arange(len(LABELS)), LABELS] += EASY + shift + rng.normal(0, 1, len(LABELS))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Outcome.of(chances, LABELS, groups, logits)


def _hits(labels: np.ndarray, said: np.ndarray) -> np.ndarray:
    cells = np.bincount(3 * labels + said, minlength=9).reshape(3, 3)
    return np.stack([cells.diagonal(), cells.sum(1), cells.sum(0)])


def _mcc(labels: np.ndarray, said: np.ndarray, _: np.ndarray) -> float:
    one, other = (each - each.mean(0) for each in (np.eye(3)[labels], np.eye(3)[said]))
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))


def _auroc(labels: np.ndarray, _: np.ndarray, chances: np.ndarray) -> float:
    up = np.eye(3)[labels]
    sums, sizes = (stats.rankdata(chances, axis=0) * up).sum(0), up.sum(0)
    return float(((sums - sizes * (sizes + 1) / 2) / (sizes * (len(labels) - sizes))).mean())


SCORES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "macro_recall": lambda labels, said, _: (_hits(labels, said)[0] / _hits(labels, said)[1]).mean(),
    "macro_f1": lambda labels, said, _: (2 * _hits(labels, said)[0] / _hits(labels, said)[1:].sum(0)).mean(),
    "mcc": _mcc,
    "accuracy": lambda labels, said, _: (labels == said).mean(),
    "precision": lambda labels, said, _: (_hits(labels, said)[0] / _hits(labels, said)[2])[1],
    "auroc": _auroc,
    "log_loss": lambda labels, _, chances: -np.log(chances[np.arange(len(labels)), labels]).mean(),
}


@pytest.mark.parametrize("name", SCORES)
def test_the_variance_over_rows_is_that_of_a_paired_bootstrap(name: str) -> None:
    one, other = outcome(0.1, seed=1), outcome(seed=2)
    number = 1 if name == "precision" else None
    found = difference([(one, other)], name, number)
    rng, drawn = np.random.default_rng(0), []
    rows_of = [np.flatnonzero(np.equal(LABELS, label)) for label in range(3)]
    for _ in range(200):
        rows = np.concatenate([rng.choice(rows, len(rows)) for rows in rows_of])
        values = [SCORES[name](LABELS[rows], each.predicted[rows], each.probabilities[rows]) for each in (one, other)]
        drawn.append(values[0] - values[1])
    exact = [SCORES[name](LABELS, each.predicted, each.probabilities) for each in (one, other)]
    assert found.mean == pytest.approx(exact[0] - exact[1], abs=0.002 if name == "auroc" else 1e-9)  # of log-odds
    assert np.sqrt(found.variances[1]) == pytest.approx(np.std(drawn), rel=0.2)


def test_a_difference_over_seeds_alone_is_students_and_over_rows_alone_mcnemars() -> None:
    values = np.random.default_rng(0).normal(0.02, 0.03, 7)
    paired = stats.ttest_1samp(values, 0)
    only_seeds = Difference(values, (values.var(ddof=1) / 7, 0.0), (6, 300))
    assert only_seeds.p == pytest.approx(paired.pvalue)
    assert only_seeds.limits == pytest.approx(tuple(paired.confidence_interval(0.95)))
    one, other = outcome(0.3, seed=1), outcome(seed=2)
    right = [each.predicted == LABELS for each in (one, other)]
    first, second = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    found = difference([(one, other)], "accuracy")
    far = (first - second) / np.sqrt((first + second) * 360 / 359)  # the root of McNemar's chi-square
    assert found.p == pytest.approx(2 * stats.t.sf(abs(far), 359))


def test_p_is_the_level_at_which_an_end_of_the_interval_is_zero() -> None:
    found = difference([(outcome(0.2, seed=seed), outcome(seed=9 + seed)) for seed in range(6)], "macro_recall")
    over_seeds, over_rows = found.variances
    assert over_seeds == pytest.approx(found.values.var(ddof=1) / 6)
    ends = [
        stats.t.isf(level / 2, 5) ** 2 * over_seeds + stats.t.isf(level / 2, 359) ** 2 * over_rows
        for level in (found.p, 0.05)
    ]
    assert np.sqrt(ends[0]) == pytest.approx(found.mean)
    assert found.limits == pytest.approx((found.mean - np.sqrt(ends[1]), found.mean + np.sqrt(ends[1])))
    assert p_values([0.0, 1.0], 0.1, 0.1, 4, 9).tolist() == pytest.approx([1.0, float(p_values(1.0, 0.1, 0.1, 4, 9))])


@pytest.mark.parametrize("name", ["recall", "f1", "auroc"])
def test_two_rows_prove_nothing_however_many_seeds_agree(name: str) -> None:
    labels = np.repeat([0, 1], [60, 2])
    found, missed = (np.stack([-sure, sure], axis=1) for sure in (labels - 0.5, np.full(62, -0.5) - (labels == 1)))
    pairs = [(Outcome.of(found, labels), Outcome.of(missed, labels))] * 8
    assert no_interval(pairs[0], "ab", "group", "precision", 1) == "class b is never predicted"
    shown = difference(pairs, name, None if name == "auroc" else 1)
    assert shown.mean == pytest.approx(1.0)
    assert shown.p > 0.05


@pytest.mark.parametrize(("name", "width"), [("recall", 1 / 3), ("macro_recall", np.hypot(1 / 61, 1 / 3) / 2)])
def test_equal_predictions_for_two_rows_leave_room_for_a_difference(name: str, width: float) -> None:
    labels = np.repeat([0, 1], [60, 2])
    one, other = (Outcome.of(np.eye(2)[labels] * sure + 0.1, labels) for sure in (0.8, 0.7))
    number = 1 if name == "recall" else None
    shown = difference([(one, other)], name, number)
    assert (shown.mean, shown.p) == (0.0, 1.0)
    assert shown.limits[1] == pytest.approx(stats.t.isf(0.025, 61) * width)
    assert difference([(one, one)], name, number).limits == (0.0, 0.0)  # the same network


def test_patients_are_counted_whole() -> None:
    groups = np.arange(len(LABELS)) % 9
    pairs = [(outcome(0.2, groups, seed), outcome(0.0, groups, 9 + seed)) for seed in range(5)]
    found = difference(pairs, "accuracy")
    apart = (
        np.mean([(one.predicted == LABELS) * 1.0 - (other.predicted == LABELS) for one, other in pairs], axis=0) / 360
    )
    sums = np.bincount(groups, apart)
    assert found.freedoms == (4, 8)
    assert found.variances[1] == pytest.approx(max((sums**2).sum() * 9 / 8, (apart**2).sum() * 360 / 359))


def test_holm_counts_only_comparisons_that_were_possible() -> None:
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.9, np.nan, 0.03]) == pytest.approx([0.9, np.nan, 0.06], nan_ok=True)
    assert holm([0.8, 0.7]) == [1.0, 1.0]


def test_ranks_are_bounded_by_those_significantly_above_and_below() -> None:
    beaten = np.zeros((4, 4), bool)
    beaten[0, 2] = beaten[0, 3] = beaten[1, 3] = True
    assert rank_intervals(beaten.tolist()) == [(1, 2), (1, 3), (2, 4), (3, 4)]


@pytest.mark.parametrize("number", [None, 1])
def test_two_runs_are_compared_by_the_exact_test_of_mcnemar(number: int | None) -> None:
    one, other = outcome(0.4, seed=1), outcome(seed=2)
    rows = LABELS >= 0 if number is None else np.equal(LABELS, number)
    right = [(each.predicted == LABELS)[rows] for each in (one, other)]
    alone = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    found = mcnemar(one, other, number)
    assert (found.first, found.second, found.patients) == (*alone, False)
    assert found.p == pytest.approx(stats.binomtest(alone[0], sum(alone)).pvalue)
    assert mcnemar(one, one).p == 1.0


def test_two_runs_on_patients_are_compared_by_all_signs_of_the_patients() -> None:
    groups = np.arange(len(LABELS)) % 8
    one, other = outcome(0.4, groups, 1), outcome(0.0, groups, 2)
    apart = np.bincount(groups, (one.predicted == LABELS) * 1.0 - (other.predicted == LABELS))
    sums = np.array(list(product([1, -1], repeat=8))) @ apart
    found = mcnemar(one, other)
    assert found.patients
    assert found.p == pytest.approx((np.abs(sums) >= abs(apart.sum())).mean())


# Demšar 2006, table 6: AUC of C4.5 with tuned m, tuned cf, and both, on 14 data sets
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],  # printed as 0.975 and 0.975 with the ranks 2 and 3
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_demsars_example_of_ranks_and_friedmans_test() -> None:
    mean = ranks(DEMSAR).mean(0)
    assert mean.round(3).tolist() == [3.143, 2.0, 2.893, 1.964]
    published = 12 * 14 / (4 * 5) * ((mean**2).sum() - 4 * 25 / 4)
    assert published == pytest.approx(9.28, abs=0.005)
    counts = [np.unique(row, return_counts=True)[1] for row in ranks(DEMSAR)]
    ties = 1 - sum((each**3 - each).sum() for each in counts) / (14 * 4 * 15)
    statistic, p = friedman(DEMSAR)
    assert statistic == pytest.approx(published / ties)  # scipy corrects for ties, the paper does not
    assert p == pytest.approx(stats.chi2.sf(published / ties, 3))


def test_demsars_example_of_wilcoxons_test_and_holms_procedure() -> None:
    statistic, p = signed_ranks(DEMSAR[:, 1] - DEMSAR[:, 0])
    assert statistic == 12  # R+ = 93, R- = 12; critical at 0.05 is 21
    assert p < 0.05
    far = (ranks(DEMSAR).mean(0)[0] - ranks(DEMSAR).mean(0)[1:]) / np.sqrt(4 * 5 / (6 * 14))
    by_rank = 2 * stats.norm.sf(np.abs(far))
    assert by_rank.round(3).tolist() == [0.019, 0.608, 0.016]
    assert (np.array(holm(by_rank)) <= 0.05).tolist() == [True, False, True]  # the paper rejects the same two


@pytest.mark.parametrize(("size", "rounded"), [(9, True), (9, False), (30, True)])
def test_wilcoxons_p_is_exact_for_few_data_sets(size: int, rounded: bool) -> None:
    apart = np.random.default_rng(size).normal(0.3, 1, size)
    apart = apart.round(0) if rounded else apart
    order = stats.rankdata(np.abs(apart))
    moved = np.where(apart == 0, 0, order)
    if size > 14:
        signs = np.random.default_rng(0).choice([-1, 1], (20_000, size))
    else:
        signs = np.array(list(product([-1, 1], repeat=size)))
    exact = (np.abs(signs @ moved) >= abs((np.sign(apart) * moved).sum()) - 1e-9).mean()
    assert signed_ranks(apart)[1] == pytest.approx(exact, abs=1e-12 if size < 15 else 0.02)


def test_too_few_data_sets_are_told_before_a_test() -> None:
    best = [stats.wilcoxon(np.arange(1, n + 1), method="exact").pvalue for n in (5, 6)]
    assert [each <= 0.05 for each in best] == [signed_ranks_possible(n, 1) for n in (5, 6)] == [False, True]
    assert [signed_ranks_possible(n, 3) for n in (6, 7)] == [False, True]
    same = [np.tile([3.0, 2.0, 1.0], (n, 1)) + np.arange(n)[:, None] for n in (2, 3)]
    assert [friedman(each)[1] <= 0.05 for each in same] == [friedman_possible(n, 3) for n in (2, 3)] == [False, True]
    assert not friedman_possible(30, 2)
    assert friedman(np.ones((5, 3))) == (0.0, 1.0)
    assert signed_ranks(np.zeros(8))[1] == 1.0


def test_the_bayesian_signed_ranks_are_the_shares_of_drawn_weights() -> None:
    apart = np.array([0.03, 0.05, -0.002, 0.04, -0.03, 0.02, 0.06])
    rng, wins = np.random.default_rng(5), []
    values = np.append(apart, 0)
    for weights in rng.dirichlet([1] * 7 + [0.5], 3000):
        means = (values[:, None] + values[None]) / 2
        share = weights[:, None] * weights[None]
        wins.append(
            np.argmax([share[means > 0.01].sum(), share[np.abs(means) <= 0.01].sum(), share[means < -0.01].sum()])
        )
    expected = np.bincount(wins, minlength=3) / 3000
    assert posterior(apart) == pytest.approx(expected.tolist(), abs=0.03)
