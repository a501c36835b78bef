"""Whole studies on Ray: the three searchers, and every way for a trial to end."""

import csv
import os
from collections import Counter
from pathlib import Path
from typing import Any

import faulty
import pytest
from studies import session_of

from zoo.errors import ModelError, UsageError
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.run_study import ResumeOptions, resume_study, run_study


class Noting(SilentTuneReporter):
    """Keeps what it is told, and where the workers keep their files."""

    def __init__(self) -> None:
        self.session: Path | None = None
        self.studies: list[Any] = []
        self.begun: list[Any] = []

    def on_study(self, study: Any) -> None:
        self.begun.append(study)

    def on_trials(self, study: Any, seconds_left: float | None) -> None:
        self.studies.append(study)
        self.session = session_of(os.getpid()) or self.session


def losses(store: Store, run: str) -> list[float]:
    return column(store, run, "validation_loss")


def column(store: Store, run: str, name: str) -> list[float]:
    text = store.read(store.get(run), "history.csv").read_text()
    return [float(row[name]) for row in csv.DictReader(text.splitlines())]


@pytest.mark.parametrize(
    ("search", "scheduler"),
    [
        pytest.param("random", "none", marks=pytest.mark.slow),
        ("hyperopt", "asha"),
        pytest.param("optuna", "median", marks=pytest.mark.slow),
    ],
)
def test_a_study_tries_chooses_and_scores_its_winner_once(workspace, asked, tmp_path, search, scheduler) -> None:
    overrides = ("data=smote,oversampled,balanced-batches", "block=none,se", "training.learning_rate=1e-3..1e-2:log")
    request = asked(search=search, scheduler=scheduler, trials=4, jobs=2, metric="validation_loss", overrides=overrides)
    with Store(tmp_path / "results") as store:
        reporter = Noting()
        study = run_study(workspace, request, store, reporter)
        assert study == StudyStore(store).get(f"cnngru-{search}-0")
        assert (study.status, len(study.trials)) == ("done", 4)
        assert {trial.status for trial in study.trials} <= {"done", "pruned"}
        best = study.best
        assert best is not None
        assert study.winner == best.number
        assert best.value == min(value for trial in study.trials for _, value in trial.history)
        run = store.get(study.run)
        assert run.status == "done"
        assert run.scores["macro_recall"]["value"] is not None
        retrained = losses(store, run.id)
        assert retrained[: best.epochs] == [value for _, value in best.history], "to the bit"
        error = column(store, run.id, "standard_error")[retrained.index(min(retrained))]
        within = [number for number, loss in enumerate(retrained, start=1) if loss <= min(retrained) + error]
        assert run.best_epoch == within[-1], "the epoch kept is chosen by the study's metric"
        assert (run.data, run.block) == (best.config["data"], best.config["block"])
        assert len(store.runs()) == 1
        assert resume_study(workspace, study.name, store, reporter) == study
        with pytest.raises(UsageError, match=r"a study .* already exists"):
            run_study(workspace, asked(name=study.name), store, reporter)
    assert len(reporter.begun) == 1
    assert len(reporter.studies[-1].trials) == 4
    assert reporter.session is not None
    assert not reporter.session.exists()
    assert not (tmp_path / "results/studies").exists()


@pytest.mark.slow
def test_however_trials_end_the_study_goes_on(with_faulty, asked, tmp_path) -> None:
    request = asked(
        architecture="faulty",
        search="in-order",
        assignments={},
        overrides=(),
        trials=len(faulty.HOWS),
        trial_timeout=3.0,
        jobs=2,
    )
    with Store(tmp_path / "results") as store:
        study = run_study(with_faulty, request, store, Noting())
        told = {event.number: event.value for event in StudyStore(store).events(study.name) if event.kind == "told"}
    ends = dict(zip(faulty.HOWS, (trial.status for trial in study.trials), strict=True))
    assert ends == {
        "fine": "done",
        "raise": "failed",
        "exit": "failed",
        "nan": "diverged",
        "memory": "memory",
        "greedy": "memory",
        "sleep": "timeout",
        "swallow": "timeout",
        "kill": "died",
    }
    assert all((told[trial.number] == 0.0) == (trial.status != "done") for trial in study.trials)
    assert study.trials[8].reason.startswith("its process died: ")
    assert study.winner in (1, 10)


@pytest.mark.slow
def test_a_study_none_of_whose_trials_finished_says_why(with_faulty, asked, tmp_path) -> None:
    request = asked(architecture="faulty", assignments={}, overrides=("how=raise,exit", "place=1"), trials=3, jobs=2)
    with Store(tmp_path / "results") as store:
        with pytest.raises(ModelError, match=r"none of its 3 trials finished: 3 failed \("):
            run_study(with_faulty, request, store, Noting())
        (study,) = StudyStore(store).studies()
        assert (study.status, study.winner, study.run, store.runs()) == ("done", None, "", [])


@pytest.mark.slow
@pytest.mark.parametrize("search", ["random", "hyperopt", "optuna"])
@pytest.mark.parametrize("scheduler", ["none", "asha", "median", "hyperband"])
def test_every_searcher_with_every_scheduler(with_faulty, asked, tmp_path, search, scheduler) -> None:
    log = tmp_path / "epochs.log"
    request = asked(
        architecture="steady",
        assignments={"log": str(log), "pause": 0.01},
        overrides=("width=2..16", "training.learning_rate=1e-4..1e-1:log"),
        search=search,
        scheduler=scheduler,
        trials=6,
        epochs=9,
        jobs=2,
    )
    with Store(tmp_path / "results") as store:
        study = run_study(with_faulty, request, store, Noting())
        retrained = store.get(study.run).epochs
    ends = Counter(trial.status for trial in study.trials)
    assert ends["done"] + ends["pruned"] == 6
    if scheduler == "none":
        assert ends["done"] == 6
    epochs = sum(trial.epochs for trial in study.trials)
    begun = len(log.read_text().splitlines())
    assert 0 <= begun - retrained - epochs <= 6, "at most the epoch that was under way when a trial was stopped"


@pytest.mark.slow
def test_a_time_budget_ends_the_study_and_more_trials_can_be_added(with_faulty, asked, tmp_path) -> None:
    request = asked(
        architecture="steady",
        assignments={"pause": 0.5},
        overrides=("width=2..8",),
        trials=50,
        epochs=2,
        time_budget=20.0,
        name="budget",
    )
    with Store(tmp_path / "results") as store:
        study = run_study(with_faulty, request, store, Noting())
        assert study.status == "done"
        assert 1 <= len(study.trials) < 50
        ended = [trial for trial in study.trials if trial.status == "done"]
        many = resume_study(with_faulty, "budget", store, Noting(), ResumeOptions(trials=len(study.trials) + 1))
        assert [trial.status for trial in many.trials] == ["done"] * (len(study.trials) + 1)
        assert many.trials[: len(ended)] == tuple(ended)
        assert many.run
