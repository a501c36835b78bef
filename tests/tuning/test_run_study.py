"""A study from its request to its winner, as far as that needs no worker: what is asked anew, its end."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from studies import stored, study_of, tune_request

from zoo.data.scaling import Scaling
from zoo.errors import DataError, ModelError, UsageError
from zoo.records import SplitSummary
from zoo.space import Choice, Float
from zoo.store.heartbeat import start_of
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, Trial
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.run_study import (
    ResumeOptions,
    StudyRun,
    _told_of,
    begun_on,
    is_finished,
    plan_study,
    resume_study,
)
from zoo.workspace import Workspace


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


# what is asked anew


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (ResumeOptions(), (4, 2, "auto")),
        (ResumeOptions(trials=9), (9, 2, "auto")),
        (ResumeOptions(jobs=3), (4, 3, "auto")),
        (ResumeOptions(address="there:1"), (4, 2, "there:1")),
        (ResumeOptions(address="local"), (4, 2, None)),
        (ResumeOptions(trials=3), (3, 2, "auto")),
    ],
)
def test_what_is_not_asked_anew_stays(options: ResumeOptions, expected: tuple[Any, ...]) -> None:
    study = replace(study_of(("done",) * 3, trials=4, jobs=2, address="auto", epochs=7), notes=("n",))
    found = options.applied(study)
    assert tuple(found.request[key] for key in ("trials", "jobs", "address")) == expected
    changed = {"trials": expected[0], "jobs": expected[1], "address": expected[2]}
    assert found == replace(study, request={**study.request, **changed})


def test_fewer_trials_than_there_are_cannot_be_asked_for() -> None:
    study = study_of(("done",) * 3, trials=4)
    with pytest.raises(UsageError, match="study 'cnngru-optuna-0' already has 3 trials, more than 2"):
        ResumeOptions(trials=2).applied(study)


@pytest.mark.parametrize(
    ("statuses", "more", "finished"),
    [
        (("done", "failed"), {}, True),
        (("done", "interrupted"), {}, False),
        (("done", "running"), {}, False),
        (("done", "done"), {"run": ""}, False),
        (("done", "done"), {"status": "interrupted"}, False),
        (("done",), {}, False),
        (("done", "done", "done"), {}, True),
    ],
)
def test_a_study_is_finished_with_all_its_trials_and_its_winners_run(
    statuses: tuple[str, ...], more: dict[str, str], finished: bool
) -> None:
    assert is_finished(replace(study_of(statuses, trials=2), **{"run": "1a2b", **more})) is finished


# planning


def planned(workspace: Workspace, **given: Any) -> Study:
    usual = {"architecture": "cnngru", "name": "mine", "overrides": ("dropout=0.1,0.2",), "space": "default"}
    return plan_study(workspace, tune_request(**{**usual, **given}))


@pytest.mark.parametrize(
    ("given", "startup"),
    [
        ({"trials": 1}, 3),
        ({"trials": 12}, 3),
        ({"trials": 16}, 4),
        ({"trials": 20}, 5),
        ({"trials": 40}, 10),
        ({"trials": 400}, 10),
        ({"trials": 20, "startup": 1}, 1),
        ({"trials": 20, "startup": 15}, 15),
    ],
)
def test_a_quarter_of_the_trials_are_random_three_at_least_and_ten_at_most(workspace, given, startup) -> None:
    assert planned(workspace, **given).request["startup"] == startup


def test_a_planned_study_is_what_was_asked(workspace) -> None:
    study = planned(workspace, trials=8, seed=3, search="optuna", overrides=("dropout=0.1..0.2", "hidden=4,8"))
    assert (study.name, study.wanted, study.searcher, study.request["seed"]) == ("mine", 8, "optuna", 3)
    assert study.space["dropout"] == Float(0.1, 0.2)
    assert study.space["hidden"] == Choice(4, 8)
    assert (study.trials, study.notes) == ((), ())


ONE_MEMBER = "a trial trains one member of the ensemble; the winner's run trains all of them"
NO_LEARNING = "hyperband requests all configurations before the first result, so the searcher cannot learn from results"


@pytest.mark.parametrize(
    ("given", "notes"),
    [
        ({"assignments": {"training.members": 2}}, (ONE_MEMBER,)),
        ({"overrides": ("training.members=1,3", "dropout=0.1,0.2")}, (ONE_MEMBER,)),
        ({"assignments": {"training.members": 1}}, ()),
        ({"scheduler": "hyperband", "search": "optuna"}, (NO_LEARNING,)),
        ({"scheduler": "hyperband"}, ()),
        ({"scheduler": "asha", "search": "optuna"}, ()),
        (
            {"assignments": {"dropout": 0.5}, "overrides": ("dropout=0.1,0.2", "hidden=4,8")},
            ("dropout is set to 0.5, so it is not searched",),
        ),
    ],
)
def test_what_a_reader_should_know_is_noted(workspace, given, notes) -> None:
    assert planned(workspace, **given).notes == notes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"search_params": {"x": 1}}, "no parameter of random named 'x'"),
        ({"search": "hyperopt", "search_params": {"gamma": 1.0}}, "hyperopt's gamma must be between 0 and 1"),
        ({"address": "127.0.0.1:1"}, "no Ray cluster to join at '127.0.0.1:1'"),
        ({"gpus_per_trial": 64.0}, "--gpus-per-trial 64 is more than this machine has"),
        ({"device": "tpu"}, "hardware.device must be auto"),
        ({"search": "no-searcher"}, "searcher no-searcher cannot be built"),
    ],
)
def test_what_would_end_a_study_before_its_first_trial_is_said(with_faulty, given, said) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        planned(with_faulty, **given)


@pytest.mark.parametrize("domain", ["{ low = 2, high = 2 }", "[2]"])
def test_a_space_in_which_every_key_has_one_value_is_refused(workspace, domain) -> None:
    Path("one.toml").write_text(f"hidden = {domain}\n")
    with pytest.raises(UsageError, match="random has nothing to search: every key of the space has only one value"):
        planned(workspace, space="one.toml", overrides=())
    Path("one.toml").write_text(f"hidden = {domain}\nnum_layers = {{ low = 1, high = 2 }}\n")
    assert list(planned(workspace, space="one.toml", overrides=()).space) == ["hidden", "num_layers"]


# the data a study began with


class Separated:
    """As much of a study's data as tells them from others."""

    def __init__(self, scale: str = "none", **fingerprints: str) -> None:
        self.parts = self
        self.scaling = Scaling(scale)
        self.summary = SplitSummary(fingerprints=fingerprints)


