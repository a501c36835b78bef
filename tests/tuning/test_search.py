"""What a search asks of Ray, and how it takes what Ray raises; Ray's own Tuner is stood in for, and runs nothing."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
import torch
from ray import tune
from ray.tune import Trainable
from ray.tune.experiment import Experiment
from studies import study_of

from zoo.data.rows import Rows
from zoo.errors import StoreError
from zoo.harness.reporter import SilentReporter
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import space_to_json
from zoo.tuning.search import Search
from zoo.tuning.spaces import resolve_space
from zoo.tuning.trial_data import prepare
from zoo.tuning.worker import NUMBER


class Place:
    """Workers of whom none is needed."""

    def __init__(self, folder: Path | None = None, address: str | None = None) -> None:
        self.folder, self.address = folder, address
        self.started: list[tuple[Path, str]] = []

    def start(self, folder: Path) -> None:
        self.started.append((folder, os.environ["TUNE_MAX_PENDING_TRIALS_PG"]))


class Standing:
    """Ray's Tuner as it was asked for; `fit` does what it is told."""

    asked: list[dict[str, Any]]
    does: Callable[["Standing"], None]

    def __init__(self, trainable: Any, **asked: Any) -> None:
        self.asked.append({"trainable": trainable, **asked})

    def fit(self) -> None:
        type(self).does(self)


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> type[Standing]:
    made = type("Made", (Standing,), {"asked": [], "does": lambda self: None})
    monkeypatch.setattr("zoo.tuning.search.Tuner", made)
    monkeypatch.setattr(ray, "put", lambda value: value)
    monkeypatch.setattr(
        tune, "with_parameters", lambda trainable, **given: SimpleNamespace(trainable=trainable, **given)
    )
    monkeypatch.setattr(
        tune, "with_resources", lambda trainable, resources: SimpleNamespace(given=trainable, resources=resources)
    )
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


@pytest.fixture
def searched(workspace, asked, store, tmp_path):
    def make(place: Any = None, seconds: float | None = None, **given: Any) -> Search:
        request = asked(name="mine", **given)
        space, _ = resolve_space(workspace, request)
        data = prepare(workspace, request, space, SilentReporter())
        studies = StudyStore(store)
        studies.create(replace(study_of(()), name="mine", request=request.to_json(), space=space_to_json(space)))
        folder = tmp_path / "results/studies/mine"
        return Search(workspace, request, space, data, studies, folder, seconds, place or Place())

    return make


def nothing() -> None:
    """A reporter that looks away."""


def test_ray_is_asked_for_the_study(searched, standing, tmp_path) -> None:
    search = searched(trials=7, jobs=2, scheduler="asha", epochs=8, metric="validation_loss", seconds=90.0)
    assert search.run("mine", nothing) == ()
    (asked,) = standing.asked
    config, run = asked["tune_config"], asked["run_config"]
    assert (config.metric, config.mode, config.num_samples) == ("score", "min", 7)
    assert (config.time_budget_s, config.reuse_actors) == (90.0, True)
    assert config.search_alg.scheduler is config.scheduler
    assert config.scheduler._max_t == 8
    assert config.trial_dirname_creator(SimpleNamespace(trial_id="a1")) == "a1"
    assert (run.name, run.storage_path, run.verbose) == ("tune", str(tmp_path / "results/studies/mine/tune"), 0)
    assert [type(each).__name__ for each in run.callbacks] == ["Recorder"]
    assert run.failure_config.max_failures == 1, "a worker that died is tried once more"
    assert (run.checkpoint_config.checkpoint_frequency, run.checkpoint_config.checkpoint_at_end) == (0, False)
    assert set(asked["param_space"]) == {"training.learning_rate", "dropout"}
    assert asked["trainable"].resources == {"cpu": 1, "gpu": 0.0}
    assert search.workers.started == [(search.folder, "2")]
    assert "TUNE_MAX_PENDING_TRIALS_PG" not in os.environ


def test_workers_get_the_training_and_validation_rows_each_once_and_no_others(searched, standing) -> None:
    search = searched(overrides=("data=original,oversampled,smote", "dropout=0.1,0.2"), rows=12)
    search.run("mine", nothing)
    rows = standing.asked[0]["trainable"].given.rows
    names = [key if isinstance(key, str) else key[0] for key in rows]
    assert names == ["train", "validation", "original", "oversampled"]
    assert all(isinstance(each, Rows) for each in rows.values())
    assert (rows["train"], rows["validation"]) == (search.data.parts.train, search.data.parts.validation)
    (original,) = [each for key, each in rows.items() if key[0] == "original"]
    assert original is rows["train"]
    task = standing.asked[0]["trainable"].given.task
    ((refused, reason),) = task.refused.items()
    assert refused[0] == "smote"
    assert "smote needs at least two training rows" in reason


