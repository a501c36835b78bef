"""Scores against scikit-learn's, and intervals against what is known of them."""

import tracemalloc
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from zoo.metrics import score
from zoo.scores import CLASS_SCORES, MACRO_SCORES

CLASSES = ("a", "b", "c", "d")


def predictions(rows: int = 500, seed: int = 0, sharp: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=rows, p=[0.6, 0.25, 0.1, 0.05])
    logits = rng.normal(size=(rows, 4)) + sharp * np.eye(4)[labels]
    exponents = np.exp(logits)
    return (exponents / exponents.sum(1, keepdims=True)).astype(np.float32), labels


def plain_ece(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """The calibration error by exact fractions: bin k holds confidences from k/bins up to, but not at, (k + 1)/bins."""
    residuals: dict[int, Fraction] = defaultdict(Fraction)
    for row, label in zip(probabilities, labels, strict=True):
        confidence = Fraction(float(row.max()))
        residuals[min(int(confidence * bins), bins - 1)] += confidence - int(row.argmax() == label)
    return float(sum(map(abs, residuals.values())) / len(labels))


def plain_auroc(probability: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs in which the positive row has the higher probability; ties count half."""
    difference = probability[positive][:, None] - probability[~positive][None, :]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean()) if difference.size else np.nan


def plain_scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Every score of some rows, one class after the other; NaN for a class without rows."""
    predicted, confidence = probabilities.argmax(1), probabilities.max(1).astype(float)
    hit = predicted == labels
    by_class: dict[str, list[float]] = defaultdict(list)
    for c in range(probabilities.shape[1]):
        true, found, both = (labels == c).sum(), (predicted == c).sum(), (hit & (labels == c)).sum()
        by_class["recall"].append(both / true if true else np.nan)
        by_class["precision"].append((both / found if found else 0.0) if true else np.nan)
        by_class["f1"].append(2 * both / (true + found) if true else np.nan)
        by_class["auroc"].append(plain_auroc(probabilities[:, c], labels == c))
    residuals = np.bincount((confidence * 15).astype(int), confidence - hit)  # `plain_ece` is exact, and slow
    true, found = np.eye(4)[labels] - np.eye(4)[labels].mean(0), np.eye(4)[predicted] - np.eye(4)[predicted].mean(0)
    return {
        "accuracy": hit.mean(),
        "macro_recall": np.nanmean(by_class["recall"]),
        "macro_f1": np.nanmean(by_class["f1"]),
        "mcc": (true * found).sum() / np.sqrt((true**2).sum() * (found**2).sum()),
        "auroc": np.nanmean(by_class["auroc"]),
        "log_loss": -np.log(probabilities[np.arange(len(labels)), labels].astype(float)).mean(),
        "ece": np.abs(residuals).sum() / len(labels),
        **{name: np.array(by_class[name]) for name in CLASS_SCORES},
    }


def test_values_equal_scikit_learns() -> None:
    probabilities, labels = predictions()
    found = score(probabilities, labels, CLASSES, draws=0)
    predicted = probabilities.argmax(1)
    expected = {
        "accuracy": reference.accuracy_score(labels, predicted),
        "macro_recall": reference.balanced_accuracy_score(labels, predicted),
        "macro_f1": reference.f1_score(labels, predicted, average="macro"),
        "mcc": reference.matthews_corrcoef(labels, predicted),
        "log_loss": reference.log_loss(labels, probabilities),
        "auroc": np.mean([reference.roc_auc_score(labels == c, probabilities[:, c]) for c in range(4)]),
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-6), name
    assert found["confusion"] == reference.confusion_matrix(labels, predicted).tolist()
    precision, recall, f1, support = reference.precision_recall_fscore_support(labels, predicted)
    for number, name in enumerate(CLASSES):
        assert found["recall"][name]["value"] == pytest.approx(recall[number])
        assert found["precision"][name]["value"] == pytest.approx(precision[number])
        assert found["f1"][name]["value"] == pytest.approx(f1[number])
        assert found["support"][name] == support[number]


@pytest.mark.parametrize("present", [(0, 1, 2, 3), (0, 2), (1, 2, 3)])
def test_ties_count_half_in_auroc_and_only_classes_with_rows_count(present: tuple[int, ...]) -> None:
    probabilities, labels = predictions()
    probabilities, labels = probabilities[np.isin(labels, present)].round(1), labels[np.isin(labels, present)]
    expected = np.mean([reference.roc_auc_score(labels == c, probabilities[:, c]) for c in present])
    assert score(probabilities, labels, CLASSES, draws=0)["auroc"]["value"] == pytest.approx(expected, abs=1e-12)


def test_one_row_against_one_row_has_an_auroc_and_rows_of_one_class_have_none() -> None:
    probabilities = np.array([[0.2, 0.8], [0.6, 0.4]], dtype=np.float32)
    assert score(probabilities, np.array([1, 0]), ("x", "y"), draws=0)["auroc"]["value"] == 1
    assert score(probabilities, np.array([0, 1]), ("x", "y"), draws=0)["auroc"]["value"] == 0
    assert score(probabilities, np.array([1, 1]), ("x", "y"))["auroc"] == {"value": None, "low": None, "high": None}


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.35, 0.65]], dtype=np.float32)
    labels = np.array([0, 1, 1, 1])
    # bins of width 1/15: 0.9 twice (one right): |1.8 - 1| / 4; 0.6 and 0.65 fall into one bin: |1.25 - 2| / 4
    assert score(probabilities, labels, ("x", "y"), draws=0)["ece"]["value"] == pytest.approx(0.2 + 0.1875, abs=1e-6)


