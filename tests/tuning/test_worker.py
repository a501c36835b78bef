"""A trial in its worker, driven by hand: an epoch a step, to the bench's bits, and an end that is always a result."""

import os
import pickle
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from studies import tune_request

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import SealError
from zoo.harness.cells import Cell
from zoo.harness.reporter import SilentReporter
from zoo.harness.training_run import TrainingRun, resampled
from zoo.registry import Registry, Source, source_of
from zoo.training.checkpoints import write_checkpoint
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch
from zoo.tuning.request import TuneRequest
from zoo.tuning.spaces import resolve_space
from zoo.tuning.trial_cell import cell_of, one_member
from zoo.tuning.trial_data import prepare
from zoo.tuning.worker import NUMBER, SCORE, Task, Worker, sources_of
from zoo.workers.limits import share_of_memory
from zoo.workspace import Workspace


class Trials:
    """A worker with the data of a request."""

    def __init__(self, workspace: Workspace, request: TuneRequest, folder: Path) -> None:
        self.workspace, self.request = workspace, request
        self.workers: list[Worker] = []
        self.space, _ = resolve_space(workspace, request)
        self.data = prepare(workspace, request, self.space, SilentReporter())
        refused = {asked: rows for asked, rows in self.data.variants.items() if isinstance(rows, str)}
        self.task = Task(
            request,
            workspace.settings,
            sources_of(workspace.registry),
            (),
            self.data.parts.summary,
            refused,
            folder,
            "cpu",
            share_of_memory(1),
        )

    def worker(self, number: int = 1, **config: Any) -> Worker:
        """A new process, as it were, at the beginning of a trial."""
        worker = Worker.__new__(Worker)
        rows: dict[Any, Any] = {"train": self.data.parts.train, "validation": self.data.parts.validation}
        rows |= {asked: variant for asked, variant in self.data.variants.items() if isinstance(variant, Rows)}
        worker.setup({**config, NUMBER: number}, task=self.task, rows=rows)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """End the trials in progress: each restores the state of the process at its end."""
        for worker in self.workers:
            worker.reset_config({NUMBER: 0})

    def losses(self, **config: Any) -> list[float]:
        """The validation losses of a plain training of the same configuration."""
        parts = self.data.parts
        cell = one_member(cell_of(self.workspace, self.request, config)).for_data(parts.summary)
        rows = resampled(cell, parts)
        hardware = cell.hardware(cell.on_meta(parts.summary.shape), "cpu", threads=1)
        training_run = TrainingRun.of(cell, parts, rows, hardware)
        trained_model = training_run.learn(SilentReporter(), Path("plain/state.pt"), resume=False)
        return [epoch.validation_loss for epoch in trained_model.history]


def to_the_end(worker: Worker) -> list[dict[str, Any]]:
    results = [worker.step()]
    while not results[-1].get("done"):
        results.append(worker.step())
    return results


def told(results: list[dict[str, Any]]) -> list[float]:
    return [value for result in results for _, value, _ in result["new"]]


