"""The expected score of a configuration: over rows with few seeds, over seeds and rows from five on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparing import guesses, scored
from scipy.stats import t

from zoo.metrics import score
from zoo.metrics.limits import Z
from zoo.records import Interval
from zoo.store.expected import expected
from zoo.store.run import Run
from zoo.store.runs import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def runs_of(store: Store, seeds: int, groups: np.ndarray | None = None) -> list[Run]:
    return [scored(store, guesses(0.8, seed, groups), seed=seed) for seed in range(seeds)]


def test_one_seed_has_the_interval_of_its_run(store: Store) -> None:
    (run,) = runs_of(store, 1)
    found = expected(store, [run], "macro_recall")
    assert found.interval == run.scores.macro_recall
    assert (found.deviation, found.over) == (None, "rows")


def test_few_seeds_have_an_interval_over_rows_that_is_narrower_than_of_one(store: Store) -> None:
    runs = runs_of(store, 4)
    found = expected(store, runs, "accuracy")
    values = [run.score("accuracy") or 0.0 for run in runs]
    assert found.interval.value == pytest.approx(np.mean(values))
    assert (found.deviation, found.over) == (pytest.approx(np.std(values, ddof=1)), "rows")
    widths = [(each.high or 0) - (each.low or 0) for each in (found.interval, runs[0].scores.accuracy)]
    assert widths[0] / widths[1] == pytest.approx(0.5, rel=0.2)  # these seeds are wrong on rows of their own


def test_five_seeds_have_an_interval_over_seeds_and_rows(store: Store) -> None:
    runs = runs_of(store, 6)
    found = expected(store, runs, "accuracy")
    values = np.array([run.score("accuracy") for run in runs], float)
    hits = np.array([guesses(0.8, seed).probabilities.argmax(1) == guesses(0.8, seed).labels for seed in range(6)])
    deviations = hits.std(1, ddof=1) / np.sqrt(300)
    ratio = hits.mean(0).std(ddof=1) / np.sqrt(300) / deviations.mean()
    below = np.mean([each.scores.accuracy.value - each.scores.accuracy.low for each in runs]) * ratio  # type: ignore[operator]
    between, within = values.var(ddof=1) / 6, (below / Z) ** 2
    freedom = (between + within) ** 2 / (between**2 / 5 + within**2 / 299)
    assert found.over == "seeds and rows"
    assert found.interval.low == pytest.approx(values.mean() - t.ppf(0.975, freedom) * np.sqrt(between + within))


@pytest.mark.parametrize("metric", ["macro_recall", "macro_f1", "accuracy", "mcc", "auroc"])
def test_each_score_has_an_interval_in_its_range(store: Store, metric: str) -> None:
    groups = np.arange(300) % 29
    interval = expected(store, runs_of(store, 5, groups), metric).interval
    assert interval.low is not None
    assert interval.high is not None
    assert interval.value is not None
    assert -1 <= interval.low < interval.value < interval.high <= 1


def test_reasons_take_the_place_of_an_interval(store: Store) -> None:
    groups = np.arange(300) % 4
    found = expected(store, runs_of(store, 2, groups), "macro_recall")
    assert found.interval.low is None
    assert found.interval.reason.startswith("class a has ")
    changed = runs_of(store, 2)
    store.path(changed[1], "predictions.parquet").write_bytes(b"no")
    assert "has changed since it was stored" in expected(store, changed, "accuracy").interval.reason
    unscored = [replace(changed[0], scores={})]
    assert expected(store, unscored, "accuracy").interval == Interval()


def test_intervals_of_an_earlier_release_are_computed_again(store: Store) -> None:
    (run,) = runs_of(store, 1)
    bootstrapped = replace(
        run.scores, ece=Interval(0.1, 0.05, 0.2), macro_recall=replace(run.scores.macro_recall, low=0.0)
    )
    earlier = replace(run, scores=bootstrapped)
    found = guesses(0.8, 0)
    assert (
        expected(store, [earlier], "macro_recall").interval
        == score(found.probabilities, found.labels, "abc").macro_recall
    )
