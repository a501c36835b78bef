"""Curves of the best so far, and the verdict: its interval against a plain loop, its pairs, and what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import compared, guesses, member, predictions, scored
from scipy.stats import ttest_rel
from studies import stored, study_of

from zoo.comparison.comparison import Comparison, comparison_of
from zoo.comparison.curve import Curve, band, second_curve, trial_band, trial_curve
from zoo.comparison.verdict import Verdict, lead, verdicts
from zoo.errors import UnknownName
from zoo.store.predictions import Predictions
from zoo.store.run import RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, StudyStatus, Trial, TrialStatus


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def trials_with(*values: float | str) -> tuple[Trial, ...]:
    """Trials with these values; a word is the status of one that has none."""
    return tuple(
        Trial(number=number, config={}, status=value)
        if isinstance(value, str)
        else Trial(number=number, config={}, status=TrialStatus.DONE, value=value)
        for number, value in enumerate(values, start=1)
    )


def over(study: Study, *values: float | str, **more: Any) -> Study:
    return replace(study, trials=trials_with(*values), **more)


# curves


def test_the_best_so_far_is_kept_where_a_trial_fails_and_is_nothing_before_the_first_value() -> None:
    study = over(study_of(("done",) * 6), "failed", 0.4, "timeout", 0.3, 0.6, 0.5)
    assert [trial_curve(study).at(number) for number in range(8)] == [None, None, 0.4, 0.4, 0.4, 0.6, 0.6, None]


def test_a_lower_loss_is_better() -> None:
    study = over(study_of(("done",) * 3, metric="validation_loss"), 0.4, 0.7, 0.3)
    assert [trial_curve(study).at(number) for number in (1, 2, 3)] == [0.4, 0.4, 0.3]


def test_a_curve_ends_at_the_last_trial_that_ended_and_holds_where_no_more_will_come() -> None:
    asked = study_of(("done",) * 6)
    under_way = over(asked, 0.4, 0.5, "running", status=StudyStatus.INTERRUPTED)
    assert [trial_curve(under_way).at(number) for number in (2, 3)] == [0.5, None]
    out_of_time = over(asked, 0.4, 0.5, "interrupted", status=StudyStatus.DONE)
    assert trial_curve(out_of_time).at(6) == 0.5


def test_seconds_are_those_of_all_trials_in_the_order_they_were_told(store: Store) -> None:
    studies = StudyStore(store)
    study = studies.create(study_of((), trials=3, name="race.random.0"))
    for number in (1, 2):
        studies.propose(study.name, number, {})
    studies.add_epochs(study.name, 1, 0.3, [(1, 0.3, 2.0)])
    studies.add_epochs(study.name, 2, 0.9, [(1, 0.9, 5.0)])  # at the same time, by another worker
    studies.add_epochs(study.name, 1, 0.5, [(1, 0.3, 2.0), (2, 0.5, 2.0)])  # what was told again counts once
    for number, status in ((1, StudyStatus.DONE), (2, RunStatus.FAILED)):
        studies.end(study.name, replace(studies.trial(study.name, number), status=status), 0.0)
    curve = second_curve(studies.get(study.name), studies.spent(study.name))
    assert curve == Curve(((2.0, 0.3), (9.0, 0.5)), 9.0)  # the failed trial took its time, and its value is none
    assert sum(trial.seconds for trial in studies.get(study.name).trials) == curve.end


def test_a_band_goes_from_where_all_seeds_have_a_value_to_where_the_first_ends() -> None:
    found = band([Curve(((1, 0.2), (5, 0.6)), 9), Curve(((2, 0.4), (12, 0.9)), 20), Curve((), 3)])
    assert found.seeds == 2  # the third has no value at all
    assert [(p.at, p.mean, p.low, p.high) for p in found.points] == [
        (2, pytest.approx(0.3), 0.2, 0.4),
        (5, pytest.approx(0.5), 0.4, 0.6),
        (9, pytest.approx(0.5), 0.4, 0.6),
    ]
    assert found.at(1) is found.at(10) is None
    assert found.at(4) == found.points[0]
    assert band([Curve(((1, 0.2),), 3), Curve(((4, 0.4),), 9)]).points == ()
    assert band([]).points == ()


def test_a_study_under_way_does_not_shorten_the_curve_of_those_that_are_over() -> None:
    over_now = over(member("random", 0), 0.4, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
    begun = over(member("random", 1), 0.9, status=StudyStatus.INTERRUPTED)
    waiting = over(member("random", 2), status="waiting")
    some = trial_band(Comparison("race", (over_now, begun, waiting)), "random")
    assert (some.seeds, some.points[-1].at, some.points[-1].mean) == (1, 8, 0.6)
    first = trial_band(Comparison("race", (begun, waiting)), "random")
    assert (first.seeds, first.points[-1].at, first.points[-1].mean) == (1, 1, 0.9)


def test_comparisons_are_found_by_name_and_the_nearest_is_said(store: Store) -> None:
    found = compared(store, {"random": 0.7, "optuna": 0.7}, (3, 1))
    stored(store, study_of(name="alone"))
    assert (found.searchers, found.seeds, found.status, found.trials) == (("random", "optuna"), (1, 3), "done", 8)
    assert [study.name for study in found.of("optuna")] == ["race.optuna.1", "race.optuna.3"]
    with pytest.raises(UnknownName, match=r"no comparison named 'rcae'\. Did you mean race\?"):
        comparison_of(StudyStore(store), "rcae")
    with pytest.raises(UnknownName, match="no comparison named 'alone'"):
        comparison_of(StudyStore(store), "alone")


# the verdict on tuning


def two_runs_each(store: Store, pairs: Mapping[int, tuple[Predictions, Predictions]], **request: Any) -> Comparison:
    """Random search from several seeds: the predictions of its winner, and of the defaults."""
    for seed, (tuned, plain) in pairs.items():
        study = stored(store, member("random", seed, **request))
        runs = {"run": scored(store, tuned).id, "defaults": scored(store, plain).id}
        StudyStore(store).update(replace(study, **runs))
    return comparison_of(StudyStore(store), "race")


def only(found: list[Verdict]) -> Verdict:
    (verdict,) = found
    return verdict


def test_a_gain_that_every_seed_has_is_seen_through_seeds_that_differ(store: Store) -> None:
    extra = np.arange(300) % 7 == 0
    shares = {0: 0.3, 1: 0.4, 2: 0.5, 3: 0.6, 4: 0.7}
    hits = {seed: np.random.default_rng(seed).random(300) < share for seed, share in shares.items()}
    pairs = {seed: (predictions(right | extra), predictions(right)) for seed, right in hits.items()}
    found = only(verdicts(store, two_runs_each(store, pairs)))
    assert found.verdict == "worth it"
    low, high = found.difference["low"], found.difference["high"]
    assert low is not None
    assert high is not None
    assert high - low < 0.12  # the scores of the seeds are 0.4 apart
    assert low > 0.02


def test_whole_groups_are_drawn_where_rows_are_grouped(store: Store) -> None:
    groups = np.arange(300) // 50
    plain, tuned = groups != 0, np.ones(300, bool)  # all of the gain is one patient's
    by_group = only(
        verdicts(
            store,
            two_runs_each(store, dict.fromkeys(range(5), (predictions(tuned, groups), predictions(plain, groups)))),
        )
    )
    assert (by_group.difference["low"] or 0) < 0
    assert by_group.verdict == "not shown"
    with Store(store.folder / "rows") as other:
        by_row = only(
            verdicts(other, two_runs_each(other, dict.fromkeys(range(5), (predictions(tuned), predictions(plain)))))
        )
    assert by_row.verdict == "worth it"
    assert by_row.difference["value"] == by_group.difference["value"]


def test_worse_and_no_difference(store: Store) -> None:
    hits = guesses(0.8, 0)
    same, worse = dict.fromkeys(range(5), (hits, hits)), dict.fromkeys(range(5), (guesses(0.4, 1), hits))
    nothing = only(verdicts(store, two_runs_each(store, same)))
    assert (nothing.difference, nothing.verdict) == ({"value": 0.0, "low": 0.0, "high": 0.0}, "not shown")
    with Store(store.folder / "worse") as other:
        assert only(verdicts(other, two_runs_each(other, worse))).verdict == "worse"


def test_the_same_question_has_the_same_answer_and_accuracy_is_compared_where_it_was_searched_for(store: Store) -> None:
    found = compared(store, {"random": 0.7}, metric="accuracy")
    first, second = verdicts(store, found), verdicts(store, found)
    assert first == second
    runs = [store.get(study.run).score("accuracy") for study in found.studies]
    assert (only(first).score, only(first).tuned) == ("accuracy", pytest.approx(np.mean(runs)))


def test_what_has_no_pair_of_scores_is_left_out_and_said(store: Store) -> None:
    studies, found = StudyStore(store), compared(store, {"random": 0.8}, range(5))
    failed, changed, gone, other, whole = found.studies
    run = store.get(failed.run)
    store.finish(replace(run, status=RunStatus.FAILED, error="no"))
    store.path(store.get(changed.run), "predictions.parquet").write_bytes(b"no")
    studies.update(replace(gone, run="00000000"))
    studies.update(replace(other, run=scored(store, guesses(0.8, 0, rows=100)).id))
    verdict = only(verdicts(store, comparison_of(studies, "race")))
    assert verdict.seeds == (4,)
    assert verdict.tuned == store.get(whole.run).score("macro_recall")
    assert [reason.partition(" ")[0] for reason in verdict.reasons] == [
        "run",
        str(store.folder) + f"/runs/{changed.run}/predictions.parquet",
        "no",
        "run",
    ]
    assert verdict.reasons[0] == f"run {failed.run} ended as failed"
    assert verdict.reasons[3].endswith("was scored on different test rows")


def test_of_what_is_not_over_there_is_no_verdict_yet(store: Store) -> None:
    StudyStore(store).create(member("random", 0, ()), status="waiting")
    stored(store, replace(member("optuna", 0, ("done", "interrupted")), status=StudyStatus.INTERRUPTED))
    found = comparison_of(StudyStore(store), "race")
    assert (found.status, found.done) == ("interrupted", 0)
    for verdict in verdicts(store, found):
        assert (verdict.seeds, verdict.tuned, verdict.difference["value"], verdict.verdict) == ((), None, None, "")
        assert verdict.reasons == ()
    assert lead(found) is None
    stored(store, member("hyperopt", 0, ("failed",) * 8))  # over, and without a winner
    assert verdicts(store, comparison_of(StudyStore(store), "race"))[2].reasons == (
        "study race.hyperopt.0 has no winner",
    )


# between searchers


def race(values: Mapping[str, list[float]], **request: Any) -> Comparison:
    """Studies of one trial, with these values by seed."""
    asked = {"trials": 1, **request}
    studies = [
        over(member(searcher, seed, ("done",), **asked), value)
        for searcher, found in values.items()
        for seed, value in enumerate(found)
    ]
    return Comparison("race", tuple(studies))


def test_below_five_seeds_no_searcher_is_called_better() -> None:
    found = lead(
        race({"random": [0.5, 0.6, 0.5, 0.5], "optuna": [0.9, 0.9, 0.9, 0.9], "hyperopt": [0.8, 0.95, 0.8, 0.9]})
    )
    assert found is not None
    assert (found.searchers, found.won, found.verdict) == (("optuna", "hyperopt"), (2, 1), "too few seeds")
    assert found.difference["value"] == pytest.approx(0.0375)


def test_with_five_seeds_one_that_is_better_throughout_is_ahead() -> None:
    slow, fast = [0.5, 0.7, 0.6, 0.8, 0.55], [0.52, 0.73, 0.62, 0.83, 0.57]
    found = lead(race({"random": slow, "optuna": fast}))
    assert found is not None
    assert (found.searchers, found.won, found.verdict) == (("optuna", "random"), (5, 0), "ahead")
    interval = ttest_rel(fast, slow).confidence_interval()
    assert (found.difference["low"], found.difference["high"]) == pytest.approx((interval.low, interval.high))
    by_loss = lead(race({"random": slow, "optuna": fast}, metric="validation_loss"))
    assert by_loss is not None
    assert (by_loss.searchers, by_loss.won, by_loss.verdict) == (("random", "optuna"), (5, 0), "ahead")
    mixed = lead(race({"random": slow, "optuna": [0.6, 0.6, 0.7, 0.7, 0.6]}))
    assert mixed is not None
    assert mixed.verdict == "not shown"


def test_searchers_are_compared_on_the_seeds_that_all_have_finished() -> None:
    found = race({"random": [0.5, 0.9, 0.9], "optuna": [0.6, 0.1, 0.1]})
    part = [
        replace(study, status=StudyStatus.INTERRUPTED) if study.name.endswith("optuna.1") else study
        for study in found.studies
    ]
    part = [over(study, "failed") if study.name.endswith("random.2") else study for study in part]
    both = lead(Comparison("race", tuple(part)))
    assert both is not None
    assert (both.seeds, both.searchers, both.difference["low"]) == ((0,), ("optuna", "random"), None)
    assert lead(race({"random": [0.5]})) is None