def test_a_confidence_of_one_is_in_the_last_of_the_calibration_bins() -> None:
    probabilities = np.array([[1, 0], [0.9375, 0.0625], [0.9375, 0.0625]], dtype=np.float32)
    labels = np.array([1, 0, 0])
    # |1 + 2 * 0.9375 - 2| / 3; with a bin of its own the first row alone would add 1 / 3
    assert score(probabilities, labels, ("x", "y"), draws=0)["ece"]["value"] == pytest.approx(0.875 / 3)


def test_fifteen_calibration_bins_with_their_lower_edges() -> None:
    edges = np.arange(1, 16, dtype=np.float32) / np.float32(15)
    below, above = np.nextafter(edges, np.float32(0)), np.nextafter(edges[:-1], np.float32(1))
    confidence = np.concatenate([below, edges, above])
    probabilities = np.repeat((1 - confidence[:, None]) / 15, 16, axis=1)
    probabilities[:, 0] = confidence
    # rows of every other bin are right: a row that falls into a neighbouring bin changes the error
    labels = np.array([min(int(Fraction(float(value)) * 15), 14) % 2 for value in confidence])
    classes = [str(number) for number in range(16)]
    assert (probabilities.argmax(1) == 0).all()
    found = score(probabilities, labels, classes, draws=0)["ece"]["value"]
    assert found == pytest.approx(plain_ece(probabilities, labels), abs=1e-12)
    assert all(abs(found - plain_ece(probabilities, labels, bins)) > 0.01 for bins in (14, 16))


@pytest.mark.parametrize("smallest", [0.0, 1e-20])
def test_log_loss_of_a_probability_of_zero_is_finite(smallest: float) -> None:
    probabilities = np.array([[1, smallest], [1, smallest], [1, smallest], [0.5, 0.5]], dtype=np.float32)
    found = score(probabilities, np.array([1, 1, 0, 0]), ("x", "y"), draws=0)["log_loss"]["value"]
    assert found == pytest.approx((2 * 34.538776394910684 + 0 + 0.6931471805599453) / 4, rel=1e-12)


def test_an_absent_class_is_left_out_of_macro_means_and_named() -> None:
    probabilities, labels = predictions()
    kept = labels != 3
    found = score(probabilities[kept], labels[kept], CLASSES, draws=20)
    recalls = [found["recall"][name]["value"] for name in "abc"]
    assert found["macro_recall"]["value"] == pytest.approx(np.mean(recalls))
    assert found["recall"]["d"] == {"value": None, "low": None, "high": None}
    assert found["absent"] == ["d"]
    assert found.over_classes() == "over 3 of 4 classes (d absent)"


