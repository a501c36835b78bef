"""Scores against scikit-learn's, and intervals against what is known of them."""

import numpy as np
import pytest
from sklearn import metrics as reference

from zoo.metrics import over_classes, score

CLASSES = ("a", "b", "c", "d")


def predictions(rows: int = 500, seed: int = 0, sharp: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=rows, p=[0.6, 0.25, 0.1, 0.05])
    logits = rng.normal(size=(rows, 4)) + sharp * np.eye(4)[labels]
    exponents = np.exp(logits)
    return (exponents / exponents.sum(1, keepdims=True)).astype(np.float32), labels


def test_values_equal_scikit_learns() -> None:
    probabilities, labels = predictions()
    found = score(probabilities, labels, CLASSES, resamples=0)
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


def test_ties_count_half_in_auroc() -> None:
    probabilities = np.array([[0.5, 0.5], [0.5, 0.5], [0.2, 0.8], [0.5, 0.5]], dtype=np.float32)
    labels = np.array([0, 1, 1, 0])
    expected = reference.roc_auc_score(labels, probabilities[:, 1])
    assert score(probabilities, labels, ("x", "y"), resamples=0)["auroc"]["value"] == pytest.approx(expected)


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.35, 0.65]], dtype=np.float32)
    labels = np.array([0, 1, 1, 1])
    # bins of width 1/15: 0.9 twice (one right): |1.8 - 1| / 4; 0.6 and 0.65 fall into one bin: |1.25 - 2| / 4
    assert score(probabilities, labels, ("x", "y"), resamples=0)["ece"]["value"] == pytest.approx(
        0.2 + 0.1875, abs=1e-6
    )


def test_an_absent_class_is_left_out_of_macro_means_and_named() -> None:
    probabilities, labels = predictions()
    kept = labels != 3
    found = score(probabilities[kept], labels[kept], CLASSES, resamples=20)
    recalls = [found["recall"][name]["value"] for name in "abc"]
    assert found["macro_recall"]["value"] == pytest.approx(np.mean(recalls))
    assert found["recall"]["d"] == {"value": None, "low": None, "high": None}
    assert found["absent"] == ["d"]
    assert over_classes(found) == "over 3 of 4 classes (d absent)"


def test_a_class_never_predicted_has_no_precision_to_speak_of_and_f1_zero() -> None:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (10, 1))
    labels = np.array([0] * 8 + [1] * 2)
    found = score(probabilities, labels, ("x", "y"), resamples=0)
    assert found["precision"]["y"]["value"] == 0
    assert found["f1"]["y"]["value"] == 0
    assert found["macro_recall"]["value"] == 0.5
    assert found["mcc"]["value"] == 0


def test_the_interval_of_accuracy_is_the_binomial_one() -> None:
    probabilities, labels = predictions(rows=2000)
    found = score(probabilities, labels, CLASSES)["accuracy"]
    half = 1.96 * np.sqrt(found["value"] * (1 - found["value"]) / 2000)
    assert found["high"] - found["value"] == pytest.approx(half, rel=0.15)
    assert found["value"] - found["low"] == pytest.approx(half, rel=0.15)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    covered = 0
    truth = score(*predictions(rows=200_000, seed=1), CLASSES, resamples=0)["accuracy"]["value"]
    for seed in range(100):
        found = score(*predictions(rows=300, seed=100 + seed), CLASSES, resamples=200)["accuracy"]
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


def test_the_same_seed_gives_the_same_intervals() -> None:
    probabilities, labels = predictions()
    assert score(probabilities, labels, CLASSES, seed=3) == score(probabilities, labels, CLASSES, seed=3)