@pytest.fixture
def trials(workspace, asked, tmp_path):
    made: list[Trials] = []

    def make(used: Workspace = workspace, **given: Any) -> Trials:
        made.append(Trials(used, asked(**{"metric": "validation_loss", **given}), tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.end()


AXES = ("data=original,smote,balanced-batches", "block=none,se", "block.reduction=2,4", "training.weight_decay=0.0,0.1")
DRAWS = (
    {"data": "original", "block": "none", "block.reduction": 2, "training.weight_decay": 0.0},
    {"data": "smote", "block": "se", "block.reduction": 2, "training.weight_decay": 0.1},
    {"data": "balanced-batches", "block": "none", "block.reduction": 4, "training.weight_decay": 0.0},
)


def test_trials_in_one_process_are_bit_for_bit_those_of_a_plain_training(trials) -> None:
    made = trials(overrides=AXES)
    worker = made.worker(1, **DRAWS[0])
    for number, config in enumerate(DRAWS, start=1):
        if number > 1:
            assert worker.reset_config({**config, NUMBER: number})
        results = to_the_end(worker)
        assert told(results) == made.losses(**config)
        assert [result["epoch"] for result in results] == [1, 2]
        assert results[-1][SCORE] == results[-1]["value"] == min(told(results))
        assert results[-1]["status"] == "done"


def test_a_trial_goes_on_from_its_last_epoch_in_another_process(trials) -> None:
    made = trials(overrides=AXES, epochs=3)
    first = made.worker(1, **DRAWS[1])
    before = [first.step(), first.step()]
    after = to_the_end(made.worker(1, **DRAWS[1]))
    assert told(after[:1]) == told(before)
    assert told(after) == made.losses(**DRAWS[1])
    assert [result["epoch"] for result in after] == [2, 3]


def test_a_trial_whose_last_epoch_was_done_trains_nothing_more(trials) -> None:
    made = trials()
    config = {"training.learning_rate": 0.003, "dropout": 0.1}
    before = to_the_end(made.worker(1, **config))
    after = to_the_end(made.worker(1, **config))
    assert len(after) == 1
    assert told(after) == told(before)
    assert after[0]["status"] == "done"


@pytest.mark.parametrize("odd", [b"half a file", [1, 2], None, {}, {"history": "none"}])
def test_a_damaged_checkpoint_costs_the_trial_its_epochs_and_no_more(trials, odd: object) -> None:
    made = trials()
    config = {"training.learning_rate": 0.003, "dropout": 0.1}
    made.worker(1, **config).step()
    path = made.task.checkpoint(1)
    if isinstance(odd, bytes):
        path.write_bytes(odd)
    else:
        write_checkpoint(path, odd)
    results = to_the_end(made.worker(1, **config))
    assert told(results) == made.losses(**config)
    assert results[-1]["status"] == "done"
    assert results[-1]["reason"].startswith(f"checkpoint {path} ")
    assert "trained again from its first epoch" in results[-1]["reason"]


def test_an_ensemble_is_tried_by_one_member_and_a_fitted_network_in_one_step(trials) -> None:
    made = trials(overrides=("training.members=1,3", "dropout=0.1"))
    many = to_the_end(made.worker(1, **{"training.members": 3, "dropout": 0.1}))
    assert told(many) == made.losses(**{"training.members": 1, "dropout": 0.1})
    fitted = trials(
        architecture="minirocket", assignments={}, overrides=("training.batch_size=16,32",), space="default"
    )
    results = to_the_end(fitted.worker(1, **{"training.batch_size": 16}))
    assert [result["epoch"] for result in results] == [1]
    assert told(results) == fitted.losses(**{"training.batch_size": 16})


def test_without_validation_rows_a_trial_is_scored_by_the_rows_that_it_held_out(trials) -> None:
    made = trials(
        architecture="minirocket",
        assignments={"training.validation": 0},
        overrides=("training.batch_size=16,32",),
        data="original",
    )
    assert len(made.data.parts.validation) == 0
    results = to_the_end(made.worker(1, **{"training.batch_size": 16}))
    assert results[-1]["status"] == "done"
    assert told(results) == made.losses(**{"training.batch_size": 16})


def test_the_resamplers_own_parameters_can_be_searched(trials) -> None:
    made = trials(overrides=("data.k_neighbors=1..3", "dropout=0.1"), data="smote")
    assert made.data.variants == {}
    config = {"data.k_neighbors": 2, "dropout": 0.1}
    assert told(to_the_end(made.worker(1, **config))) == made.losses(**config)


def test_a_variant_that_cannot_be_made_fails_the_trials_that_draw_it(trials) -> None:
    made = trials(overrides=("data=original,smote", "dropout=0.1"), rows=12)
    (end,) = to_the_end(made.worker(1, data="smote", dropout=0.1))
    assert end["status"] == "failed"
    assert end["reason"].startswith("smote needs at least two training rows of each class")
    assert to_the_end(made.worker(2, data="original", dropout=0.1))[-1]["status"] == "done"


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("raise", "failed", "ValueError: it is broken"),
        ("exit", "failed", "sys.exit(3)"),
        ("nan", "diverged", "the training loss became nan"),
        ("memory", "memory", "out of memory"),
        ("greedy", "memory", "memory"),
        ("sleep", "timeout", "exceeded its limit of 1 s after 0 epochs"),
        ("swallow", "timeout", "exceeded its limit of 1 s after 0 epochs"),
    ],
)
def test_however_a_trial_ends_that_is_its_result_and_the_process_goes_on(
    with_faulty, trials, how, status, reason
) -> None:
    timeout = 1.0 if status == "timeout" else None
    made = trials(with_faulty, architecture="faulty", assignments={}, overrides=(), trial_timeout=timeout)
    worker = made.worker(1, how=how, place=0)
    end = worker.step()
    assert (end["status"], end["done"], end["value"], end["new"]) == (status, True, None, [])
    assert end[SCORE] == 1e6, "the worst value, and a finite one"
    assert end["reason"].startswith(reason) if status != "memory" else reason in end["reason"]
    assert worker.reset_config({"how": "fine", "place": 1, NUMBER: 2})
    assert to_the_end(worker)[-1]["status"] == "done"
    assert not list(made.task.folder.glob("*.hung"))


