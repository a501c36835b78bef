"""One cell from its data to its stored run: train, choose by validation, open the test part once, score."""

import contextlib
import csv
import hashlib
import io
import json
import shutil
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import safetensors.torch
import tomlkit
import torch
from torch import Tensor, nn

from zoo.cost import PeakMemory, count_macs, latency_ms
from zoo.data.protocols import Parts
from zoo.data.resampling import refusal
from zoo.data.sealed import Rows
from zoo.errors import Diverged, ModelError, ZooError, describe
from zoo.harness.cells import Cell
from zoo.harness.learning import Learnt, Lesson, epoch_scores
from zoo.harness.watch import BenchWatch
from zoo.metrics import score
from zoo.networks import Incompatible, count_parameters, on_meta
from zoo.registry import Registry
from zoo.results.predictions import Predictions
from zoo.results.run import DIVERGED, DONE, FAILED, INTERRUPTED, Run
from zoo.results.store import Store
from zoo.specs import Resampler
from zoo.training.batches import Tensors
from zoo.training.hardware import Hardware, computing_on
from zoo.training.loop import Epoch, predict


@dataclass(frozen=True)
class Prepared:
    """A cell with its data separated; `rows` gives the training rows as its resampler leaves them."""

    cell: Cell
    parts: Parts
    rows: Callable[[], Rows]
    run: Run
    hardware: Hardware


@dataclass(frozen=True)
class Job:
    """What a run needs beside its cell: where results go, who observes, who watches."""

    registry: Registry
    store: Store
    watch: BenchWatch

    def end(self, run: Run, artefacts: Mapping[str, bytes | memoryview] | None = None) -> Run:
        """Store a run's end and tell the observers."""
        ended = self.store.finish(run, artefacts)
        self.notify("zoo_run_finished", run=ended)
        return ended

    def notify(self, hook: str, **arguments: Any) -> None:
        for failure in self.registry.notify(hook, **arguments):
            self.watch.on_note(failure)


@dataclass(frozen=True)
class Outcome:
    """A trained model, and what it said and cost on the test rows."""

    learnt: Learnt
    predictions: Predictions
    cost: Mapping[str, float]


def describe_run(
    cell: Cell, parts: Parts, dataset: str, synthetic: bool, device: str, threads: int
) -> tuple[Run, Hardware]:
    """The run a cell will be, and the hardware it will be on, before anything is trained."""
    cell.network.check(n_times=parts.train.values.shape[2], lengths=parts.train.lengths is not None)
    check_lengths(cast(Resampler, cell.resampler.entry.spec), parts.train)
    model = _on_meta(cell, parts)
    recurrent = cell.network.spec.recurrent
    precision = "fp32" if cell.objective is None else cell.training.precision  # what is fitted is never rounded
    hardware = Hardware.choose(device, threads, precision, model or nn.Identity(), recurrent=recurrent)
    key, environment = cell.key(parts.record), {**hardware.environment(), **_versions(cell)}
    run = Run(
        id="",
        key=key,
        configuration=cell.configuration(parts.record),
        code=cell.code(),
        fingerprint=hashlib.sha256(f"{key}{json.dumps(environment, sort_keys=True)}".encode()).hexdigest(),
        architecture=cell.network.entry.name,
        preset=cell.network.preset,
        block=cell.network.block,
        dataset=dataset,
        synthetic=synthetic,
        protocol=cell.protocol,
        data=cell.resampler.entry.name,
        loss="" if cell.objective is None else cell.objective.entry.name,
        seed=cell.seed,
        rows=cell.rows,
        config=cell.config(),
        environment=environment,
        parts=parts.record,
        notes=parts.notes,
        cost={} if model is None else _size(model, parts, cell.training.members),
    )
    return run, hardware


def check_lengths(spec: Resampler, rows: Rows) -> None:
    """Raise Incompatible where the resampler makes rows between rows of unequal lengths."""
    if reason := refusal(spec, rows):
        raise Incompatible(reason)


def execute(prepared: Prepared, job: Job, *, resume: bool) -> Run:
    """Train and score one cell and store what came of it, however it ended.

    A network that fails or diverges gives a run that says so. An interruption is stored and raised again.
    """
    run = job.store.begin(prepared.run)
    job.notify("zoo_run_started", run=run)
    try:
        ended, artefacts = _attempt(prepared, run, job, resume)
    except KeyboardInterrupt:
        job.end(replace(run, status=INTERRUPTED, error="interrupted"))
        raise
    except (Exception, SystemExit) as error:
        return job.end(_failed(run, error), _trace(error))
    ended = job.end(ended, artefacts)
    shutil.rmtree(job.store.checkpoint(run).parent, ignore_errors=True)
    return ended


def _attempt(prepared: Prepared, run: Run, job: Job, resume: bool) -> tuple[Run, dict[str, bytes | memoryview]]:
    """The finished run and its files, or whatever it raised."""
    config = tomlkit.dumps(dict(run.config)).encode()
    with job.store.heartbeat(run), computing_on(prepared.hardware):
        rows = prepared.rows()
        outcome = _train_and_predict(prepared, rows, run, job, resume)
        job.watch.on_phase("scoring")
        return _score(run, outcome), {"config.toml": config, **_artefacts(outcome)}


