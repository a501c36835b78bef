"""A trial in its worker, driven by hand: an epoch a step, to the bench's bits, and an end that is always a result."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.sealed import Rows
from zoo.errors import SealError
from zoo.harness.learning import Lesson, resampled
from zoo.harness.watch import Silent
from zoo.registry import Registry
from zoo.settings import Settings
from zoo.tune.configuration import cell_of, one_member
from zoo.tune.data import prepare
from zoo.tune.request import TuneRequest
from zoo.tune.spaces import resolve_space
from zoo.tune.trial import NUMBER, SCORE, Task, Worker, hardware_of, sources_of
from zoo.workers.limits import share_of_memory


class Trials:
    """A worker with the data of a request."""

    def __init__(self, registry: Registry, settings: Settings, request: TuneRequest, folder: Path) -> None:
        self.registry, self.settings, self.request = registry, settings, request
        self.space, _ = resolve_space(registry, settings, request)
        self.data = prepare(registry, settings, request, self.space, Silent())
        refused = {asked: rows for asked, rows in self.data.variants.items() if isinstance(rows, str)}
        self.task = Task(
            request, settings, sources_of(registry), (), self.data.frame, refused, folder, "cpu", share_of_memory(1)
        )

    def worker(self, number: int = 1, **config: Any) -> Worker:
        """A new process, as it were, at the beginning of a trial."""
        worker = Worker.__new__(Worker)
        rows: dict[Any, Any] = {"train": self.data.parts.train, "validation": self.data.parts.validation}
        rows |= {asked: variant for asked, variant in self.data.variants.items() if isinstance(variant, Rows)}
        worker.setup({**config, NUMBER: number}, task=self.task, rows=rows)
        return worker

    def losses(self, **config: Any) -> list[float]:
        """The validation losses of a plain training of the same configuration."""
        cell = one_member(cell_of(self.registry, self.settings, self.request, config))
        parts = self.data.parts
        rows = resampled(cell, parts)
        lesson = Lesson.of(cell, parts, rows, hardware_of(cell, parts.record["shape"], "cpu"))
        learnt = lesson.learn(Silent(), Path("plain/state.pt"), resume=False)
        return [epoch.validation_loss for epoch in learnt.history]


def to_the_end(worker: Worker) -> list[dict[str, Any]]:
    results = [worker.step()]
    while not results[-1].get("done"):
        results.append(worker.step())
    return results


def told(results: list[dict[str, Any]]) -> list[float]:
    return [value for result in results for _, value, _ in result["new"]]


@pytest.fixture
def trials(registry, settings, asked, tmp_path):
    def make(registry: Registry = registry, **given: Any) -> Trials:
        return Trials(registry, settings, asked(**{"metric": "validation_loss", **given}), tmp_path)

    return make


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


def test_a_damaged_checkpoint_costs_the_trial_its_epochs_and_no_more(trials) -> None:
    made = trials()
    config = {"training.learning_rate": 0.003, "dropout": 0.1}
    made.worker(1, **config).step()
    made.task.checkpoint(1).write_bytes(b"half a file")
    assert told(to_the_end(made.worker(1, **config))) == made.losses(**config)


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


def test_the_resamplers_own_parameters_can_be_searched(trials) -> None:
    made = trials(overrides=("data.k_neighbors=1..3", "dropout=0.1"), data="smote")
    assert made.data.variants == {}
    config = {"data.k_neighbors": 2, "dropout": 0.1}
    assert told(to_the_end(made.worker(1, **config))) == made.losses(**config)


def test_a_variant_that_cannot_be_made_fails_the_trials_that_draw_it(trials) -> None:
    made = trials(overrides=("data=original,smote", "dropout=0.1"), rows=12)
    (end,) = to_the_end(made.worker(1, data="smote", dropout=0.1))
    assert end["status"] == "failed"
    assert "smote needs more than k_neighbors=5 rows of each class" in end["reason"]
    assert to_the_end(made.worker(2, data="original", dropout=0.1))[-1]["status"] == "done"


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ("raise", "failed", "ValueError: it is broken"),
        ("exit", "failed", "sys.exit(3)"),
        ("nan", "diverged", "the training loss became nan"),
        ("memory", "memory", "out of memory"),
        ("greedy", "memory", "memory"),
        ("sleep", "timeout", "passed its 1 s after 0 epochs"),
        ("swallow", "timeout", "passed its 1 s after 0 epochs"),
    ],
)
def test_however_a_trial_ends_that_is_its_result_and_the_process_goes_on(both, trials, how, status, reason) -> None:
    timeout = 1.0 if status == "timeout" else None
    made = trials(both, architecture="faulty", assignments={}, overrides=(), trial_timeout=timeout)
    worker = made.worker(1, how=how, place=0)
    end = worker.step()
    assert (end["status"], end["done"], end["value"], end["new"]) == (status, True, None, [])
    assert end[SCORE] == 1e6, "the worst value, and a finite one"
    assert reason in end["reason"]
    assert worker.reset_config({"how": "fine", "place": 1, NUMBER: 2})
    assert to_the_end(worker)[-1]["status"] == "done"
    assert not list(made.task.folder.glob("*.hung"))


def test_a_plugin_that_does_not_load_in_the_worker_is_said(trials) -> None:
    made = trials()
    sources = (*made.task.sources, ("missing", "zoo_missing_plugin", "", ""))
    object.__setattr__(made.task, "sources", sources)
    end = made.worker(1, dropout=0.1).step()
    assert end["status"] == "failed"
    assert "plugin 'missing' does not load in a worker: ModuleNotFoundError" in end["reason"]


def test_unequal_lengths_reach_the_network_and_what_cannot_take_them_fails(registry, settings, tmp_path) -> None:
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
    made = Trials(registry, settings, TuneRequest(architecture="cnngru", dataset=str(path), **given), tmp_path)
    assert made.data.parts.train.lengths is not None
    config = {"data": "oversampled", "dropout": 0.1}
    assert told(to_the_end(made.worker(1, **config))) == made.losses(**config)
    (end,) = to_the_end(made.worker(2, data="smote", dropout=0.1))
    assert end["status"] == "failed"
    assert "smote makes rows between rows" in end["reason"]


def test_no_row_of_the_test_part_leaves_the_driver(trials) -> None:
    made = trials(overrides=AXES)
    sent = pickle.dumps((made.task, made.data.frame))
    test = made.data.parts.for_run().test
    test.training_ended()
    rows = test.open()
    assert len(rows) > 0
    assert not any(row.tobytes() in sent for row in rows.values)
    assert len(made.task.frame.parts(made.data.parts.train, made.data.parts.validation).test) == 0
    assert {int(index) for index in rows.index}.isdisjoint(
        int(index) for part in made.worker(1, **DRAWS[0]).rows.values() for index in part.index
    )
    with pytest.raises(SealError):
        pickle.dumps(made.data.parts)
