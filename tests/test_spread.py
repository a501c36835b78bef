"""The spread of a score by split and by seed: published numbers, REML, and what cannot be told apart."""

import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from zoo.metrics.outcome import Outcome
from zoo.metrics.spread import by_fold, mean_squares, share_limits, spread

# Shrout and Fleiss 1979, table 2: six targets, rated by four judges
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], np.float64)


def test_the_share_of_the_split_is_the_intraclass_correlation_of_shrout_and_fleiss() -> None:
    squares = mean_squares(RATINGS)
    assert squares == pytest.approx([11.24, 32.49, 1.02], abs=0.005)
    found = spread(RATINGS)
    assert found is not None
    assert found.share.value == pytest.approx(0.29, abs=0.005)
    assert share_limits(squares, 6, 4, tail=0.025) == pytest.approx((0.02, 0.76), abs=0.005)
    assert found.share.low is not None
    assert found.share.high is not None
    assert found.share.low < 0.02
    assert found.share.high > 0.76
    assert (found.folds, found.seeds, found.mostly) == (6, 4, "")


def test_without_an_effect_that_seeds_have_in_common_the_estimates_are_those_of_reml() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (8, 1)) + rng.normal(0, 1, (8, 5))
    scores -= scores.mean(0)  # no seed is better than another one
    squares = mean_squares(scores)
    one_way = np.repeat(np.arange(8), 5)
    fitted = MixedLM(scores.ravel(), np.ones((40, 1)), groups=one_way).fit(reml=True)
    found = spread(scores)
    assert found is not None
    assert found.seed.value == pytest.approx(np.sqrt(fitted.scale), rel=1e-3)
    expected = float(fitted.cov_re[0, 0]) - (squares[2] - fitted.scale) / 5  # one way, with the freedom of the seeds
    assert found.split.value == pytest.approx(np.sqrt(expected), rel=1e-2)
    assert found.total == pytest.approx(np.hypot(found.split.value, found.seed.value))


@pytest.mark.parametrize(("split", "seed", "larger"), [(0.05, 0.001, "split"), (0.0, 0.05, "seed"), (0.02, 0.02, "")])
def test_a_cause_is_called_larger_only_where_it_is_shown(split: float, seed: float, larger: str) -> None:
    rng = np.random.default_rng(1)
    found = spread(0.8 + rng.normal(0, split, (10, 1)) + rng.normal(0, seed, (10, 5)))
    assert found is not None
    assert found.mostly == larger
    for each, true in ((found.split, split), (found.seed, seed)):
        assert each.low is not None
        assert each.high is not None
        assert each.low <= true <= each.high


def test_equal_scores_have_no_spread_and_no_share() -> None:
    found = spread(np.full((5, 3), 0.1 + 0.2))
    assert found is not None
    assert (found.total, found.split.high, found.seed.high, found.share.value, found.mostly) == (0, 0, 0, None, "")


@pytest.mark.parametrize("shape", [(2, 5), (5, 1)])
def test_two_folds_or_one_seed_are_too_few(shape: tuple[int, int]) -> None:
    assert spread(np.random.default_rng(0).random(shape)) is None


def test_a_fold_without_rows_of_a_class_has_no_score_of_all_classes() -> None:
    labels, fold = np.array([0, 0, 1, 0, 1, 0, 1, 0]), np.array([0, 0, 0, 1, 1, 1, 2, 2])
    right = Outcome.of(np.eye(2)[labels], labels, fold=fold)
    wrong = Outcome.of(np.eye(2)[1 - labels], labels, fold=fold)
    assert by_fold([right, wrong], "macro_recall").tolist() == [[1, 0], [1, 0], [1, 0]]
    assert by_fold([right, wrong], "recall", 1).tolist() == [[1, 0], [1, 0], [1, 0]]
    apart = np.array([0, 0, 0, 1, 1, 2, 0, 2])
    some = Outcome.of(np.eye(2)[labels], labels, fold=apart)
    assert by_fold([some, some], "accuracy").tolist() == [[1, 1]] * 3
    found = by_fold([some, some], "macro_recall")
    assert np.isnan(found[2]).all()
    assert spread(found) is None


def test_the_split_keeps_an_upper_end_where_folds_differ_less_than_by_chance() -> None:
    scores = np.array([[0.5, 0.9], [0.9, 0.5], [0.7, 0.7]])
    found = spread(scores, most=0.5)
    assert found is not None
    assert (found.split.value, found.split.low) == (0, 0)
    assert found.split.high is not None
    assert found.share.high is not None
    assert found.split.high > 0.1
    assert (found.share.high > 0.5, found.mostly, found.seed.high) == (True, "", 0.5)