def _failed(run: Run, error: BaseException) -> Run:
    status = DIVERGED if isinstance(error, Diverged) else FAILED
    return replace(run, status=status, error=str(error) if isinstance(error, ZooError) else describe(error))


def _trace(error: BaseException) -> dict[str, bytes | memoryview]:
    """The traceback of what is not a user's error, for whoever wrote the network."""
    if isinstance(error, ZooError) and error.__cause__ is None:
        return {}
    return {"traceback.txt": "".join(traceback.format_exception(error)).encode()}


def _train_and_predict(prepared: Prepared, rows: Rows, run: Run, job: Job, resume: bool) -> Outcome:
    cell, hardware, shape = prepared.cell, prepared.hardware, prepared.parts.record["shape"]
    parts = prepared.parts.for_run()
    memory = PeakMemory(hardware.device)
    memory.start()
    devices = [hardware.device] if hardware.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        lesson = Lesson.of(cell, parts, rows, hardware)
        learnt = lesson.learn(_Relay(job, run), job.store.checkpoint(run), resume=resume)
    parts.test.training_ended()
    test = parts.test.open()
    started = time.perf_counter()
    logits = predict(learnt.model, Tensors.of(test, hardware.device))
    seconds = time.perf_counter() - started
    series = {name: shape[name] for name in ("n_channels", "n_times")}
    cost = {
        "train_seconds": sum(epoch.seconds for epoch in learnt.history),
        "peak_memory_mib": memory.mib(),
        "rows_per_second": len(test) / seconds,
        "latency_ms": latency_ms(learnt.model, **series, device=hardware.device),
    }
    return Outcome(learnt, _predictions(logits, test, parts), cost)


def _predictions(logits: Tensor, test: Rows, parts: Parts) -> Predictions:
    if not bool(torch.isfinite(logits).all()):
        raise Diverged("the logits of the test rows are NaN or infinite")
    probabilities = torch.softmax(logits, dim=1).numpy()
    groups = test.groups if parts.record["by_group"] else None
    return Predictions(probabilities, test.labels, test.index, parts.classes, groups)


def _score(run: Run, outcome: Outcome) -> Run:
    seen = outcome.predictions
    return replace(
        run,
        status=DONE,
        scores=score(seen.probabilities, seen.labels, seen.classes, seen.groups),
        cost={**run.cost, "parameters": count_parameters(outcome.learnt.model), **outcome.cost},
        epochs=len(outcome.learnt.history),
        best_epoch=outcome.learnt.best_epoch,
    )


def _artefacts(outcome: Outcome) -> dict[str, bytes | memoryview]:
    weights = {name: tensor.cpu().clone().contiguous() for name, tensor in _tensors(outcome.learnt.model).items()}
    return {
        "history.csv": _history(outcome.learnt.history).encode(),
        "predictions.parquet": outcome.predictions.to_parquet(),
        "model.safetensors": safetensors.torch.save(weights),
    }


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """A model's parameters and buffers; extra state of its own is not stored, for want of a form without pickle."""
    return {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}


def _history(epochs: tuple[Epoch, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [item.name for item in fields(Epoch)])
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in epochs)
    return buffer.getvalue()


def _versions(cell: Cell) -> dict[str, str]:
    """Of the libraries that the cell's components compute with beside the usual ones."""
    found = {}
    for entry in cell.entries():
        for library in entry.spec.libraries:
            with contextlib.suppress(PackageNotFoundError):
                found[library] = version(library)
    return found


def _on_meta(cell: Cell, parts: Parts) -> nn.Module | None:
    """None for a network that cannot be built there: its run says whether it can be anywhere."""
    try:
        return on_meta(lambda: cell.network.build(**parts.record["shape"]))
    except Incompatible:
        raise
    except ModelError:
        return None


def _size(model: nn.Module, parts: Parts, members: int) -> dict[str, int | None]:
    """Parameters and multiply-accumulates; None for what cannot be told on the meta device: it can still be trained."""
    _, n_channels, n_times = parts.train.values.shape
    found: dict[str, int | None] = {"parameters": None, "macs": None}
    with contextlib.suppress(Exception, SystemExit):
        found["parameters"] = members * count_parameters(model)
        found["macs"] = members * count_macs(model, n_channels=n_channels, n_times=n_times)
    return found


class _Relay:
    """Hands the training loop's news to the watch and to the plugins that observe."""

    def __init__(self, job: Job, run: Run) -> None:
        self.job, self.run = job, run

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.job.watch.on_batch(epoch, rows_done, rows, loss)

    def on_epoch(self, epoch: Epoch) -> None:
        self.job.watch.on_epoch(epoch)
        self.job.notify("zoo_epoch_finished", run=self.run, epoch=epoch.number, scores=epoch_scores(epoch))