@pytest.mark.parametrize(("address", "jobs"), [(None, 1), (None, 2), ("there:1", 1)])
def test_a_trial_is_sent_what_it_needs(searched, standing, address, jobs) -> None:
    search = searched(Place(address=address), jobs=jobs, device="cpu")
    search.run("mine", nothing)
    task = standing.asked[0]["trainable"].given.task
    assert (task.request, task.device, task.folder) == (search.request, "cpu", search.folder)
    assert set(sys.path) <= set(task.paths)
    assert {name for name, *_ in task.sources} == {plugin.name for plugin in search.workspace.registry.plugins}
    if address:
        assert task.memory == 0, "the nodes of a cluster differ, and have a monitor of their own"
    else:
        free = next(
            int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if "MemAvailable" in line
        )
        assert task.memory == pytest.approx(0.9 * 1024 * free / jobs, rel=0.1)
    assert search._memory(torch.device("cuda")) == 0


def test_the_device_is_that_of_the_settings_where_none_is_asked_for(searched, standing) -> None:
    searched().run("mine", nothing)
    assert standing.asked[0]["trainable"].given.task.device == "auto"


def test_hyperband_may_have_all_its_trials_waiting(searched, standing) -> None:
    search = searched(trials=9, jobs=2, scheduler="hyperband", epochs=8)
    search.run("mine", nothing)
    assert [pending for _, pending in search.workers.started] == ["9"]


def test_the_files_of_ray_lie_in_the_sessions_folder_and_go(searched, standing, tmp_path) -> None:
    (tmp_path / "session/tune").mkdir(parents=True)
    searched(Place(tmp_path / "session")).run("mine", nothing)
    assert standing.asked[0]["run_config"].storage_path == str(tmp_path / "session/tune")
    assert not (tmp_path / "session/tune").exists()
    assert (tmp_path / "session").exists()


@pytest.mark.parametrize(
    ("given", "epochs"),
    [
        ({"epochs": 5}, 5),
        ({"epochs": None, "overrides": ("training.epochs=2..9", "dropout=0.1,0.2")}, 9),
        ({"epochs": None, "overrides": ("training.epochs=7,3", "dropout=0.1,0.2")}, 7),
        ({"epochs": 4, "architecture": "minirocket", "assignments": {}, "overrides": ("block=se,none",)}, 4),
    ],
)
def test_the_scheduler_knows_the_most_epochs_a_trial_can_have(searched, given, epochs) -> None:
    assert searched(**given)._epochs() == epochs


def test_what_ray_wraps_is_raised_as_it_was(searched, standing) -> None:
    def full(self: Standing) -> None:
        try:
            try:
                raise StoreError("the disk is full")
            except StoreError as error:
                raise RuntimeError("a callback failed") from error
        except RuntimeError as error:
            raise TypeError("and so did Tune") from error

    search, standing.does = searched(), full
    with pytest.raises(StoreError, match="the disk is full"):
        search.run("mine", nothing)
    assert not (search.folder / "tune").exists()

    def broken(self: Standing) -> None:
        raise RuntimeError("Tune is broken")

    standing.does = broken
    with pytest.raises(RuntimeError, match="Tune is broken"):
        search.run("mine", nothing)


@pytest.mark.parametrize(("metric", "worst"), [("macro_recall", 0.0), ("validation_loss", 1e6)])
def test_a_trial_whose_worker_is_ended_for_its_memory_three_times_is_given_up(
    searched, standing, metric, worst
) -> None:
    search = searched(trials=3, jobs=2, metric=metric)
    begun: list[list[int]] = []

    def out_of_memory(self: Standing) -> None:
        """The first trial ends, the third when it is begun again; the second takes too much each time."""
        asked = self.asked[-1]
        recorded, space = asked["tune_config"].search_alg, asked["param_space"]
        recorded.set_search_properties("score", asked["tune_config"].mode, space)
        recorded.add_configurations([Experiment("tune", Trainable, config=space, num_samples=3, storage_path="/tmp")])
        begun.append([])
        while (trial := recorded.next_trial()) is not None:
            number = trial.config[NUMBER]
            begun[-1].append(number)
            search.studies.start("mine", number)
            if number == 1 or (number, len(begun)) == (3, 2):
                recorded.on_trial_complete(trial.trial_id, result={"score": 0.5, "value": 0.5, "status": "done"})
        if begun[-1]:
            try:
                raise ray.exceptions.OutOfMemoryError("the node is full")
            except ray.exceptions.OutOfMemoryError as error:
                raise RuntimeError("Tune ends") from error

    standing.does = out_of_memory
    assert search.run("mine", nothing) == ()
    assert begun == [[1, 2, 3], [2, 3], [2], []]
    trials = search.studies.get("mine").trials
    assert [trial.status for trial in trials] == ["done", "memory", "done"]
    assert trials[1].reason == "its worker was ended 3 times because its node ran out of memory"
    told = {event.number: event.value for event in search.studies.events("mine") if event.kind == "told"}
    assert told == {1: 0.5, 2: worst, 3: 0.5}


def test_proposals_of_another_version_of_a_library_are_said(searched, standing, store) -> None:
    search = searched(trials=3, jobs=3)

    def replayed(self: Standing) -> None:
        self.asked[-1]["tune_config"].search_alg.otherwise = 2

    standing.does = replayed
    (said,) = search.run("mine", nothing)
    assert said == (
        "2 proposals differ from those when the study started: a library of the searcher has a different version now"
    )