def test_a_class_that_is_predicted_but_has_no_rows_by_hand() -> None:
    probabilities = np.eye(3, dtype=np.float32)[[0, 0, 2, 1]]
    found = score(probabilities, np.array([0, 0, 0, 1]), ("x", "y", "z"), draws=0)
    values = {name: [found[name][label]["value"] for label in "xyz"] for name in CLASS_SCORES}
    assert values["recall"] == [pytest.approx(2 / 3), 1, None]
    assert values["precision"] == [1, 1, None]
    assert values["f1"] == [pytest.approx(0.8), 1, None]
    assert found["macro_recall"]["value"] == pytest.approx(5 / 6)
    assert found["macro_f1"]["value"] == pytest.approx(0.9)
    assert found["accuracy"] == {"value": 0.75, "low": None, "high": None}
    assert found["confusion"] == [[2, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert found["support"] == {"x": 3, "y": 1, "z": 0}
    assert found["absent"] == ["z"]
    assert found["resampled"] == "rows"


def test_a_class_never_predicted_has_no_precision_to_speak_of_and_f1_zero() -> None:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (10, 1))
    labels = np.array([0] * 8 + [1] * 2)
    found = score(probabilities, labels, ("x", "y"), draws=0)
    assert found["precision"]["y"]["value"] == 0
    assert found["f1"]["y"]["value"] == 0
    assert found["macro_recall"]["value"] == 0.5
    assert found["macro_f1"]["value"] == pytest.approx(4 / 9)
    assert found["mcc"]["value"] == 0
    assert found.over_classes() == ""


def test_rows_of_a_single_class_are_scored_by_that_class_alone() -> None:
    probabilities = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    found = score(probabilities, np.zeros(4, dtype=np.int64), ("x", "y"))
    assert found["macro_recall"]["value"] == 0.75
    assert found["macro_f1"]["value"] == pytest.approx(6 / 7)
    assert found["mcc"]["value"] == 0


def test_the_interval_of_accuracy_is_the_binomial_one() -> None:
    probabilities, labels = predictions(rows=2000)
    found = score(probabilities, labels, CLASSES)["accuracy"]
    half = 1.96 * np.sqrt(found["value"] * (1 - found["value"]) / 2000)
    assert found["high"] - found["value"] == pytest.approx(half, rel=0.15)
    assert found["value"] - found["low"] == pytest.approx(half, rel=0.15)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    covered = 0
    truth = score(*predictions(rows=200_000, seed=1), CLASSES, draws=0)["accuracy"]["value"]
    for seed in range(100):
        found = score(*predictions(rows=300, seed=100 + seed), CLASSES, draws=200)["accuracy"]
        covered += found["low"] <= truth <= found["high"]
    assert 88 <= covered <= 99


def test_rows_of_one_patient_count_as_one_draw() -> None:
    probabilities, labels = predictions(rows=200)
    groups = np.repeat(np.arange(200), 10)
    by_row = score(np.repeat(probabilities, 10, axis=0), np.repeat(labels, 10), CLASSES)["accuracy"]
    by_group = score(np.repeat(probabilities, 10, axis=0), np.repeat(labels, 10), CLASSES, groups)["accuracy"]
    assert by_group["value"] == by_row["value"]
    widths = [found["high"] - found["low"] for found in (by_group, by_row)]
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(10), rel=0.2)


def test_values_equal_a_plain_loop_over_classes() -> None:
    probabilities, labels = predictions(rows=40)
    labels[labels == 3] = 2
    labels[0] = 3
    found, expected = score(probabilities, labels, CLASSES), plain_scores(probabilities, labels)
    for name in MACRO_SCORES:
        assert found[name]["value"] == pytest.approx(expected[name], abs=1e-12), name
    for name in CLASS_SCORES:
        assert [found[name][label]["value"] for label in CLASSES] == pytest.approx(list(expected[name]))


def test_the_seed_decides_the_drawn_intervals_and_nothing_else() -> None:
    probabilities, labels = predictions()
    one, same, other = (score(probabilities, labels, CLASSES, draws=100, seed=seed) for seed in (3, 3, 4))
    assert one == same
    for name in MACRO_SCORES:
        assert one[name]["value"] == other[name]["value"]
        assert (one[name]["low"] != other[name]["low"]) == (name in ("macro_f1", "accuracy", "mcc")), name
    groups = np.arange(500) % 50
    grouped = [score(probabilities, labels, CLASSES, groups, draws=100, seed=seed) for seed in (3, 4)]
    assert grouped[0] == grouped[1]


def test_many_rows_need_little_memory() -> None:
    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet([1, 1, 1], 100_000).astype(np.float32), rng.integers(0, 3, 100_000)
    tracemalloc.start()
    score(probabilities, labels, "abc", logits=np.log(probabilities), draws=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * len(labels)  # bytes
