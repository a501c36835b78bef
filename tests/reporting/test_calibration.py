"""Calibration, decisions and groups over data sets, each against an independent computation."""

import base64
from itertools import combinations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from zoo.reporting.calibration import MOST_ROWS, probabilities, reliability
from zoo.reporting.cliques import cliques_of
from zoo.store.predictions import Predictions
from zoo.versus.result import DatasetComparison, Verdict
from zoo.versus.several import over_datasets


def drawn(rows: int, seed: int, *, decided: bool = False) -> Predictions:
    rng = np.random.default_rng(seed)
    found = rng.dirichlet([1, 1, 0.5], rows).astype(np.float32)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in found.astype(float)])
    return Predictions(found, labels, np.arange(rows), ("a", "b", "c"), decided=decided)


def test_the_reliability_curve_is_that_of_scikit_learn() -> None:
    seeds = [drawn(200, seed) for seed in range(3)]
    confidence = np.concatenate([each.probabilities.max(1) for each in seeds]).astype(float)
    hits = np.concatenate([each.probabilities.argmax(1) == each.labels for each in seeds])
    accuracy, mean = calibration_curve(hits, confidence, n_bins=15)
    found = reliability(seeds)
    assert [each.accuracy for each in found] == pytest.approx(accuracy)
    assert [each.confidence for each in found] == pytest.approx(mean)
    assert sum(each.rows for each in found) == 600
    outcome = seeds[0].outcome
    error = sum(each.rows * abs(each.confidence - each.accuracy) for each in reliability(seeds[:1])) / 200
    assert error == pytest.approx(outcome.values()["ece"])


def test_published_predictions_have_no_calibration() -> None:
    assert reliability([drawn(50, 0, decided=True)]) == ()
    assert reliability([]) == ()
    assert probabilities(0, drawn(50, 0, decided=True)) is None


@pytest.mark.parametrize("rows", [60, 5_000])
def test_probabilities_are_those_of_some_rows_of_each_class_in_no_order_of_the_data(rows: int) -> None:
    found = drawn(rows, 0)
    sample = probabilities(7, found)
    assert sample is not None
    values = np.frombuffer(base64.b64decode(sample.values), "<f4").reshape(-1, 3)
    counts = np.bincount(found.labels, minlength=3)
    assert sample.of == tuple(counts)
    assert sample.rows == tuple(np.minimum(counts, MOST_ROWS // 3))
    assert sample.seed == 7
    for number, part in enumerate(np.split(values, np.cumsum(sample.rows)[:-1])):
        own = {tuple(row) for row in found.probabilities[found.labels == number].tolist()}
        assert {tuple(row) for row in part.tolist()} <= own
        assert part[:, -1].tolist() == sorted(part[:, -1].tolist())


def compared(scores: dict[str, list[float]]) -> DatasetComparison:
    table = {f"set{number}": {name: values[number] for name, values in scores.items()} for number in range(10)}
    found = over_datasets(table, "accuracy", all_pairs=True)
    assert found is not None
    return found


def test_the_bars_join_the_largest_groups_without_a_significant_difference() -> None:
    rng = np.random.default_rng(3)
    means = {"a": 0.9, "b": 0.89, "c": 0.88, "d": 0.8, "e": 0.79, "f": 0.5}
    found = compared({name: (mean + rng.normal(0, 0.01, 10)).tolist() for name, mean in means.items()})
    apart = {
        frozenset((pair.configuration, pair.baseline))
        for pair in found.pairs
        if pair.verdict in (Verdict.BETTER, Verdict.WORSE)
    }
    names = list(found.mean_ranks)
    alike = [
        set(group)
        for size in range(1, 7)
        for group in combinations(names, size)
        if not any(frozenset(pair) in apart for pair in combinations(group, 2))
    ]
    largest = [group for group in alike if len(group) > 1 and not any(group < other for other in alike)]
    assert sorted(map(sorted, cliques_of(found))) == sorted(map(sorted, largest))
    assert 1 <= len(largest) <= 5
