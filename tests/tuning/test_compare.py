"""A comparison of searchers: what it refuses, what it makes of studies that have ended, and what it says."""

from dataclasses import replace
from typing import Any

import pytest
from comparing import member
from studies import stored, study_of

from zoo.comparison.run import resume_comparison, run_comparison
from zoo.errors import UsageError
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, Trial
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.run_study import ResumeOptions


@pytest.mark.parametrize("searchers", [(), ("random", "random")])
def test_what_cannot_be_compared_is_said_at_once(workspace, asked, tmp_path, searchers: Any) -> None:
    with Store(tmp_path / "results") as store, pytest.raises(UsageError, match="each once"):
        run_comparison(workspace, asked(), searchers, (0,), store, SilentTuneReporter())


# without a worker: the trials of these studies have ended


class Telling(SilentTuneReporter):
    """Keeps the notes and phases that it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.phases: list[str] = []

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def on_phase(self, text: str) -> None:
        self.phases.append(text)


def tried(store: Store, searcher: str, seed: int, status: str, config: dict[str, Any], **given: Any) -> None:
    """A study of the comparison `race` with one trial, which ended so."""
    asked = {"dataset": "levels", "epochs": 1, "trials": 1, "metric": "accuracy", "device": "cpu", **given}
    value = 0.5 if status == "done" else None
    trial = Trial(number=1, config=config, status=status, value=value, reason="" if value else "it is broken")
    study = member(searcher, seed, (), **asked)
    stored(store, replace(study, trials=(trial,), status="interrupted"))


def test_the_winners_and_the_defaults_of_each_seed_are_scored_and_one_that_has_no_winner_is_said(
    with_faulty, tmp_path
) -> None:
    steady: dict[str, Any] = {"architecture": "steady", "assignments": {"pause": 0.0}}
    with Store(tmp_path / "results") as store:
        for seed in (1, 2):
            tried(store, "random", seed, "done", {"width": 2}, **steady)
            tried(store, "optuna", seed, "done" if seed == 1 else "failed", {"width": 3}, **steady)
        reporter, studies = Telling(), StudyStore(store)
        resume_comparison(with_faulty, "race", store, reporter, ResumeOptions())
        found = studies.studies()
        runs = {run.id: run for run in store.runs()}
        resume_comparison(with_faulty, "race", store, SilentTuneReporter(), ResumeOptions())
        assert (studies.studies(), len(store.runs())) == (found, len(runs)), "there is nothing left to do"
    assert reporter.notes[:4] == [
        "comparison race: study 1 of 4",
        "comparison race: study 2 of 4",
        "comparison race: study 3 of 4",
        "comparison race: study 4 of 4",
    ]
    assert reporter.notes[4:] == ["study race.optuna.2: none of its 1 trials finished: 1 failed (it is broken)"]
    assert reporter.phases[0] == "planning"
    assert [phase for phase in reporter.phases if "defaults" in phase] == [
        "training the defaults, seed 1", "training the defaults, seed 2"
    ]  # fmt: skip
    assert [(study.name, study.status, study.run != "") for study in found] == [
        ("race.random.1", "done", True),
        ("race.optuna.1", "done", True),
        ("race.random.2", "done", True),
        ("race.optuna.2", "done", False),
    ]
    assert [runs[study.run].config["params"]["width"] for study in found[:3]] == [2, 3, 2]
    assert [study.defaults for study in found[::2]] == [study.defaults for study in found[1::2]]
    first, second = (runs[study.defaults] for study in found[::2])
    assert [(run.status, run.seed, run.config["params"]["width"]) for run in (first, second)] == [
        ("done", 1, 4), ("done", 2, 4)
    ]  # fmt: skip
    assert len(runs) == 5


def test_defaults_that_fail_are_noted_in_each_study_of_their_seed(with_faulty, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        for searcher in ("random", "optuna"):
            tried(store, searcher, 0, "done", {"how": "fine"}, architecture="faulty", assignments={"how": "raise"})
        resume_comparison(with_faulty, "race", store, SilentTuneReporter(), ResumeOptions())
        found = StudyStore(store).studies()
        (defaults,) = {study.defaults for study in found}
        run = store.get(defaults)
    assert (run.status, [study.status for study in found]) == ("failed", ["done", "done"])
    for study in found:
        assert study.notes == (f"the run of the defaults {defaults} ended as failed: {run.error}",)


def test_all_studies_of_a_comparison_are_stored_before_the_first_begins(workspace, asked, tmp_path) -> None:
    class Stopped(SilentTuneReporter):
        def on_study(self, study: Study) -> None:
            raise KeyboardInterrupt

    with Store(tmp_path / "results") as store:
        studies = StudyStore(store)
        stored(store, study_of((), name="race.random.5"))
        with pytest.raises(UsageError, match=r"a study 'race\.random\.5' already exists"):
            run_comparison(workspace, asked(name="race"), ("optuna", "random"), (4, 5), store, Stopped())
        assert len(studies.studies()) == 1, "nothing is stored of what cannot begin"
        for searchers in (("optuna", "nobody"), ("optuna",)):
            with pytest.raises(UsageError if "nobody" in searchers else KeyboardInterrupt):
                run_comparison(workspace, asked(trials=2), searchers, (3,), store, Stopped())
        assert [study.name for study in studies.studies()[1:]] == ["cnngru-comparison-0.optuna.3"]
        with pytest.raises(KeyboardInterrupt):
            run_comparison(workspace, asked(name="two"), ("optuna", "random"), (9, 8), store, Stopped())
        found = studies.studies()[2:]
    assert [(study.name, study.status, study.request["seed"], study.searcher, study.comparison) for study in found] == [
        ("two.optuna.9", "interrupted", 9, "optuna", "two"),
        ("two.random.9", "waiting", 9, "random", "two"),
        ("two.optuna.8", "waiting", 8, "optuna", "two"),
        ("two.random.8", "waiting", 8, "random", "two"),
    ]
    assert [("data_fingerprints" in study.request) for study in found] == [True, True, False, False]