@pytest.mark.parametrize("steps", [1, 9])
def test_what_a_trial_changes_of_its_process_is_restored_before_the_next_one(with_faulty, trials, steps: int) -> None:
    """Also for a trial that the scheduler ends after one step."""
    made = trials(with_faulty, architecture="faulty", assignments={}, overrides=())
    worker = made.worker(1, how="leaks", place=0)
    for _ in range(steps):
        if (last := worker.step()).get("done"):
            changed = "the environment variable LEAKED and torch's default dtype to torch.float64"
            assert (last["status"], last["reason"]) == ("done", f"faulty changed {changed} (restored after it)")
            break
    assert worker.reset_config({"how": "fine", "place": 1, NUMBER: 2})
    assert (torch.get_default_dtype(), os.environ.get("LEAKED")) == (torch.float32, None)
    results = to_the_end(worker)
    assert told(results) == made.losses(how="fine", place=1)
    assert (results[-1]["status"], results[-1]["reason"]) == ("done", "")


@pytest.mark.parametrize(("metric", "worst"), [("macro_recall", 0.0), ("accuracy", 0.0), ("validation_loss", 1e6)])
def test_a_trial_that_failed_has_the_worst_value_of_its_metric(with_faulty, trials, metric, worst) -> None:
    made = trials(with_faulty, architecture="faulty", assignments={}, overrides=(), metric=metric)
    assert made.worker(1, how="raise", place=0).step()[SCORE] == worst


def test_a_loss_beyond_the_worst_value_counts_as_the_worst(with_faulty, trials) -> None:
    made = trials(with_faulty, architecture="faulty", assignments={}, overrides=())
    results = to_the_end(made.worker(1, how="huge", place=0))
    assert min(made.losses(how="huge", place=0)) > 1e6
    assert told(results) == [1e6, 1e6]
    assert (results[-1][SCORE], results[-1]["status"]) == (1e6, "done")


def epochs_of(*values: tuple[float, float, float]) -> list[Epoch]:
    return [
        Epoch(number=number, train_loss=0.5, validation_loss=loss, macro_recall=recall, accuracy=accuracy,
              learning_rate=0.1, seconds=0.25 * number)
        for number, (loss, recall, accuracy) in enumerate(values, start=1)
    ]  # fmt: skip


@pytest.mark.parametrize(("metric", "best"), [("macro_recall", 0.7), ("accuracy", 0.9), ("validation_loss", 0.3)])
def test_the_best_epoch_so_far_is_what_is_told_and_each_epoch_once(trials, metric, best) -> None:
    worker = trials(metric=metric).worker(1, dropout=0.1)
    epochs = epochs_of((0.4, 0.6, 0.8), (0.3, 0.7, 0.9), (0.5, 0.5, 0.7))
    values = [getattr(epoch, metric) for epoch in epochs]
    worker.history = epochs[:2]
    result = worker._result(worker._best())
    assert (result[SCORE], result["value"], result["epoch"]) == (best, best, 2)
    assert result["new"] == [(1, values[0], 0.25), (2, values[1], 0.5)]
    worker.history = epochs
    result = worker._result(worker._best())
    assert (result[SCORE], result["epoch"], result["new"]) == (best, 3, [(3, values[2], 0.75)])
    ended = worker._end("diverged", "nan")
    assert (ended[SCORE], ended["value"], ended["new"]) == (1e6 if metric == "validation_loss" else 0.0, best, [])


def test_the_time_of_a_trial_is_that_of_all_its_epochs_also_in_another_process(with_faulty, trials) -> None:
    given = {"assignments": {"pause": 0.4}, "overrides": ("width=2..8",), "epochs": 50, "trial_timeout": 2.0}
    made = trials(with_faulty, architecture="steady", **given)
    results = to_the_end(made.worker(1, width=4))
    end, count = results[-1], len(results) - 1
    assert 1 <= count < 5
    assert (end["status"], end["reason"]) == ("timeout", f"exceeded its limit of 2 s after {count} epochs")
    assert (end[SCORE], end["value"], end["new"]) == (1e6, min(told(results)), [])
    (again,) = to_the_end(made.worker(1, width=4))[-1:]
    assert again["status"] == "timeout"
    assert again["epoch"] <= count + 1, "an epoch more at most"


def test_a_trial_whose_process_had_to_be_ended_is_not_begun_again(with_faulty, trials) -> None:
    made = trials(with_faulty, architecture="faulty", assignments={}, overrides=(), trial_timeout=9.0)
    made.task.trace(1).write_text("Timeout (0:00:14)!")
    made.task.trace(2).touch()
    (end,) = to_the_end(made.worker(1, how="fine", place=0))
    assert (end["status"], end["reason"], end["epoch"]) == ("timeout", "exceeded its limit of 9 s after 0 epochs", 0)
    assert to_the_end(made.worker(2, how="fine", place=0))[-1]["status"] == "done"


