"""What a searcher proposes and is told is written down, and led along again it goes on as if nothing had happened."""

from pathlib import Path
from typing import Any

import pytest
from ray.tune import Trainable
from ray.tune.experiment import Experiment
from ray.tune.schedulers import TrialScheduler

from zoo.results.store import Store
from zoo.space import Choice, Float, Int, Space
from zoo.tune.domains import make_searcher, to_tune
from zoo.tune.recorded import Recorded
from zoo.tune.records import Study, space_to_json
from zoo.tune.schedulers import make_scheduler
from zoo.tune.store import StudyStore
from zoo.tune.trial import NUMBER, SCORE

SPACE: Space = {
    "width": Choice(8, 16, 32),
    "layers": Int(1, 3),
    "same": Int(4, 4),
    "training.learning_rate": Float(1e-4, 1e-2, log=True),
}
SEARCHERS = ("random", "hyperopt", "optuna")


class Driver:
    """Ray Tune's part, by hand: asks for trials and tells results."""

    def __init__(self, registry: Any, store: Store, request: Any, folder: Path) -> None:
        from zoo.settings import Settings
        from zoo.tune.data import Frame
        from zoo.tune.trial import Task

        studies = StudyStore(store)
        if request.name not in studies.names():
            studies.create(Study(name=request.name, request=request.to_json(), space=space_to_json(SPACE)))
        self.study = studies.get(request.name)
        self.studies = studies
        self.scheduler = make_scheduler(request.scheduler, request.epochs)
        self.scheduler.set_search_properties(SCORE, "max")
        inner = make_searcher(registry.get("searcher", request.search), {}, seed=request.seed, startup=3)
        task = Task(request, Settings.load(), (), (), Frame((), {}, ()), {}, folder, "cpu", 0)
        self.recorded = Recorded(inner, self.scheduler, studies, self.study, task)
        self.recorded.set_search_properties(SCORE, "max", to_tune(SPACE))
        asked = Experiment(
            "tune", Trainable, config=to_tune(SPACE), num_samples=request.trials, storage_path=str(folder)
        )
        self.recorded.add_configurations([asked])

    def begin(self) -> Any:
        trial = self.recorded.next_trial()
        assert trial is not None
        self.studies.start(self.study.name, trial.config[NUMBER])
        return trial

    def epoch(self, trial: Any, epoch: int, score: float) -> str:
        result = {SCORE: score, "epoch": epoch, "training_iteration": epoch, "value": score}
        if epoch == 1:
            self.scheduler.on_trial_add(None, trial)
        decision = self.scheduler.on_trial_result(None, trial, result)
        if decision != TrialScheduler.STOP:
            self.recorded.on_trial_result(trial.trial_id, result)
        self.studies.add_epochs(self.study.name, trial.config[NUMBER], score, [(epoch, score, 0.1)])
        return str(decision)

    def end(self, trial: Any, score: float, **more: Any) -> None:
        result = {SCORE: score, "epoch": 2, "training_iteration": 2, "value": score, "status": "done", **more}
        self.recorded.on_trial_complete(trial.trial_id, result=result)

    def run(self, trials: int) -> None:
        for _ in range(trials):
            trial = self.begin()
            score = round(trial.config["training.learning_rate"] * 100, 6)
            self.epoch(trial, 1, score / 2)
            self.end(trial, score)


@pytest.fixture
def driver(registry, asked, tmp_path):
    def make(store: Store, name: str = "", **given: Any) -> Driver:
        request = asked(**{"name": name or given.get("search", "random"), "trials": 10, "epochs": 2, **given})
        return Driver(registry, store, request, tmp_path)

    return make


def configs(study: Study) -> list[Any]:
    return [dict(trial.config) for trial in study.trials]


@pytest.mark.parametrize("search", SEARCHERS)
def test_a_study_that_was_broken_off_goes_on_with_the_proposals_of_an_unbroken_one(driver, tmp_path, search) -> None:
    with Store(tmp_path / "results") as store:
        whole = driver(store, "whole", search=search, seed=5)
        whole.run(10)
        assert whole.recorded.is_finished()
        assert whole.recorded.next_trial() is None
        first = driver(store, "broken", search=search, seed=5)
        first.run(4)
        fifth = first.begin()  # and then the process is killed
        second = driver(store, "broken", search=search, seed=5)
        assert second.recorded.otherwise == 0
        again = second.begin()
        assert again.config == fifth.config
        second.end(again, round(again.config["training.learning_rate"] * 100, 6))
        second.run(5)
        studies = StudyStore(store)
        assert configs(studies.get("broken")) == configs(studies.get("whole"))
        assert studies.events("broken") == studies.events("whole")
        assert len({str(config) for config in configs(studies.get("whole"))}) == 10


def test_trials_that_did_not_end_well_are_told_as_the_worst_finite_value(driver, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        made = driver(store, jobs=3)
        died, diverged, pruned = made.begin(), made.begin(), made.begin()
        assert made.recorded.next_trial() is None, "as many as there are jobs"
        made.epoch(diverged, 1, 0.4)
        made.epoch(pruned, 1, 0.5)
        made.recorded.on_trial_complete(died.trial_id, error=True)
        made.end(diverged, 0.0, status="diverged", reason="the loss became nan", value=0.4)
        made.recorded.on_trial_complete(pruned.trial_id, result={SCORE: 0.5, "epoch": 1, "value": 0.5})
        study = made.studies.get("random")
        told = [event.value for event in made.studies.events("random") if event.kind == "told"]
        assert told == [0.0, 0.0, 0.5]
        assert [trial.status for trial in study.trials] == ["died", "diverged", "pruned"]
        assert [trial.value for trial in study.trials] == [None, 0.4, 0.5]
        assert study.best is not None
        assert study.best.number == 3


@pytest.mark.parametrize("scheduler", ["asha", "median"])
def test_a_scheduler_that_is_led_along_again_stops_what_it_would_have_stopped(driver, tmp_path, scheduler) -> None:
    def stopped(made: Driver) -> str:
        trial = made.begin()
        made.epoch(trial, 1, 0.1)
        return made.epoch(trial, 2, 0.1)

    given = {"scheduler": scheduler, "epochs": 8, "jobs": 4}
    with Store(tmp_path / "results") as store:
        first = driver(store, **given)
        for score in (0.7, 0.8, 0.9):
            trial = first.begin()
            for epoch in range(1, 9):
                first.epoch(trial, epoch, score)
            first.end(trial, score)
        assert stopped(driver(store, **given)) == TrialScheduler.STOP
        assert stopped(driver(store, "fresh", **given)) == TrialScheduler.CONTINUE


def test_a_trial_that_had_been_pruned_when_the_process_died_is_pruned(driver, tmp_path) -> None:
    given = {"scheduler": "asha", "epochs": 8, "jobs": 4}
    with Store(tmp_path / "results") as store:
        first = driver(store, **given)
        for score in (0.7, 0.8, 0.9):
            trial = first.begin()
            for epoch in range(1, 9):
                first.epoch(trial, epoch, score)
            first.end(trial, score)
        poor = first.begin()
        assert [first.epoch(poor, epoch, 0.1) for epoch in (1, 2)] == [TrialScheduler.CONTINUE, TrialScheduler.STOP]
        second = driver(store, **given)
        assert not second.recorded.waiting
        study = second.studies.get("random")
        assert (study.trials[-1].status, study.trials[-1].value) == ("pruned", 0.1)
