"""Findings from stored runs that were made without training: pairs, metrics, reasons, and several data sets."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import CLASSES, guesses

from zoo.claims.answers import Answer
from zoo.claims.findings import Seen, compared
from zoo.claims.hypothesis import Direction, Part
from zoo.claims.measures import Measured, Seeds, of_numbers, of_scores
from zoo.claims.over_datasets import over_datasets
from zoo.claims.result import Finding
from zoo.metrics.differences import Difference, difference
from zoo.missing.shelf import Stored
from zoo.records import Interval
from zoo.store.predictions import predictions_of
from zoo.store.publishing import publish
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("results")) as opened:
        yield opened


def run_of(store: Store, share: float, seed: int, history: str = "", **more: Any) -> Stored:
    found = guesses(share, seed + int(1000 * share))
    begun = store.begin(
        Run(
            id="", key="k", architecture="fcn", dataset="waves", protocol="holdout", data="original", loss="", seed=seed
        )
    )
    parts = {"classes": list(CLASSES), "fingerprints": {"test": "t", "pool": "p"}}
    ended = replace(begun, status=RunStatus.DONE, scores=found.scores(), parts=parts, **more)
    artefacts = {"predictions.parquet": found.to_parquet(), "history.csv": history.encode(), "model.safetensors": b"w"}
    return Stored(store.finish(ended, artefacts), store)


def seeds_of(store: Store, one: float, other: float, number: int = 5) -> Seeds:
    return [(run_of(store, one, seed), run_of(store, other, seed)) for seed in range(number)]


BLANK = Finding(
    hypothesis="1", kind="difference", dataset="waves", metric="macro_recall", claim="", first="", second=""
)  # type: ignore[arg-type]


def test_scores_are_compared_as_zoo_compare_does_and_pairs_are_averaged(store: Store) -> None:
    pairs = seeds_of(store, 0.9, 0.8)
    found = of_scores([pairs], "macro_recall")
    outcomes = [tuple(predictions_of(store, each.run).outcome for each in pair) for pair in pairs]
    alone = difference([(one, other) for one, other in outcomes], "macro_recall")
    assert found.difference is not None
    assert found.difference.limits == alone.limits
    other = seeds_of(store, 0.85, 0.85)
    both = of_scores([pairs, other], "macro_recall").difference
    second = of_scores([other], "macro_recall").difference
    assert both is not None
    assert second is not None
    assert both.values == pytest.approx((found.difference.values + second.values) / 2)
    assert both.variances[1] < found.difference.variances[1]
    assert "no class z" in of_scores([pairs], "recall:z").reason


def test_a_finding_has_effect_interval_seeds_and_runs(store: Store) -> None:
    pairs = seeds_of(store, 0.95, 0.6)
    finding = compared(Part(margin=0.1), BLANK, [pairs], range(5), ()).finding
    assert finding.answer == Answer.CONFIRMED
    assert (finding.seeds, finding.seeds_needed, len(finding.runs)) == ((0, 1, 2, 3, 4), 5, 10)
    assert 0.1 < finding.difference["low"] < finding.difference["value"] < finding.difference["high"]
    assert compared(Part(margin=0.9), BLANK, [pairs], range(5), ()).finding.answer == Answer.REFUTED
    few = compared(Part(margin=0.0), BLANK, [pairs[:3]], range(3), ()).finding
    assert (few.answer, few.reason) == (Answer.UNDECIDED, "3 seeds: an answer needs 5")
    same = compared(Part(margin=0.0), BLANK, [seeds_of(store, 0.8, 0.801)], range(5), ()).finding
    assert same.answer == Answer.UNDECIDED
    assert same.reason.endswith("would decide it") or same.rows_bound
    none = compared(Part(), replace(BLANK, missing=4), [], (), ()).finding
    assert (none.reason, none.difference.value) == ("not run", None)


HISTORY = "number,macro_recall,steps\n1,0.2,10\n2,{:.2f},10\n3,0.6,10\n"


@pytest.mark.parametrize(
    ("metric", "ratio", "value"),
    [
        ("overfitting", False, 0.3),
        ("steps_to:0.5", False, -10),
        ("steps_to:0.5", True, 2 / 3),
        ("train_seconds", True, 0.5),
    ],
)
def test_numbers_of_runs_are_compared_over_seeds(store: Store, metric: str, ratio: bool, value: float) -> None:
    """The first group reaches 0.5 an epoch earlier; its kept epoch, the second, has 0.55, that of the second 0.45."""
    cost: dict[str, Any] = {"best_epoch": 2}
    one = {"cost": {"train_seconds": 2.0}, "train_macro_recall": 0.95, **cost}
    other = {"cost": {"train_seconds": 4.0}, "train_macro_recall": 0.55, **cost}
    pairs = [
        (run_of(store, 0.9, seed, HISTORY.format(0.55), **one), run_of(store, 0.9, seed, HISTORY.format(0.45), **other))
        for seed in range(5)
    ]
    found = of_numbers([pairs], metric, ratio=ratio)
    assert found.difference is not None
    assert (np.exp(found.difference.mean) if ratio else found.difference.mean) == pytest.approx(value)
    low, high = found.difference.limits
    assert (low < high) == metric.startswith("steps_to"), "steps are known up to an epoch, so five equal ones vary"
    never = of_numbers([pairs], "steps_to:0.9", ratio=False)
    assert "10 runs of both groups never reached 0.9" in never.reason
    late = of_numbers([[(one, two) for one, two in pairs]], "steps_to:0.6", ratio=False)
    assert not late.at_least


def test_a_score_that_one_group_never_reached_is_a_bound(store: Store) -> None:
    early, late = "number,macro_recall,steps\n1,0.7,10\n", "number,macro_recall,steps\n1,0.2,10\n2,0.3,10\n"
    pairs = [(run_of(store, 0.9, seed, early), run_of(store, 0.9, seed, late)) for seed in range(5)]
    found = of_numbers([pairs], "steps_to:0.5", ratio=False)
    assert (found.at_least, found.at_most) == (False, True)
    assert (found.interval.value, found.interval.low) == (-10.0, None)
    assert "no macs" in of_numbers([pairs], "macs", ratio=False).reason


def test_published_runs_keep_scores_by_class_histories_and_hashes_and_no_probabilities(store: Store) -> None:
    pairs = seeds_of(store, 0.9, 0.7)
    runs = [each for pair in pairs for each in pair]
    assert publish([(each.store, each.run) for each in runs], [], Path("published")) == 10
    with Store(Path("published"), create=False) as small:
        copies = {run.id: Stored(run, small) for run in small.runs()}
        copied = [(copies[one.run.id], copies[other.run.id]) for one, other in pairs]
        for metric in ("macro_recall", "mcc", "f1:c"):
            before, after = of_scores([pairs], metric).difference, of_scores([copied], metric).difference
            assert before is not None
            assert after is not None
            assert after.limits == pytest.approx(before.limits)
        assert of_scores([copied], "auroc").difference is None
        assert of_scores([copied], "log_loss").reason.endswith("no probabilities for this score")
        first = runs[0].run
        assert copies[first.id].run.scores == first.scores
        assert small.digest(first, "model.safetensors") == store.digest(first, "model.safetensors") != ""
        assert predictions_of(small, first).groups is None
    assert sorted(path.name for path in Path("published").iterdir()) == ["runs", "zoo.db"], "no log beside the database"
    assert not list(Path("published").rglob("model.safetensors"))


def of_dataset(mean: float, answer: Answer, seeds: int = 5) -> Seen:
    values = np.full(seeds, mean)
    finding = replace(BLANK, answer=answer, difference=Interval(mean), seeds=tuple(range(seeds)))
    return Seen(finding, Measured(Difference(values, (0.0, 0.0), (4, 4))))


def test_over_data_sets_each_counts_once() -> None:
    yes, no, open_ = Answer.CONFIRMED, Answer.REFUTED, Answer.UNDECIDED
    part = Part(margin=0.0, direction=Direction.HIGHER)
    several = {
        answers: over_datasets(part, [of_dataset(0.1, each) for each in answers])
        for answers in ((yes, yes), (no, no), (yes, no), (yes, open_))
    }
    assert [found.answer for found in several.values()] == [yes, no, open_, open_]
    assert several[yes, yes].dataset == "2 data sets"
    six = over_datasets(part, [of_dataset(0.01 * number, open_) for number in range(1, 7)])
    assert (six.answer, six.difference.low, six.p) == (yes, pytest.approx(0.01), pytest.approx(1 / 32))
    assert over_datasets(replace(part, margin=0.07), [of_dataset(0.01 * n, yes) for n in range(1, 7)]).answer == no
