"""Answers, and the seeds that would decide a claim, from differences whose numbers are known."""

import numpy as np
import pytest

from zoo.claims.answers import Answer, answer_of, chance, needed, p_of, refutes
from zoo.claims.hypothesis import Direction
from zoo.claims.measures import Measured
from zoo.metrics.datasets import of_median, signed_ranks
from zoo.metrics.differences import Difference

HIGHER, LOWER, EQUAL = Direction.HIGHER, Direction.LOWER, Direction.EQUAL


def seen(mean: float, deviation: float = 0.01, seeds: int = 5, rows: float = 0.0, **more: bool) -> Measured:
    """Seeds with this mean and deviation; `rows` is the standard error over rows, alike in all seeds."""
    values = np.linspace(-1, 1, seeds)
    values = mean + deviation * values / (values.std(ddof=1) if seeds > 1 else 1)
    between = float(values.var(ddof=1)) / seeds if seeds >= 5 else 0.0
    return Measured(Difference(values, (between, rows**2), (seeds - 1, 1e6)), rows**2, **more)


@pytest.mark.parametrize(
    ("mean", "direction", "margin", "answer"),
    [
        (0.05, HIGHER, 0.0, Answer.CONFIRMED),
        (0.05, HIGHER, 0.03, Answer.CONFIRMED),
        (0.05, HIGHER, 0.045, Answer.UNDECIDED),
        (0.05, HIGHER, 0.10, Answer.REFUTED),
        (-0.05, HIGHER, -0.10, Answer.CONFIRMED),
        (-0.05, LOWER, 0.03, Answer.CONFIRMED),
        (0.05, LOWER, 0.0, Answer.REFUTED),
        (-0.05, LOWER, 0.05, Answer.UNDECIDED),
        (0.01, EQUAL, 0.03, Answer.CONFIRMED),
        (0.01, EQUAL, 0.02, Answer.UNDECIDED),
        (-0.05, EQUAL, 0.03, Answer.REFUTED),
    ],
)
def test_the_interval_decides(mean: float, direction: Direction, margin: float, answer: Answer) -> None:
    found = seen(mean)  # the interval is +- 0.0124
    assert answer_of(found, direction, margin) == answer
    p = p_of(found.difference, direction, margin)
    assert p is not None
    assert (p <= 0.05) == (answer != Answer.UNDECIDED)


def test_too_few_seeds_and_a_reason_leave_it_undecided() -> None:
    assert answer_of(seen(0.5, seeds=4), HIGHER, 0.0) == Answer.UNDECIDED
    assert p_of(seen(0.5, seeds=4).difference, HIGHER, 0.0) is None
    assert answer_of(Measured(None), HIGHER, 0.0) == Answer.UNDECIDED
    assert answer_of(Measured(seen(0.5).difference, reason="too few patients"), HIGHER, 0.0) == Answer.UNDECIDED


def test_a_score_that_was_not_reached_opens_the_interval() -> None:
    late, early = seen(0.5, at_least=True), seen(-0.5, at_most=True)
    assert answer_of(late, HIGHER, 0.0) == Answer.CONFIRMED
    assert answer_of(late, HIGHER, 1.0) == Answer.UNDECIDED, "the true difference is larger"
    assert answer_of(early, LOWER, 0.0) == Answer.CONFIRMED
    assert answer_of(early, EQUAL, 1.0) == Answer.UNDECIDED
    assert (late.interval.high, early.interval.low) == (None, None)


def test_the_seeds_that_would_decide_are_the_fewest() -> None:
    found = seen(0.01, deviation=0.02)
    seeds = needed(found, HIGHER, 0.0).seeds
    assert seeds is not None
    assert seeds > 5
    for number, answer in ((seeds - 1, Answer.UNDECIDED), (seeds, Answer.CONFIRMED)):
        assert answer_of(seen(0.01, deviation=0.02, seeds=number), HIGHER, 0.0) == answer
    assert needed(seen(0.05), HIGHER, 0.0).seeds == 5
    assert needed(seen(0.0, deviation=0.02), HIGHER, 0.0).seeds is None


def test_test_rows_can_bound_an_answer() -> None:
    assert needed(seen(0.01, rows=0.02), HIGHER, 0.0).by_rows
    assert not needed(seen(0.01, rows=0.002), HIGHER, 0.0).by_rows
    own = Measured(seen(0.01, rows=0.02).difference, 5 * 0.02**2)  # each seed has its own rows: more seeds help
    assert not needed(own, HIGHER, 0.0).by_rows


def test_a_clear_effect_has_a_better_chance_than_a_small_one() -> None:
    chances = [chance(seen(mean, seeds=3), HIGHER, 0.0, 10) for mean in (0.0, 0.01, 0.05)]
    assert chances == sorted(chances)
    assert chances[0] < 0.1
    assert chances[2] > 0.9
    assert chance(Measured(None), HIGHER, 0.0, 10) == 0.5


def test_one_of_many_parts_needs_more_to_refute_all() -> None:
    assert refutes(0.04, 2)
    assert not refutes(0.04, 3)
    assert refutes(None, 9)


@pytest.mark.parametrize("size", [6, 9, 15])
def test_the_interval_over_data_sets_is_that_of_wilcoxons_test(size: int) -> None:
    differences = np.random.default_rng(size).normal(0.01, 0.02, size)
    low, high = of_median(differences)
    for edge, inside in ((low, 1e-9), (high, -1e-9)):
        assert signed_ranks(differences - edge - inside)[1] > 0.05
        assert signed_ranks(differences - edge + inside)[1] <= 0.05
