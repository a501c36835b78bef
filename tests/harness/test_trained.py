"""What training leaves: all of a network in its bytes, or a failure with its status; and the worker that sends them."""

import pickle
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lessons
import numpy as np
import pytest
import safetensors.torch
import torch
from conftest import release_memory
from lessons import CPU, Growing, cell_of, lesson_of
from torch import Tensor, nn

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import DataError, Diverged, ModelError
from zoo.harness.cells import Cell
from zoo.harness.reporter import SilentReporter
from zoo.harness.run_cell import environment_of
from zoo.harness.trained import Failure, Product, Trained, weights_of
from zoo.harness.training_run import TrainedModel
from zoo.harness.worker import Assignment, Limits, News, Worker
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch

CHECKPOINT = Path("state.pt")
NOT_WHOLE = (
    "{} keeps state outside its parameters and buffers, so its stored weights do not reproduce it: keep everything "
    "that it learns or draws in a parameter or in register_buffer(…)"
)


def trained(cell: Cell, parts: Parts, hardware: Hardware = CPU) -> Trained:
    trained_model = lesson_of(cell, parts, hardware).learn(SilentReporter(), CHECKPOINT, resume=False)
    return Trained(trained_model, 12.5, {"threads": 7})


def state(model: nn.Module) -> Tensor:
    return torch.cat([tensor.flatten().double() for tensor in model.state_dict().values()])


@pytest.mark.parametrize("members", [1, 2])
def test_a_network_is_the_same_in_another_process(members: int) -> None:
    cell, parts = cell_of("turning", members=members), lessons.parts()
    before = trained(cell, parts)
    product = Product.of(before, parts.validation, CPU)
    sent: Product = pickle.loads(pickle.dumps(product))
    random = torch.get_rng_state()
    there = sent.trained(cell, parts.summary["shape"], parts.validation, CPU)
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(state(there.trained_model.model), state(before.trained_model.model))
    assert (there.trained_model.history, there.trained_model.best_epoch) == (
        before.trained_model.history,
        before.trained_model.best_epoch,
    )
    assert (there.peak_memory_mib, there.environment) == (12.5, {"threads": 7})
    with torch.no_grad():
        expected = before.trained_model.model.eval()(torch.from_numpy(parts.validation.values[:8]))
    torch.testing.assert_close(product.probe, expected)


def test_a_network_that_learnt_elsewhere_than_in_its_parameters_is_not_scored_in_another_process() -> None:
    cell, parts = cell_of("hiding"), lessons.parts()
    product = Product.of(trained(cell, parts), parts.validation, CPU)
    with pytest.raises(ModelError) as caught:
        product.trained(cell, parts.summary["shape"], parts.validation, CPU)
    assert str(caught.value) == NOT_WHOLE.format("hiding")


def test_weights_that_do_not_fit_the_network_built_there_are_the_same_line() -> None:
    cell, parts = cell_of("growing"), lessons.parts()
    product = Product.of(trained(cell, parts), parts.validation, CPU)
    assert Growing.built > 0
    with pytest.raises(ModelError) as caught:
        product.trained(cell, parts.summary["shape"], parts.validation, CPU)
    assert str(caught.value) == NOT_WHOLE.format("growing")
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_logits_that_are_nan_here_and_there_are_no_difference() -> None:
    cell, parts = cell_of("turning", epochs=1), lessons.parts()
    before = trained(cell, parts)
    nn.init.constant_(before.trained_model.model.layers[-1].bias, float("nan"))
    product = Product.of(before, parts.validation, CPU)
    assert product.probe.isnan().all()
    there = product.trained(cell, parts.summary["shape"], parts.validation, CPU)
    assert there.trained_model.model.layers[-1].bias.isnan().all()


@pytest.mark.parametrize(
    ("logit", "away", "same"), [(0.0, 5e-5, True), (0.0, 1e-3, False), (10.0, 5e-3, True), (10.0, 0.1, False)]
)
def test_logits_may_differ_there_by_what_another_order_of_sums_does(logit: float, away: float, same: bool) -> None:
    cell, parts = cell_of("turning", epochs=1), lessons.parts()
    before = trained(cell, parts)
    nn.init.zeros_(before.trained_model.model.layers[-1].weight)
    nn.init.constant_(before.trained_model.model.layers[-1].bias, logit)
    product = Product.of(before, parts.validation, CPU)
    torch.testing.assert_close(product.probe, torch.full((8, 3), logit))
    moved = replace(product, probe=product.probe + away)
    if same:
        assert moved.trained(cell, parts.summary["shape"], parts.validation, CPU)
    else:
        with pytest.raises(ModelError, match="keeps state outside its parameters and buffers"):
            moved.trained(cell, parts.summary["shape"], parts.validation, CPU)