def test_a_study_keeps_to_the_data_it_began_with() -> None:
    data: Any = Separated(train="a", validation="b")
    begun = begun_on(study_of(()), data)
    assert begun.request["data_fingerprints"] == {"train": "a", "validation": "b"}
    assert begun_on(begun, data) == begun
    other: Any = Separated(train="a", validation="c")
    with pytest.raises(DataError, match="the data differ from those study 'cnngru-optuna-0' started with"):
        begun_on(begun, other)


def test_a_study_keeps_to_the_scale_it_began_with() -> None:
    plain: Any = Separated(train="a")
    scaled: Any = Separated("standard", train="a")
    earlier, begun = begun_on(study_of(()), plain), begun_on(study_of(()), scaled)
    assert (earlier.request.get("data_scale"), begun.request["data_scale"]) == (None, "standard")
    assert begun_on(begun, scaled) == begun
    with pytest.raises(DataError, match=r"started with the scale 'none', not 'standard': set ZOO_SCALE=none, or start"):
        begun_on(earlier, scaled)
    with pytest.raises(DataError, match=r"started with the scale 'standard', not 'none': set ZOO_SCALE=standard, or"):
        begun_on(begun, plain)


def test_a_study_whose_data_have_changed_is_interrupted_and_keeps_its_trials(
    workspace, asked, store, waves_csv
) -> None:
    request = asked(name="mine", trials=2).to_json()
    before = stored(
        store, replace(study_of(("done", "interrupted")), name="mine", request=request, status="interrupted")
    )
    changed = {**request, "data_fingerprints": {"train": "other"}}
    StudyStore(store).update(replace(before, request=changed))
    with pytest.raises(DataError, match="the data differ from those"):
        resume_study(workspace, "mine", store, SilentTuneReporter())
    assert StudyStore(store).get("mine") == replace(before, request=changed)


