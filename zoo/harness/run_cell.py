"""Train and score one cell, and store the run: the epoch that validation chooses, then one pass over the test set."""

import contextlib
import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import tomlkit
import torch
from torch import Tensor

from zoo.cost import PeakMemory
from zoo.data.fingerprints import fingerprint
from zoo.data.protocols import Parts
from zoo.data.resampling import changes_rows, refusal
from zoo.data.rows import Rows
from zoo.data.unread import Unread
from zoo.errors import DataError, Diverged
from zoo.harness.cells import Cell
from zoo.harness.containment import contained, limited
from zoo.harness.datasets import Loaded
from zoo.harness.preview import Preview
from zoo.harness.reporter import BenchReporter
from zoo.harness.scoring import Scored, ToScore
from zoo.harness.trained import PROBED, Failure, Product, Trained
from zoo.harness.training_run import TrainingRun, epoch_scores, known
from zoo.networks import Incompatible
from zoo.records import Environment, plain
from zoo.registry import Registry
from zoo.specs import Resampler
from zoo.store.predictions import Predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.surroundings.kept import Changes
from zoo.surroundings.memories import without_memories
from zoo.training.hardware import Hardware, computing_on
from zoo.training.loop import Epoch
from zoo.training.randomness import own_random
from zoo.workers.limits import Deadline

Artefacts = dict[str, bytes | memoryview]  # the files of a run, by name


@dataclass(frozen=True)
class Prepared:
    """A cell with its separated data; `rows()` returns the resampled training rows."""

    cell: Cell
    parts: Parts
    rows: Callable[[], Rows]
    run: Run
    preview: Preview

    @property
    def hardware(self) -> Hardware:
        return self.preview.hardware

    def counted(self) -> "Prepared":
        """Count the operations of the network, which calls its code."""
        preview = self.preview.counted(self.cell, self.parts.summary.shape)
        return replace(self, preview=preview, run=replace(self.run, cost=preview.cost))

    def opened_test(self) -> Rows:
        """Open the sealed test set, after training has ended; each run does so once."""
        test = self.parts.for_run().test
        test.training_ended()
        return test.open()

    def to_score(self, product: Product) -> ToScore:
        """Return the trained network with everything that its scoring needs, except the test rows."""
        parts = self.parts
        probed = parts.to_check_with.first(PROBED)
        return ToScore(self.cell, parts.summary.shape, product, probed, parts.scaling, self.hardware)


@dataclass(frozen=True)
class RunContext:
    """The surroundings of a run: the registry with its observers, the store and the reporter.

    `stopped` returns true if an error ends the whole bench, for example after SIGTERM: no network caused that error.
    `timeout` is the time limit of a run in seconds; None: no limit.
    """

    registry: Registry
    store: Store
    reporter: BenchReporter
    stopped: Callable[[], bool] = lambda: False
    timeout: float | None = None

    def start(self, run: Run) -> None:
        """Notify the observers that a run starts; the schedule has stored it."""
        self.notify("zoo_run_started", run=run)

    def end(self, run: Run, artefacts: Mapping[str, bytes | memoryview] | None = None) -> Run:
        """Store the end of a run and notify the observers."""
        ended = self.store.finish(run, artefacts)
        self.notify("zoo_run_finished", run=ended)
        return ended

    def fail(self, run: Run, failure: Failure) -> Run:
        failed = replace(noted(run, *failure.notes), status=failure.status, error=failure.error)
        return self.end(failed, failure.artefacts())

    def interrupt(self, run: Run) -> Run:
        return self.end(replace(run, status=RunStatus.INTERRUPTED, error="interrupted"))

    def tell(self, run: Run, epoch: Epoch) -> None:
        """Notify the observers of an epoch. Raises StoreMoved if the run cannot be stored any more."""
        self.store.database.check_in_place()
        self.notify("zoo_epoch_finished", run=run, epoch=epoch.number, scores=epoch_scores(epoch))

    def notify(self, hook: str, **arguments: Any) -> None:
        for failure in self.registry.notify(hook, **arguments):
            self.reporter.on_note(failure)


def check_cell(cell: Cell, parts: Parts) -> None:
    """Raise Incompatible if the network, its block or the resampler cannot take such series."""
    cell.network.check(n_times=parts.train.values.shape[2], lengths=parts.train.lengths is not None)
    check_lengths(cell.resampler.entry.spec, parts.train)
    check_held_out(cell, parts)