@pytest.mark.parametrize(
    ("reference", "images", "laid_out"), [("image", True, True), ("image", False, False), ("fittedimage", True, False)]
)
def test_a_network_is_laid_out_there_as_it_was_trained(reference: str, images: bool, laid_out: bool) -> None:
    hardware = replace(CPU, channels_last=images)
    cell, parts = cell_of(reference, epochs=1), lessons.parts()
    before = trained(cell, parts, hardware)
    there = Product.of(before, parts.validation, hardware).trained(
        cell, parts.summary["shape"], parts.validation, hardware
    )
    for one in (before, there):
        assert one.trained_model.model.layers[0].weight.is_contiguous(memory_format=torch.channels_last) == laid_out


def test_the_bytes_of_a_network_are_its_tensors_one_by_one() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = nn.Linear(2, 3), nn.Linear(2, 3)
            self.other.weight = self.one.weight
            self.register_buffer("turned", torch.arange(6.0).view(2, 3).T)

        def get_extra_state(self) -> object:
            return "none of it"

    model = Tied()
    found = safetensors.torch.load(weights_of(model))
    assert set(found) == {"one.weight", "one.bias", "other.weight", "other.bias", "turned"}
    for name, value in found.items():
        assert torch.equal(value, model.state_dict()[name])


# Failures


def test_a_failure_says_how_a_run_ended_in_one_line_and_keeps_the_traceback_of_code_that_is_not_the_zoos() -> None:
    diverged = Failure.of(Diverged("the loss became nan"))
    assert diverged == Failure("diverged", "the loss became nan", "")
    assert Failure.of(DataError("no rows")) == Failure("failed", "no rows", "")
    assert diverged.artefacts() == {}
    try:
        raise ValueError("it is\nbroken")
    except ValueError as error:
        broken = Failure.of(error)
    assert (broken.status, broken.error) == ("failed", "ValueError: it is broken")
    assert "in test_a_failure_says" in broken.trace
    assert broken.trace.endswith("ValueError: it is\nbroken\n")
    assert broken.artefacts() == {"traceback.txt": broken.trace.encode()}
    caused = ModelError("net cannot be built")
    caused.__cause__ = KeyError("width")
    found = Failure.of(caused)
    assert (found.status, found.error) == ("failed", "net cannot be built")
    assert "KeyError: 'width'" in found.trace
    assert Failure.of(SystemExit(3)).error == "sys.exit(3)"


# The worker, in this process


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = torch.get_num_threads()
    yield Worker(())
    torch.set_num_threads(before)


def assignment(cell: Cell, parts: Parts, *, resume: bool = False, memory: int = 0, threads: int = 1) -> Assignment:
    return Assignment(
        cell, parts.summary, replace(CPU, threads=threads), CHECKPOINT, resume, Limits(memory=memory, beside=True)
    )


def news_of(worker: Worker, cell: Cell, **more: Any) -> list[News]:
    parts = lessons.parts()
    return list(worker.train(assignment(cell, parts, **more), parts.train, parts.train, parts.validation))


def numbers(news: list[News]) -> list[tuple[int, int]]:
    return [(epoch.member, epoch.number) for epoch in news if isinstance(epoch, Epoch)]


