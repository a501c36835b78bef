"""Every number of a verdict and of a lead, against plain numpy and scipy; where the words change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import guesses, labels_of, member, predictions, scored
from scipy import stats
from studies import stored

from zoo.comparison.comparison import Comparison, comparison_of
from zoo.comparison.curve import Band, Curve, Point, band, second_curve, trial_curve
from zoo.comparison.verdict import Lead, Verdict, lead, verdicts
from zoo.metrics.seeds import FEWEST
from zoo.store.predictions import Predictions
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, StudyStatus, Trial, TrialStatus


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


Pairs = Sequence[tuple[Predictions, Predictions]]


def held(store: Store, pairs: Pairs, searcher: str = "random", **request: Any) -> Comparison:
    """A comparison in which each seed has a winner and the defaults with these predictions."""
    for seed, (tuned, plain) in enumerate(pairs):
        study = stored(store, member(searcher, seed, ("done",), **request))
        runs = {"run": scored(store, tuned).id, "defaults": scored(store, plain).id}
        StudyStore(store).update(replace(study, **runs))
    return comparison_of(StudyStore(store), "race")


def only(found: list[Verdict]) -> Verdict:
    (verdict,) = found
    return verdict


# on the test set


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("seeds", [3, 6])
@pytest.mark.parametrize("metric", ["macro_recall", "accuracy"])
def test_the_interval_is_over_rows_and_from_five_seeds_on_over_seeds(
    store: Store, metric: str, seeds: int, grouped: bool
) -> None:
    groups = np.arange(120) % 12 if grouped else None
    pairs = [(guesses(0.8, seed, groups, 120), guesses(0.6, 9 + seed, groups, 120)) for seed in range(seeds)]
    found = only(verdicts(store, held(store, pairs, metric=metric)))

    labels = pairs[0][0].labels
    weights = 1 / (np.bincount(labels)[labels] * 3) if metric == "macro_recall" else np.full(120, 1 / 120)
    right = np.array([[each.probabilities.argmax(1) == labels for each in pair] for pair in pairs])
    by_row = (right[:, 0] * 1.0 - right[:, 1]) * weights
    values, mean_rows = by_row.sum(1), by_row.mean(0)
    units = mean_rows if groups is None else np.array([mean_rows[groups == group].sum() for group in range(12)])
    within = max(len(each) / (len(each) - 1) * (each**2).sum() for each in (mean_rows, units))
    between = values.var(ddof=1) / seeds if seeds >= 5 else 0.0
    parts = [(between, seeds - 1), (within, len(units) - 1)]
    half = np.sqrt(sum(stats.t.ppf(0.975, freedom) ** 2 * variance for variance, freedom in parts))
    mean = values.mean()
    assert found.difference == pytest.approx({"value": mean, "low": mean - half, "high": mean + half})
    assert found.deviation == pytest.approx(values.std(ddof=1))
    assert (found.tuned or 0) - (found.defaults or 0) == pytest.approx(mean)
    assert (found.verdict == "too few seeds") == (seeds < 5)
    assert found.resampled == ("12 groups" if grouped else "rows")


def test_a_class_of_one_row_proves_nothing_however_many_seeds_agree(store: Store) -> None:
    labels = np.r_[np.zeros(30), np.ones(30), [2]].astype(int)
    said = np.where(labels == 2, 0, labels)
    plain, tuned = (
        Predictions(np.eye(3, dtype=np.float32)[each], labels, np.arange(61), tuple("abc")) for each in (said, labels)
    )
    found = only(verdicts(store, held(store, [(tuned, plain)] * 10)))
    assert found.difference["value"] == pytest.approx(1 / 3)
    assert found.verdict == "not shown"


def test_too_few_patients_of_a_class_are_the_reason_for_no_interval(store: Store) -> None:
    groups = np.arange(300) % 20
    groups[labels_of() == 2] = 19  # all rows of class c are of one patient
    full, part = predictions(np.ones(300, bool), groups), predictions(np.arange(300) % 4 != 0, groups)
    found = only(verdicts(store, held(store, [(full, part)] * 5)))
    assert found.verdict == "no interval"
    assert (found.difference["low"], found.difference["high"]) == (None, None)
    assert found.difference["reason"] == "class c has 1 group, 1.0 effective: fewer than 5"
    with Store(store.folder / "accuracy") as other:
        assert only(verdicts(other, held(other, [(full, part)] * 5, metric="accuracy"))).verdict == "worth it"


def test_what_was_searched_for_decides_the_score_that_is_compared(store: Store) -> None:
    scores = {
        metric: Comparison("race", (member("random", 0, metric=metric),)).score
        for metric in ("accuracy", "macro_recall", "validation_loss")
    }
    assert scores == {"accuracy": "accuracy", "macro_recall": "macro_recall", "validation_loss": "macro_recall"}


@pytest.mark.parametrize("better", [True, False])
def test_an_interval_that_contains_zero_shows_nothing(store: Store, better: bool) -> None:
    groups = np.arange(60) // 10
    full, part = predictions(np.ones(60, bool), groups), predictions(groups != 0, groups)  # of six patients one differs
    found = only(verdicts(store, held(store, [(full, part) if better else (part, full)] * 5)))
    assert found.verdict == "not shown"
    assert (found.difference["low"] or 0) < 0 < (found.difference["high"] or 0)
    assert found.difference["value"] == pytest.approx(1 / 6 if better else -1 / 6)


@pytest.mark.parametrize(("better", "verdict"), [(True, "worth it"), (False, "worse")])
def test_an_interval_on_one_side_of_zero_shows_which(store: Store, better: bool, verdict: str) -> None:
    full, part = predictions(np.ones(60, bool)), predictions(np.arange(60) % 4 != 0)
    with Store(store.folder / "few") as other:
        few = held(other, [(full, part) if better else (part, full)] * 4)
        assert only(verdicts(other, few)).verdict == "too few seeds"
    found = only(verdicts(store, held(store, [(full, part) if better else (part, full)] * 5)))
    assert found.verdict == verdict
    assert found.difference["low"] is not None
    assert found.difference["high"] is not None
    assert (found.difference["low"] > 0, found.difference["high"] < 0) == (better, not better)


def test_a_verdict_counts_what_the_search_cost_over_all_seeds(store: Store) -> None:
    hits = guesses(0.8, 0, rows=40)
    held(store, [(hits, hits)])
    stored(
        store, replace(member("random", 1, ("done", "failed", "pruned", "interrupted")), status=StudyStatus.INTERRUPTED)
    )
    stored(store, member("optuna", 0, ("done", "timeout")))
    first, second = verdicts(store, comparison_of(StudyStore(store), "race"))
    # The seconds of a trial are 1.5 times its number, where it had an epoch.
    assert (first.searcher, first.trials, first.seconds, first.seeds) == ("random", 4, 1.5 + 1.5 + 4.5, (0,))
    assert (second.searcher, second.trials, second.seconds, second.seeds) == ("optuna", 2, 1.5 + 3.0, ())
    assert (second.tuned, second.defaults, second.verdict) == (None, None, "")
    assert second.difference == {"value": None, "low": None, "high": None}
    assert second.reasons == ("study race.optuna.0 has no winner",)


def other_rows(what: str) -> Predictions:
    found = predictions(np.ones(40, bool))
    labels = labels_of(40)
    changed: Mapping[str, Any] = {
        "labels": {"labels": np.where(np.arange(40) == 7, (labels + 1) % 3, labels)},
        "index": {"index": np.arange(1, 41)},
        "classes": {"classes": ("a", "b", "d")},
    }[what]
    return replace(found, **changed)


@pytest.mark.parametrize("what", ["labels", "index", "classes"])
def test_a_winner_scored_on_other_rows_is_no_pair(store: Store, what: str) -> None:
    same = predictions(np.arange(40) % 4 != 0)
    found = held(store, [(predictions(np.ones(40, bool)), same), (other_rows(what), same)])
    verdict = only(verdicts(store, found))
    assert verdict.seeds == (0,)
    assert verdict.tuned == 1.0
    run = found.studies[1].run
    assert verdict.reasons == (f"run {run} was scored on different test rows",)


# between searchers


def race(values: Mapping[str, Sequence[float]], **request: Any) -> Comparison:
    """Studies that are over, each of one trial, with these values by seed."""
    asked = {"trials": 1, **request}
    studies = []
    for searcher, found in values.items():
        for seed, value in enumerate(found):
            trials = (Trial(number=1, config={}, status=TrialStatus.DONE, value=value),)
            studies.append(replace(member(searcher, seed, ("done",), **asked), trials=trials))
    return Comparison("race", tuple(studies))


def led(comparison: Comparison) -> Lead:
    found = lead(comparison)
    assert found is not None
    return found


@pytest.mark.parametrize("seeds", [2, 3, 5, 12])
@pytest.mark.parametrize("metric", ["macro_recall", "validation_loss"])
def test_between_searchers_the_interval_is_students_of_paired_differences(seeds: int, metric: str) -> None:
    rng = np.random.default_rng(seeds)
    one, other = rng.normal(0.7, 0.1, seeds), rng.normal(0.6, 0.1, seeds)
    higher, lower = (one, other) if one.mean() > other.mean() else (other, one)
    first, second = (higher, lower) if metric == "macro_recall" else (lower, higher)
    found = led(race({"random": list(second), "optuna": list(first)}, metric=metric))
    differences = first - second
    interval = stats.t.interval(0.95, seeds - 1, differences.mean(), stats.sem(differences))
    assert found.searchers == ("optuna", "random")
    assert (found.metric, found.seeds) == (metric, tuple(range(seeds)))
    assert found.values == (pytest.approx(first.mean()), pytest.approx(second.mean()))
    assert found.difference == pytest.approx({"value": differences.mean(), "low": interval[0], "high": interval[1]})
    better = differences > 0 if metric == "macro_recall" else differences < 0
    assert found.won == (better.sum(), seeds - better.sum())
    assert (found.difference["value"] or 0) * (1 if metric == "macro_recall" else -1) > 0


@pytest.mark.parametrize(
    ("seeds", "metric", "verdict"),
    [(4, "accuracy", "too few seeds"), (5, "accuracy", "ahead"), (5, "validation_loss", "ahead")],
)
def test_it_takes_five_seeds_to_be_ahead(seeds: int, metric: str, verdict: str) -> None:
    low, high = [0.5] * seeds, [0.75] * seeds
    slow, fast = (high, low) if metric == "validation_loss" else (low, high)
    found = led(race({"random": slow, "optuna": fast}, metric=metric))
    assert (found.searchers, found.won, found.verdict) == (("optuna", "random"), (seeds, 0), verdict)
    sign = -1 if metric == "validation_loss" else 1
    assert found.difference == {"value": sign * 0.25, "low": sign * 0.25, "high": sign * 0.25}
    assert FEWEST == 5


def test_a_tie_shows_nothing_and_wins_no_seed() -> None:
    found = led(race({"random": [0.5] * 5, "optuna": [0.5] * 5}))
    assert (found.searchers, found.won, found.verdict) == (("random", "optuna"), (0, 0), "not shown")
    assert found.difference == {"value": 0.0, "low": 0.0, "high": 0.0}
    part = led(race({"random": [0.5, 0.5, 0.5, 0.5, 0.5], "optuna": [0.5, 0.5, 0.5, 0.75, 0.25]}))
    assert part.won == (1, 1)


def test_of_one_seed_there_is_a_difference_and_no_interval() -> None:
    found = led(race({"random": [0.5], "optuna": [0.75]}))
    assert found.difference == {"value": 0.25, "low": None, "high": None}
    assert (found.won, found.verdict) == ((1, 0), "too few seeds")


def test_searchers_with_different_budgets_are_compared_after_the_smallest() -> None:
    small, large = race({"random": [0.6]}).studies[0], member("optuna", 0, ("done",) * 2, trials=2)
    values = (
        Trial(number=1, config={}, status=TrialStatus.DONE, value=0.5),
        Trial(number=2, config={}, status=TrialStatus.DONE, value=0.9),
    )
    comparison = Comparison("race", (small, replace(large, trials=values)))
    assert comparison.trials == 1
    assert led(comparison).values == (0.6, 0.5)


def test_a_searcher_that_has_finished_no_seed_leaves_the_others_to_be_compared() -> None:
    found = race({"random": [0.5, 0.6], "optuna": [0.7, 0.8], "hyperopt": [0.9, 0.9]})
    waiting = [replace(study, status="waiting") if study.searcher == "hyperopt" else study for study in found.studies]
    part = led(Comparison("race", tuple(waiting)))
    assert (part.searchers, part.seeds) == (("optuna", "random"), (0, 1))
    assert lead(Comparison("race", tuple(waiting[2:]))) is None


# comparisons and their curves


def asked(searcher: str, seed: int, status: str = StudyStatus.DONE, **request: Any) -> Study:
    return replace(member(searcher, seed, (), **request), status=status)


def test_a_comparison_says_what_it_is_of() -> None:
    found = Comparison(
        "race",
        (
            asked("random", 9, metric="validation_loss", trials=6, architecture="cnngru.study"),
            asked("optuna", 9, metric="validation_loss", trials=5, architecture="cnngru.study"),
            asked("random", 2, metric="validation_loss", trials=6, architecture="cnngru.study"),
        ),
    )
    assert found.to_json() == {
        "name": "race",
        "status": "done",
        "architecture": "cnngru.study",
        "metric": "validation_loss",
        "mode": "min",
        "score": "macro_recall",
        "searchers": ["random", "optuna"],
        "seeds": [2, 9],
        "trials": 5,
    }
    assert [study.request["seed"] for study in found.of("random")] == [2, 9]
    assert found.marks() == {0.25: 2, 0.5: 3, 1.0: 5}


@pytest.mark.parametrize(
    ("statuses", "status", "done"),
    [
        ((StudyStatus.DONE, StudyStatus.DONE), "done", 2),
        ((StudyStatus.DONE, StudyStatus.RUNNING), "running", 1),
        ((StudyStatus.INTERRUPTED, StudyStatus.RUNNING), "running", 0),
        ((StudyStatus.DONE, "waiting"), "interrupted", 1),
    ],
)
def test_a_comparison_is_done_when_all_its_studies_are(statuses: tuple[str, str], status: str, done: int) -> None:
    found = Comparison("race", tuple(asked("random", seed, each) for seed, each in enumerate(statuses)))
    assert (found.status, found.done) == (status, done)


@pytest.mark.parametrize(("mode", "better"), [("macro_recall", (0.5, 0.7)), ("validation_loss", (0.5, 0.3))])
def test_a_curve_has_a_step_where_a_trial_was_truly_better(mode: str, better: tuple[float, float]) -> None:
    values = [better[0], better[0], better[1], better[1]]
    trials = tuple(
        Trial(number=n, config={}, status=TrialStatus.DONE, value=value) for n, value in enumerate(values, start=1)
    )
    study = replace(asked("random", 0, metric=mode, trials=4), trials=trials)
    assert trial_curve(study) == Curve(((1, better[0]), (3, better[1])), 4)


def test_a_curve_is_known_from_its_first_value_to_its_end() -> None:
    curve = Curve(((2.0, 0.4), (5.0, 0.6)), 7.0)
    assert [curve.at(place) for place in (1.9, 2.0, 4.9, 5.0, 7.0, 7.1)] == [None, 0.4, 0.4, 0.6, 0.6, None]


def test_a_curve_of_a_study_with_more_trials_than_were_asked_for_goes_to_its_last() -> None:
    trials = tuple(Trial(number=n, config={}, status="pruned", value=n / 10) for n in (1, 2, 3))
    study = replace(asked("random", 0, trials=2), trials=trials)
    assert trial_curve(study).end == 3
    assert trial_curve(replace(study, trials=())) == Curve((), 2)
    assert trial_curve(replace(study, trials=(), status=TrialStatus.RUNNING)) == Curve((), 0)


def test_seconds_count_the_epochs_of_trials_that_gave_no_score() -> None:
    statuses = ("failed", "pruned", "running", "done")
    trials = tuple(Trial(number=n, config={}, status=status) for n, status in enumerate(statuses, start=1))
    study = replace(asked("random", 0, metric="validation_loss"), trials=trials)
    spent = [(1, 1, 0.1, 1.0), (2, 1, 0.9, 2.0), (3, 1, 0.2, 4.0), (4, 1, 0.8, 8.0), (2, 2, 0.85, 16.0)]
    assert second_curve(study, spent) == Curve(((3.0, 0.9), (15.0, 0.8)), 31.0)
    assert second_curve(study, []) == Curve((), 0.0)


def test_a_band_is_known_from_its_first_point_to_its_last() -> None:
    found = band([Curve(((1, 0.25), (3, 0.75)), 6), Curve(((2, 0.5),), 4)])
    points = (Point(2, 0.375, 0.25, 0.5), Point(3, 0.625, 0.5, 0.75), Point(4, 0.625, 0.5, 0.75))
    assert found == Band(2, points)
    assert [found.at(place) for place in (1.9, 2, 2.9, 3, 4, 4.1)] == [
        None, points[0], points[0], points[1], points[2], None
    ]  # fmt: skip
    assert found.to_json()["points"][0] == {"at": 2, "mean": 0.375, "low": 0.25, "high": 0.5}
    assert band([Curve(((3, 0.5),), 3), Curve(((1, 0.25),), 9)]) == Band(2, (Point(3, 0.375, 0.25, 0.5),))
    assert band([]).at(0) is None