def describe_run(cell: Cell, parts: Parts, loaded: Loaded, preview: Preview) -> Run:
    """Return the run of a cell, before training starts."""
    key, environment = cell.key(parts.summary), environment_of(cell, preview.hardware)
    run = Run(
        id="",
        key=key,
        configuration=cell.configuration(parts.summary),
        besides_loss=cell.besides_loss(parts.summary),
        code=cell.code(),
        fingerprint=_fingerprint(key, environment),
        architecture=cell.network.entry.name,
        preset=cell.network.preset,
        block=cell.network.block,
        dataset=loaded.name,
        synthetic=loaded.synthetic,
        protocol=cell.protocol,
        fold=0 if cell.fold is None else cell.fold.number,
        folds=0 if cell.fold is None else cell.fold.of,
        scale=cell.scale,
        data=cell.resampler.entry.name,
        loss="" if cell.objective is None else cell.objective.entry.name,
        seed=cell.seed,
        rows=cell.rows,
        config=cell.config(),
        environment=environment,
        plugins=_plugins(cell, loaded),
        parts=parts.summary,
        notes=parts.notes,
        data_notes=parts.notes,
        cost=preview.cost,
    )
    return noted(run, *preview.notes, *cell.import_notes())


def check_lengths(spec: Resampler, rows: Rows) -> None:
    """Raise Incompatible if the resampler interpolates between rows and the rows have unequal lengths."""
    if reason := refusal(spec, rows):
        raise Incompatible(reason)


def check_held_out(cell: Cell, parts: Parts) -> None:
    """Raise Incompatible if rows that a network holds out would have copies among the rows that it learns from."""
    resampler = cell.resampler
    if not len(parts.validation) and changes_rows(resampler.entry.spec, resampler.params):
        raise Incompatible(
            "without validation rows it scores each training row by the others, which must not contain copies of it: "
            f"use --data original, not {resampler.entry.name}"
        )


def environment_of(cell: Cell, hardware: Hardware) -> Environment:
    """Return everything in this process, beside the configuration, that can change a bit of a cell's result."""
    return Environment.of({**hardware.environment(), **_versions(cell)})


def execute(prepared: Prepared, context: RunContext, *, resume: bool) -> Run:
    """Train and score one cell, and store its run, whether it succeeded or not.

    If the network fails or diverges, the run has that status. An interruption is stored and raised again.
    """
    run = prepared.run
    with context.store.heartbeat(run):
        context.start(run)
        return conclude(prepared, run, context, lambda: _train(prepared, run, context, resume))


def conclude(prepared: Prepared, run: Run, context: RunContext, train: Callable[[], Product]) -> Run:
    """Train and score a network in this process, and store the run as `execute` does.

    The network is rebuilt from the bytes that are stored. The run fails if that is not the network that was trained.
    """
    changes = Changes()
    try:
        with (
            limited(context.timeout, context.store.path(run)),
            computing_on(prepared.hardware, changes),
            own_random(prepared.hardware.device),
        ):
            prepared = prepared.counted()
            run = noted(replace(run, cost=prepared.run.cost), *prepared.preview.notes)
            with without_memories(prepared.cell.packages):
                product = train()
            test = prepared.opened_test()
            with contained():
                context.reporter.on_phase("scoring")
                scored = prepared.to_score(product).score(test.unlabelled())
                ended, artefacts = _ended(prepared, run, product, scored, test)
    except Deadline:
        return context.fail(noted(run, *changes.notes(run.reference)), Failure.timeout(context.timeout))
    except BaseException as error:
        run = noted(run, *changes.notes(run.reference))
        if isinstance(error, KeyboardInterrupt) or context.stopped():
            context.interrupt(run)
            raise
        if not isinstance(error, Exception | SystemExit):
            raise
        return context.fail(run, Failure.of(error))
    return _store(context, noted(ended, *changes.notes(run.reference)), artefacts)


def finish(prepared: Prepared, run: Run, context: RunContext, product: Product, scored: Scored, test: Rows) -> Run:
    """Store the run of a network that another process has trained and scored.

    A network whose logits are not finite has diverged. The run fails if its test rows have changed meanwhile.
    """
    try:
        ended, artefacts = _ended(prepared, run, product, scored, test)
    except (Diverged, DataError) as error:
        return context.fail(noted(run, *scored.notes), Failure.of(error))
    return _store(context, noted(ended, *scored.notes), artefacts)