def test_a_worker_computes_on_one_thread_in_the_precision_of_the_bench(trials) -> None:
    made, before = trials(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        made.worker(1, dropout=0.1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)

    def hardware_of(cell: Cell) -> Hardware:
        return cell.hardware(cell.on_meta(made.data.parts.summary.shape), "cpu", threads=1)

    cell = cell_of(made.workspace, made.request, {})
    asked_for = replace(cell, training=replace(cell.training, precision="bf16"))
    found = hardware_of(asked_for)
    assert (str(found.device), found.threads, found.bf16, found.channels_last) == ("cpu", 1, True, False)
    fitted = cell_of(made.workspace, tune_request(architecture="minirocket"), {})
    fitted = replace(fitted, training=replace(fitted.training, precision="bf16"))
    assert not hardware_of(fitted).bf16, "what is fitted learns from numbers as they are"
    images = cell_of(made.workspace, tune_request(architecture="cnn2d"), {})
    assert hardware_of(images).channels_last


def test_a_worker_has_the_plugins_that_work_by_their_modules(both, with_faulty, trials, tmp_path) -> None:
    made = trials(with_faulty)
    sources = {name: module for name, module, *_ in sources_of(both)}
    assert (sources["faulty"], sources["cnngru"]) == ("faulty", "zoo_cnngru")
    broken = Registry.load([source_of("faulty", import_module("faulty")), Source("x", "zoo_missing", lambda: 1 / 0)])
    assert [name for name, *_ in sources_of(broken)] == ["faulty"]
    both_of = [source_of("faulty", import_module("faulty")), source_of("other", import_module("zoo_cnngru"))]
    less = Registry.load(both_of, disabled={"other"})
    assert [name for name, *_ in sources_of(less)] == ["faulty"]
    task = replace(made.task, paths=(str(tmp_path / "elsewhere"), sys.path[0]))
    before = list(sys.path)
    try:
        found = task.workspace().registry
        assert sys.path == [*before, str(tmp_path / "elsewhere")]
    finally:
        sys.path[:] = before
    assert [plugin.name for plugin in found.plugins] == [name for name, *_ in made.task.sources]
    assert found.get("architecture", "cnngru").plugin.version == both.get("architecture", "cnngru").plugin.version
    assert not [plugin for plugin in found.plugins if plugin.error]


def test_a_plugin_that_does_not_load_in_the_worker_is_said(trials) -> None:
    made = trials()
    sources = (*made.task.sources, ("missing", "zoo_missing_plugin", "", ""))
    object.__setattr__(made.task, "sources", sources)
    end = made.worker(1, dropout=0.1).step()
    assert end["status"] == "failed"
    assert end["reason"].startswith("plugin 'missing' does not load in a worker: ModuleNotFoundError")


def test_unequal_lengths_reach_the_network_and_what_cannot_take_them_fails(workspace, tmp_path) -> None:
    rng = np.random.default_rng(0)
    lines = ["@problemName waves", "@timeStamps false", "@univariate true", "@equalLength false"]
    lines += ["@classLabel true a b", "@data"]
    for row in range(80):
        wave = np.sin(np.arange(20 + row % 7) * (0.4 if row % 3 else 0.8)) + 0.1 * rng.normal(size=20 + row % 7)
        lines.append(",".join(f"{value:.4f}" for value in wave) + f":{'a' if row % 3 else 'b'}")
    path = tmp_path / "waves.ts"
    path.write_text("\n".join(lines) + "\n")
    small = {"hidden": 4, "num_blocks": 1, "gru_hidden": 4, "num_layers": 1}
    overrides = ("data=oversampled,smote", "dropout=0.1")
    given = {"assignments": small, "epochs": 2, "metric": "validation_loss", "overrides": overrides}
    made = Trials(workspace, tune_request(architecture="cnngru", dataset=str(path), **given), tmp_path)
    assert made.data.parts.train.lengths is not None
    config = {"data": "oversampled", "dropout": 0.1}
    assert told(to_the_end(made.worker(1, **config))) == made.losses(**config)
    (end,) = to_the_end(made.worker(2, data="smote", dropout=0.1))
    assert end["status"] == "failed"
    assert "smote interpolates between rows" in end["reason"]


def test_no_row_of_the_test_part_leaves_the_driver(trials) -> None:
    made = trials(overrides=AXES)
    sent = pickle.dumps((made.task, made.data.parts.summary))
    test = made.data.parts.for_run().test
    test.training_ended()
    rows = test.open()
    assert len(rows) > 0
    assert not any(row.tobytes() in sent for row in rows.values)
    assert len(Parts.without_test(made.data.parts.train, made.data.parts.validation, made.task.summary).test) == 0
    assert {int(index) for index in rows.index}.isdisjoint(
        int(index) for part in made.worker(1, **DRAWS[0]).rows.values() for index in part.index
    )
    with pytest.raises(SealError):
        pickle.dumps(made.data.parts)