@pytest.mark.parametrize("reference", ["turning", "fitted"])
@pytest.mark.parametrize("members", [1, 2])
def test_a_worker_sends_every_epoch_and_then_the_network_that_would_have_been_trained_here(
    worker: Worker, reference: str, members: int
) -> None:
    cell, parts = cell_of(reference, members=members), lessons.parts()
    *epochs, product = news_of(worker, cell)
    each = 1 if reference == "fitted" else 4
    assert numbers(epochs) == [(1 + number // each, 1 + number) for number in range(each * members)]
    assert isinstance(product, Product)
    here: TrainedModel = lesson_of(cell, parts).learn(SilentReporter(), Path("here.pt"), resume=False)
    there = product.trained(cell, parts.summary["shape"], parts.validation, CPU)
    assert torch.equal(state(there.trained_model.model), state(here.model)), "that of its best epoch"
    assert there.trained_model.best_epoch == here.best_epoch
    assert product.train_macro_recall == here.train_macro_recall is not None
    assert product.environment == environment_of(cell, CPU)
    for model in getattr(there.trained_model.model, "members", [there.trained_model.model]):
        assert reference == "fitted" or int(model.epochs) < 4, "its best epoch is not its last"


@pytest.mark.parametrize("stop_after", [1, 3, 6])
def test_a_worker_resumes_what_another_began_and_starts_again_where_it_is_not_asked_to(
    worker: Worker, stop_after: int
) -> None:
    cell, parts = cell_of("turning", members=2), lessons.parts()
    *_, unbroken = news_of(worker, cell)
    for path in Path().glob("state*.pt"):
        path.unlink()
    course = worker.train(assignment(cell, parts), parts.train, parts.train, parts.validation)
    for number in range(1, stop_after + 1):
        news = next(course)
        assert isinstance(news, Epoch)
        path = CHECKPOINT if number <= 4 else Path("state-2.pt")
        assert len(torch.load(path, weights_only=True)["history"]) == 1 + (number - 1) % 4, "written before it is told"
    course.close()
    *epochs, resumed = news_of(worker, cell, resume=True)
    assert [number for _, number in numbers(epochs)] == [*range(stop_after + 1, 9)]
    assert isinstance(unbroken, Product)
    assert isinstance(resumed, Product)
    assert resumed.weights == unbroken.weights
    assert len(numbers(news_of(worker, cell))) == 8


@pytest.mark.parametrize(
    ("how", "memory", "status", "error", "trace"),
    [
        ("raise", 0, "failed", "ValueError: it is broken", "ValueError: it is\nbroken\n"),
        ("raise", 2**33, "failed", "ValueError: it is broken", "ValueError: it is\nbroken\n"),
        ("exit", 0, "failed", "sys.exit(3)", "SystemExit: 3\n"),
        ("nan", 0, "diverged", "the training loss became nan: try a lower training.learning_rate or training.clip", ""),
        ("memory", 0, "failed", "OutOfMemoryError: CUDA out of memory, as it were", "out of memory, as it were\n"),
        (
            "memory",
            2**33,
            "failed",
            "OutOfMemoryError: CUDA out of memory, as it were (several runs share the memory: try fewer --jobs)",
            "out of memory, as it were\n",
        ),
    ],
)
def test_a_network_that_fails_is_the_last_news_after_the_epochs_before(
    worker: Worker, how: str, memory: int, status: str, error: str, trace: str
) -> None:
    *epochs, failure = news_of(worker, cell_of("failing", how=how, after=2), memory=memory)
    assert numbers(epochs) == [(1, 1), (1, 2)]
    assert isinstance(failure, Failure)
    assert (failure.status, failure.error) == (status, error)
    assert failure.trace.endswith(trace)
    assert bool(failure.trace) == bool(trace)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_a_network_that_takes_more_than_its_share_of_memory_fails_alone(worker: Worker) -> None:
    (failure,) = news_of(worker, cell_of("failing", how="greedy"), memory=2**30)
    assert isinstance(failure, Failure)
    assert failure.error.endswith("(several runs share the memory: try fewer --jobs)")
    np.ones(2**28, dtype=np.uint8)
    assert isinstance(news_of(worker, cell_of("turning", epochs=1))[-1], Product)


def test_a_worker_computes_with_the_threads_of_its_hardware_and_waits_with_one(worker: Worker) -> None:
    torch.set_num_threads(2)
    Worker(())
    assert torch.get_num_threads() == 1
    parts = lessons.parts()
    course = worker.train(assignment(cell_of("turning"), parts, threads=2), parts.train, parts.train, parts.validation)
    next(course)
    assert torch.get_num_threads() == 2
    course.close()
    assert torch.get_num_threads() == 1


def test_a_worker_finds_modules_where_its_driver_does(worker: Worker) -> None:
    known = "/nowhere/known"
    sys.path.insert(0, known)
    Worker(("/nowhere/a", known, "/nowhere/b"))
    assert sys.path[-2:] == ["/nowhere/a", "/nowhere/b"]
    assert sys.path.count(known) == 1


def test_a_worker_trains_on_rows_that_cannot_be_written_to(worker: Worker) -> None:
    def read_only(rows: Rows) -> Rows:
        arrays = [array.copy() for array in (rows.values, rows.labels, rows.index)]
        for array in arrays:
            array.setflags(write=False)
        return Rows(*arrays)

    parts, cell = lessons.parts(), cell_of("turning", epochs=1)
    rows = [read_only(each) for each in (parts.train, parts.train, parts.validation)]
    news = list(worker.train(assignment(cell, parts), *rows))
    assert isinstance(news[-1], Product), "torch's warning of it is an error in these tests"
    with pytest.raises(UserWarning, match="something else"):  # as in all tests: it is that one that is ignored
        warnings.warn("something else", UserWarning, stacklevel=1)


def test_the_memory_of_a_run_is_the_most_that_it_held_not_what_was_held_before(worker: Worker) -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("the high-water mark cannot be reset here")
    news_of(worker, cell_of("turning", epochs=1))  # imports what a first run imports
    release_memory()
    np.ones(2**24)  # 128 MiB, gone before the run
    release_memory()
    ever = float(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 2**10
    product = news_of(worker, cell_of("turning", epochs=1))[-1]
    assert isinstance(product, Product)
    assert 10 < product.peak_memory_mib < ever - 60
