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
from typing import Any

import numpy as np
import safetensors.torch
import tomlkit
import torch
from torch import Tensor, nn

from zoo.cost import PeakMemory, count_macs, latency_ms
from zoo.data.protocols import Parts
from zoo.data.sealed import Rows
from zoo.errors import Diverged, ModelError, ZooError, describe
from zoo.factories import load_factory
from zoo.harness.cells import Cell
from zoo.harness.seeds import axis_seeds
from zoo.harness.watch import BenchWatch
from zoo.metrics import score
from zoo.networks import Incompatible, count_parameters, on_meta
from zoo.registry import Registry
from zoo.results.predictions import Predictions
from zoo.results.run import DIVERGED, DONE, FAILED, INTERRUPTED, Run
from zoo.results.store import Store
from zoo.training.hardware import Hardware, computing_on
from zoo.training.loop import Epoch, Progress, Tensors, predict, train


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
    """A trained model, how it got there, and what it said and cost on the test rows."""

    model: nn.Module
    progress: Progress
    predictions: Predictions
    cost: Mapping[str, float]


def describe_run(
    cell: Cell, parts: Parts, dataset: str, synthetic: bool, device: str, threads: int
) -> tuple[Run, Hardware]:
    """The run a cell will be, and the hardware it will be on, before anything is trained."""
    cell.network.check(n_times=parts.train.values.shape[2], lengths=parts.train.lengths is not None)
    model = _on_meta(cell, parts)
    recurrent = cell.network.spec.recurrent
    hardware = Hardware.choose(device, threads, cell.training.precision, model or nn.Identity(), recurrent=recurrent)
    key, environment = cell.key(parts.record), hardware.environment()
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
        loss=cell.objective.entry.name,
        seed=cell.seed,
        rows=cell.rows,
        config=cell.config(),
        environment=environment,
        parts=parts.record,
        notes=parts.notes,
        cost={} if model is None else _size(model, parts),
    )
    return run, hardware


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
    seeds = axis_seeds(cell.seed)
    parts = prepared.parts.for_run()
    memory = PeakMemory(hardware.device)
    memory.start()
    devices = [hardware.device] if hardware.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seeds["weights"])
        model = cell.network.build(**shape)
        _check_output(model, parts, run)
        torch.manual_seed(seeds["batches"])  # dropout, in the order of the batches
        progress = train(
            model,
            rows,
            parts.validation,
            _objective(prepared, rows, hardware.device),
            cell.training,
            hardware,
            seed=seeds["batches"],
            watch=_Relay(job, run),
            checkpoint=job.store.checkpoint(run),
            resume=resume,
        )
    parts.test.training_ended()
    test = parts.test.open()
    started = time.perf_counter()
    logits = predict(model, Tensors.of(test, hardware.device))
    seconds = time.perf_counter() - started
    cost = {
        "train_seconds": sum(epoch.seconds for epoch in progress.history),
        "peak_memory_mib": memory.mib(),
        "rows_per_second": len(test) / seconds,
        "latency_ms": latency_ms(
            model, n_channels=shape["n_channels"], n_times=shape["n_times"], device=hardware.device
        ),
    }
    return Outcome(model, progress, _predictions(logits, test, parts), cost)


def _objective(prepared: Prepared, rows: Rows, device: torch.device) -> Any:
    counts = torch.from_numpy(np.bincount(rows.labels, minlength=len(prepared.parts.classes))).to(device)
    part = prepared.cell.objective
    objective = load_factory(part.entry.spec.factory)(class_counts=counts, **part.params)
    return objective.to(device) if isinstance(objective, nn.Module) else objective


def _check_output(model: nn.Module, parts: Parts, run: Run) -> None:
    """Two rows through the untrained model: a wrong shape is said before an epoch was spent on it."""
    model.eval()
    rows = Tensors.of(parts.validation, torch.device("cpu"))
    with torch.no_grad():
        output = rows.take(slice(0, 2)).logits(model)
    wanted = (min(2, len(parts.validation)), len(parts.classes))
    if not isinstance(output, Tensor) or tuple(output.shape) != wanted:
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ModelError(f"{run.reference} gave {got} for logits of shape {wanted}")


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
        cost={**run.cost, "parameters": count_parameters(outcome.model), **outcome.cost},
        epochs=outcome.progress.epochs_done,
        best_epoch=outcome.progress.best_epoch,
    )


def _artefacts(outcome: Outcome) -> dict[str, bytes | memoryview]:
    weights = {name: tensor.cpu().clone().contiguous() for name, tensor in _tensors(outcome.model).items()}
    return {
        "history.csv": _history(outcome.progress).encode(),
        "predictions.parquet": outcome.predictions.to_parquet(),
        "model.safetensors": safetensors.torch.save(weights),
    }


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """A model's parameters and buffers; extra state of its own is not stored, for want of a form without pickle."""
    return {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}


def _history(progress: Progress) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [item.name for item in fields(Epoch)])
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in progress.history)
    return buffer.getvalue()


def _on_meta(cell: Cell, parts: Parts) -> nn.Module | None:
    """None for a network that cannot be built there: its run says whether it can be anywhere."""
    try:
        return on_meta(lambda: cell.network.build(**parts.record["shape"]))
    except Incompatible:
        raise
    except ModelError:
        return None


def _size(model: nn.Module, parts: Parts) -> dict[str, int | None]:
    """Parameters and multiply-accumulates; None for what cannot be told on the meta device: it can still be trained."""
    _, n_channels, n_times = parts.train.values.shape
    found: dict[str, int | None] = {"parameters": None, "macs": None}
    with contextlib.suppress(Exception, SystemExit):
        found["parameters"] = count_parameters(model)
        found["macs"] = count_macs(model, n_channels=n_channels, n_times=n_times)
    return found


class _Relay:
    """Hands the training loop's news to the watch and to the plugins that observe."""

    def __init__(self, job: Job, run: Run) -> None:
        self.job, self.run = job, run

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float) -> None:
        self.job.watch.on_batch(epoch, rows_done, rows, loss)

    def on_epoch(self, epoch: Epoch) -> None:
        self.job.watch.on_epoch(epoch)
        scores = {name: value for name, value in asdict(epoch).items() if name not in ("number", "seconds")}
        self.job.notify("zoo_epoch_finished", run=self.run, epoch=epoch.number, scores=scores)