def test_a_study_of_another_process_is_left_alone(workspace, asked, store) -> None:
    request = asked(name="mine", trials=2).to_json()
    stored(store, replace(study_of(("done",)), name="mine", request=request, status="running"))
    with store.database.transaction() as connection:
        owner = (os.getppid(), start_of(os.getppid()))
        connection.execute("UPDATE studies SET process = ?, start = ?", owner)
    with pytest.raises(UsageError, match="study 'mine' is running in process"):
        resume_study(workspace, "mine", store, SilentTuneReporter())
    assert StudyStore(store).get("mine").status == "running"


# the end


class Noting(SilentTuneReporter):
    """Keeps what it is told, with the time that is left."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.begun: list[Study] = []
        self.left: list[float | None] = []
        self.trials: list[int] = []

    def on_phase(self, text: str) -> None:
        self.phases.append(text)

    def on_study(self, study: Study) -> None:
        self.begun.append(study)

    def on_trials(self, study: Study, seconds_left: float | None) -> None:
        self.left.append(seconds_left)
        self.trials.append(len(study.trials))


def trials_that(*ends: tuple[str, float | None, str]) -> tuple[Trial, ...]:
    return tuple(
        Trial(number=number, config={"dropout": number / 10}, status=status, value=value, reason=reason, seconds=30.0)
        for number, (status, value, reason) in enumerate(ends, start=1)
    )


def kept(store: Store, asked: Any, trials: tuple[Trial, ...], **request: Any) -> Study:
    """A study in the store whose trials have ended so."""
    wanted = {"name": "mine", "trials": max(1, len(trials)), **request}
    study = replace(study_of(()), name="mine", request=asked(**wanted).to_json(), trials=trials, status="interrupted")
    return stored(store, study)


def test_a_study_none_of_whose_trials_gave_a_value_is_over_and_says_why(workspace, asked, store) -> None:
    ends = (("failed", None, "it is broken"), ("timeout", 0.9, ""), ("failed", None, "other"), ("done", None, ""))
    kept(store, asked, trials_that(*ends))
    with pytest.raises(ModelError) as caught:
        resume_study(workspace, "mine", store, Noting())
    said = "study mine: none of its 4 trials finished: 2 failed (it is broken); 1 timeout; 1 done"
    assert str(caught.value) == said
    study = StudyStore(store).get("mine")
    assert (study.status, study.winner, study.run, study.finished != "") == ("done", None, "", True)
    assert store.runs() == []


@pytest.mark.parametrize("unfinished", [True, False])
def test_a_study_whose_time_was_over_before_a_trial_ended_can_go_on(workspace, asked, store, unfinished) -> None:
    study = kept(store, asked, trials_that(("interrupted", 0.4, "")) if unfinished else ())
    data: Any = None
    conduct = StudyRun.of(workspace, study, store, Noting(), data)
    ended = "the time budget ended before the first trial"
    said = "none of its 1 trials finished: 1 interrupted" if unfinished else ended
    with pytest.raises(ModelError, match=said):
        conduct._score(study)
    found = StudyStore(store).get("mine")
    assert (found.status, found.finished != "") == (("interrupted", False) if unfinished else ("done", True))


def test_the_best_trial_is_trained_again_and_the_files_of_trials_go(workspace, asked, store) -> None:
    ends = (("done", 0.5, ""), ("pruned", 0.6, ""), ("failed", None, "no"), ("done", 0.6, ""))
    before = kept(store, asked, trials_that(*ends), epochs=1)
    StudyStore(store).update(replace(before, winner=1, run="old", finished="then"))
    folder = store.folder / "studies/mine"
    folder.mkdir(parents=True)
    (folder / "3.pt").touch()
    reporter = Noting()
    study = resume_study(workspace, "mine", store, reporter)
    assert (study.status, study.winner, study.finished != "then") == ("done", 2, True)
    assert StudyStore(store).get("mine") == study
    run = store.get(study.run)
    assert (run.status, run.config["params"]["dropout"]) == ("done", 0.2), "of equals the earliest"
    assert not (store.folder / "studies").exists()
    (begun,) = reporter.begun
    assert (begun.status, begun.winner, begun.run, begun.finished) == ("running", None, "", "")
    assert reporter.phases[0] == "planning"
    assert "training the winner again, trial 2 of 4" in reporter.phases
    assert "starting workers" not in reporter.phases


def test_an_interruption_leaves_a_study_to_go_on_with(workspace, asked, store) -> None:
    class Stopping(SilentTuneReporter):
        def on_study(self, study: Study) -> None:
            raise KeyboardInterrupt

    kept(store, asked, trials_that(("done", 0.5, "")), epochs=1)
    with pytest.raises(KeyboardInterrupt):
        resume_study(workspace, "mine", store, Stopping())
    study = StudyStore(store).get("mine")
    assert (study.status, study.run) == ("interrupted", "")
    assert [trial.status for trial in study.trials] == ["done"]


def run(identifier: str, **more: Any) -> Run:
    usual = {"key": "", "architecture": "cnngru", "dataset": "d", "protocol": "p", "data": "", "loss": "", "seed": 0}
    return Run(id=identifier, **{**usual, "status": "done", **more})


def test_another_look_at_the_test_part_is_counted_in_words() -> None:
    study = study_of(())
    for number in range(1, 5):
        study = _told_of(study, run(f"r{number}"))
    assert study.scored == ("r1", "r2", "r3", "r4")
    said = "winner of this study that was scored on the test set, after run"
    assert study.notes == (
        f"run r2 is the second {said} r1",
        f"run r3 is the third {said} r1 and run r2",
        f"run r4 is the 4th {said} r1 and run r2 and run r3",
    )
    assert _told_of(study, run("r2")) == study
    failed = _told_of(study, run("r5", status="diverged", error="the loss is NaN"))
    assert failed.scored == study.scored
    assert failed.notes == (*study.notes, "the winner's run r5 ended as diverged: the loss is NaN")


# the time budget


@pytest.mark.parametrize(
    ("budget", "more", "left"),
    [
        (None, {}, None),
        (100.0, {"whole_budget": True}, 100.0),
        (100.0, {}, 55.0),  # three trials of 30 s, two at a time
        (45.0, {}, 45.0),  # used up, so it begins anew
        (46.0, {}, 1.0),
        (10.0, {}, 10.0),
    ],
)
def test_a_study_that_goes_on_has_what_is_left_of_its_time(workspace, asked, store, budget, more, left) -> None:
    ends = (("done", 0.5, ""), ("failed", None, "no"), ("interrupted", 0.4, ""))
    request = asked(time_budget=budget, jobs=2)
    study = replace(study_of(()), request=request.to_json(), trials=trials_that(*ends))
    data: Any = None
    given = {"whole_budget": False, **more}
    assert StudyRun.of(workspace, study, store, SilentTuneReporter(), data, **given)._budget(study) == left


def test_the_time_that_is_left_is_told_from_the_first_trial_on(
    workspace, asked, store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [500.0]
    study, reporter = kept(store, asked, trials_that(("done", 0.5, ""))), Noting()
    data: Any = None
    conduct = StudyRun.of(workspace, study, store, reporter, data)
    with monkeypatch.context() as patched:
        patched.setattr("time.monotonic", lambda: clock[0])
        tell = conduct._teller("mine", 60.0)
        clock[0] = 900.0
        for _ in range(3):
            tell()
            clock[0] += 40.0
        conduct._teller("mine", None)()
    assert reporter.left == [60.0, 20.0, 0.0, None]
    assert reporter.trials == [1] * 4
