"""Standard errors of validation scores, against numbers by hand and simulated rows."""

from math import isnan, sqrt

import numpy as np
import pytest

from zoo.metrics.outcome import scores_of_confusion
from zoo.metrics.standard_errors import of_confusion, of_losses, of_mean_share

# 3 of 3 rows and 1 of 2 rows are predicted correctly: the recalls are 3.5/4 and 1.5/3
SMALL = np.array([[3.0, 0.0], [1.0, 1.0]])
HIT, EVEN = 0.875 * 0.125, 0.5 * 0.5
# with such recalls, 2.625, 0.375, 1 and 1 rows are expected in the cells
F1_A, F1_B = 2 * 2.625 / 6.625, 2 * 1 / 3.375
F1 = sqrt(
    3 * HIT * (((2 - F1_A) / 6.625 + F1_B / 3.375) / 2) ** 2 + 2 * EVEN * (((2 - F1_B) / 3.375 + F1_A / 6.625) / 2) ** 2
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("macro_recall", sqrt(HIT / 3 + EVEN / 2) / 2),
        ("accuracy", sqrt(3 * HIT + 2 * EVEN) / 5),
        ("macro_f1", F1),
    ],
)
def test_shares_are_those_of_the_posterior(name: str, expected: float) -> None:
    assert of_confusion(name, SMALL) == pytest.approx(expected)
    padded = np.zeros((3, 3))
    padded[:2, :2] = SMALL  # a class without rows, which is in no mean
    found = of_confusion(name, padded)
    assert found == pytest.approx(expected, rel=0.1 if name == "macro_f1" else 1e-12), "a class that can be predicted"


def test_one_formula_is_behind_macro_recall_and_the_notes_on_small_validation_sets() -> None:
    confusion = np.array([[5.0, 2, 0], [1, 0, 1], [0, 3, 9]])
    counts, hits = confusion.sum(1), np.diag(confusion)
    expected = of_mean_share([*((hits + 0.5) / (counts + 1))], [*counts.astype(int)])
    assert of_confusion("macro_recall", confusion) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["macro_recall", "macro_f1", "accuracy"])
def test_it_is_the_deviation_of_the_scores_of_new_rows(name: str) -> None:
    random = np.random.default_rng(0)
    shares = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.1, 0.4, 0.5]])
    rows = (400, 60, 100)
    drawn = np.stack([random.multinomial(number, each, 4000) for number, each in zip(rows, shares, strict=True)], 1)
    deviation = scores_of_confusion(drawn.astype(float))[name].std()
    assert of_confusion(name, shares * np.array(rows)[:, None]) == pytest.approx(deviation, rel=0.05)


def test_no_miss_is_not_certain_but_a_single_class_is() -> None:
    assert of_confusion("accuracy", np.array([[4.0, 0], [0, 4]])) == pytest.approx(sqrt(8 * 0.9 * 0.1) / 8)
    assert of_confusion("macro_recall", np.array([[7.0]])) == 0


def test_losses_have_the_standard_error_of_a_mean_of_rows_or_of_classes() -> None:
    losses, labels = np.array([1.0, 2, 4, 0, 6]), np.array([0, 0, 0, 5, 5])
    assert of_losses(losses) == pytest.approx(losses.std(ddof=1) / sqrt(5))
    first, second = losses[:3].var(ddof=1) / 3, losses[3:].var(ddof=1) / 2
    assert of_losses(losses, labels) == pytest.approx(sqrt(first + second) / 2)
    single = of_losses(losses[:4], labels[:4])
    assert single == pytest.approx(sqrt(first + losses[:4].var(ddof=1)) / 2), "a class of one row"
    assert isnan(of_losses(losses[:1]))


def test_rows_of_a_patient_count_together() -> None:
    losses, patients = np.array([1.0, 1, 3, 3]), np.array([0, 0, 1, 1])
    assert of_losses(losses, None, patients) == pytest.approx(np.std([1, 3], ddof=1) / sqrt(2))
    alike = np.array([0, 1, 0, 1])  # both patients have the mean of all rows
    assert of_losses(losses, None, alike) == of_losses(losses), "never below that of independent rows"
    labels, predicted = np.repeat([0, 1], 20), np.tile(np.repeat([0, 1], 10), 2)
    confusion = np.full((2, 2), 10.0)
    each = of_confusion("macro_recall", confusion)
    assert each == pytest.approx(sqrt(0.25 / 20 * 2) / 2)
    # four patients, each right or wrong in all ten rows: 1/2 away from the recall, with 10 of the 20 rows of a class
    whole = of_confusion("macro_recall", confusion, (labels, predicted, np.repeat(np.arange(4), 10)))
    assert whole == pytest.approx(sqrt(4 * (10 * 0.5 / 20 / 2) ** 2 * 4 / 3))
    assert of_confusion("macro_recall", confusion, (labels, predicted, np.arange(40))) == pytest.approx(each, rel=0.03)