def _ended(prepared: Prepared, run: Run, product: Product, scored: Scored, test: Rows) -> tuple[Run, Artefacts]:
    """Compare the predictions with the labels; return the finished run and its files.

    Raises Diverged, and DataError if test rows that are read late are not those of the key any more.
    """
    if isinstance(test.values, Unread) and fingerprint(test) != prepared.parts.summary.fingerprints["test"]:
        raise DataError(f"{run.dataset} was changed during the run: do not write to the array or its file, and repeat")
    predictions = _predictions(scored.logits, test, prepared.parts)
    run = trained_in(noted(run, *product.notes), product.environment)
    artefacts: Artefacts = {
        "config.toml": tomlkit.dumps(dict(run.config)).encode(),
        "history.csv": _history(product.history).encode(),
        "predictions.parquet": predictions.to_parquet(),
        "model.safetensors": scored.weights,
    }
    return _done(run, product, scored, predictions), artefacts


def _store(context: RunContext, run: Run, artefacts: Artefacts) -> Run:
    ended = context.end(run, artefacts)
    shutil.rmtree(context.store.checkpoint(run).parent, ignore_errors=True)
    return ended


def _train(prepared: Prepared, run: Run, context: RunContext, resume: bool) -> Product:
    """Train the cell in this process."""
    cell, hardware = prepared.cell, prepared.hardware
    with contained():
        rows = prepared.rows()
    memory = PeakMemory(hardware.device)
    memory.start()
    training_run = TrainingRun.of(cell, prepared.parts, rows, hardware)
    trained_model = training_run.learn(_Relay(context, run), context.store.checkpoint(run), resume=resume)
    trained = Trained(trained_model, memory.mib(), run.environment)
    return Product.of(trained, prepared.parts.to_check_with, hardware)


def noted(run: Run, *notes: str) -> Run:
    """Return the run with more notes, each once."""
    return replace(run, notes=tuple(dict.fromkeys((*run.notes, *notes))))


def trained_in(run: Run, environment: Environment) -> Run:
    """Return the run with the environment of the process that trained it."""
    if environment == run.environment:
        return run
    return replace(run, environment=environment, fingerprint=_fingerprint(run.key, environment))


def _predictions(logits: Tensor, test: Rows, parts: Parts) -> Predictions:
    if not bool(torch.isfinite(logits).all()):
        raise Diverged("the logits of the test rows are NaN or infinite")
    probabilities = torch.softmax(logits, dim=1).numpy()
    groups = test.groups if parts.summary.by_group else None
    return Predictions(probabilities, test.labels, test.index, parts.classes, groups, logits.numpy())


def _done(run: Run, product: Product, scored: Scored, seen: Predictions) -> Run:
    cost = replace(
        run.cost,
        parameters=scored.parameters,
        train_seconds=sum(epoch.seconds for epoch in product.history),
        peak_memory_mib=product.peak_memory_mib,
        rows_per_second=scored.rows_per_second,
        latency_ms=scored.latency_ms,
    )
    return replace(
        run,
        status=RunStatus.DONE,
        scores=seen.scores(run.parts.groups_by),
        cost=cost,
        epochs=len(product.history),
        steps=sum(epoch.steps for epoch in product.history),
        best_epoch=product.best_epoch,
        loss_gradients=product.loss_gradients,
        train_macro_recall=product.train_macro_recall,
    )


def _history(epochs: tuple[Epoch, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [item.name for item in fields(Epoch)])
    writer.writeheader()
    writer.writerows({name: known(value) for name, value in asdict(epoch).items()} for epoch in epochs)
    return buffer.getvalue()


def _fingerprint(key: str, environment: Environment) -> str:
    return hashlib.sha256(f"{key}{json.dumps(plain(environment), sort_keys=True)}".encode()).hexdigest()


def _plugins(cell: Cell, loaded: Loaded) -> dict[str, str]:
    """Return the versions of the distributions that provide the components, by name."""
    entries = (*cell.entries(), *(() if loaded.entry is None else (loaded.entry,)))
    return {plugin.distribution: plugin.version for entry in entries if (plugin := entry.plugin).distribution}


def _versions(cell: Cell) -> dict[str, str]:
    """Return the versions of the additional libraries that the cell's components use."""
    found = {}
    for entry in cell.entries():
        for library in entry.spec.libraries:
            with contextlib.suppress(PackageNotFoundError):
                found[library] = version(library)
    return found


class _Relay:
    """Forwards events of the training loop to the reporter and to plugins that observe runs."""

    def __init__(self, context: RunContext, run: Run) -> None:
        self.context, self.run = context, run

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.context.reporter.on_batch(epoch, rows_done, rows, loss)

    def on_epoch(self, epoch: Epoch) -> None:
        self.context.reporter.on_epoch(epoch)
        self.context.tell(self.run, epoch)
