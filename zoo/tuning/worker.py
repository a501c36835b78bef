"""A trial in its worker process: each step trains one epoch and writes a checkpoint; it ends with a result.

A step raises no exception: Ray would end the process, and Tune would not receive the reason.
"""

import contextlib
import importlib
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from typing import Any

import ray
from ray.tune import Trainable

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import Diverged, ModelError, PluginError, ResamplingError, ZooError, describe
from zoo.factories import load_factory
from zoo.harness.cells import Cell
from zoo.harness.reporter import SilentReporter
from zoo.harness.run_cell import check_held_out, check_lengths
from zoo.harness.training_run import TrainingRun, resampled
from zoo.records import SplitSummary
from zoo.registry import Registry, Source
from zoo.settings import Settings
from zoo.store.study import METRICS, TrialStatus, best_value
from zoo.surroundings.kept import Changes, kept
from zoo.surroundings.memories import without_memories
from zoo.training.hardware import computing_on
from zoo.training.loop import Epoch
from zoo.tuning.request import TuneRequest
from zoo.tuning.trial_cell import cell_of, one_member
from zoo.tuning.trial_data import Asked, asked_of
from zoo.workers.forks import check_forks
from zoo.workers.limits import Deadline, deadline, hung, import_slow_modules, memory, out_of_memory
from zoo.workers.process import import_from, set_up
from zoo.workspace import Workspace

SCORE = "score"  # the key of results for the best value so far; WORST for a failed trial
NUMBER = "zoo_trial"  # the key of the trial number in its configuration
WORST: Mapping[str, float] = {"max": 0.0, "min": 1e6}  # finite: ASHA and HyperOpt fail with NaN and infinity

Result = dict[str, Any]  # a message between Tune and a trial: a configuration or a result


@dataclass(frozen=True)
class Task:
    """The data that all trials of a study share, except the rows: plain data for a worker.

    `share` is the share of validation rows, as in `Parts`.
    """

    request: TuneRequest
    settings: Settings
    sources: tuple[tuple[str, str, str, str], ...]
    paths: tuple[str, ...]
    summary: SplitSummary
    refused: Mapping[Asked, str]
    folder: Path
    device: str
    memory: int
    share: float | None = None

    def workspace(self) -> Workspace:
        """Return the driver's settings, and its plugins imported from the same modules.

        Raises PluginError if a plugin fails to load.
        """
        import_from(self.paths)
        registry = Registry.load(
            Source(name, module, lambda module=module: _load(module), distribution, version)  # type: ignore[misc]
            for name, module, distribution, version in self.sources
        )
        for plugin in registry.plugins:
            if plugin.error:
                raise PluginError(f"plugin {plugin.name!r} does not load in a worker: {plugin.error}")
        return Workspace(registry, self.settings)

    def checkpoint(self, number: int) -> Path:
        return self.folder / f"{number}.pt"

    def trace(self, number: int) -> Path:
        """The file for the stack of a process that was ended at its deadline."""
        return self.folder / f"{number}.hung"


def sources_of(registry: Registry) -> tuple[tuple[str, str, str, str], ...]:
    """Return name, module, distribution and version of each working plugin."""
    working = [plugin for plugin in registry.plugins if not plugin.error and not plugin.disabled]
    return tuple((plugin.name, plugin.module, plugin.distribution, plugin.version) for plugin in working)


class Worker(Trainable):
    """Trains one trial after another; the global state that a trial changed is restored before the next one starts."""

    run: Generator[bool, None, None] | None = None

    def setup(self, config: Result, task: Task, rows: Mapping[Asked | str, Any]) -> None:  # type: ignore[override]
        """Called once per process; the rows are views of the object store, without a copy, and read-only."""
        set_up(task.paths)
        self.task = task
        self.mode = METRICS[task.request.metric]
        fetched = {id(ref): ray.get(ref) if isinstance(ref, ray.ObjectRef) else ref for ref in rows.values()}
        self.rows: dict[Asked | str, Rows] = {key: fetched[id(ref)] for key, ref in rows.items()}
        self._begin(config)
        self._import(config)

    def _import(self, config: Result) -> None:
        """Import slow modules before the time of the first trial starts; its first step reports any error."""
        self.workspace: Workspace | None = None
        with contextlib.suppress(BaseException):
            import_slow_modules()
            self.workspace = self.task.workspace()
            cell = cell_of(self.workspace, self.task.request, self.hyper)
            for entry in cell.entries():
                load_factory(entry.spec.factory)

    def reset_config(self, config: Result) -> bool:
        self._begin(config)
        return True

    def _begin(self, config: Result) -> None:
        self._leave()
        self.number = int(config[NUMBER])
        self.hyper = {key: value for key, value in config.items() if key != NUMBER}
        self.history: list[Epoch] = []
        self.told, self.last = 0, False
        self.seconds = 0.0
        self.notes: tuple[str, ...] = ()
        self.changes = Changes()

    def step(self) -> Result:
        """Train one epoch and return its result; after a resume, return the epochs of the checkpoint first."""
        try:
            with self._limited():
                if self.run is None:
                    self.run = self._epochs()
                self.last = next(self.run)
                check_forks()
        except Deadline:
            limit, epochs = self.task.request.trial_timeout, len(self.history)
            return self._end(TrialStatus.TIMEOUT, f"exceeded its limit of {limit:g} s after {epochs} epochs")
        except Diverged as error:
            return self._end(TrialStatus.DIVERGED, str(error))
        except BaseException as error:
            status = TrialStatus.MEMORY if out_of_memory(error) else TrialStatus.FAILED
            return self._end(status, str(error) if isinstance(error, ZooError) else describe(error))
        return self._end(TrialStatus.DONE) if self.last else self._result(self._best())

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Do nothing: a scheduler that pauses a trial requests a checkpoint, but each epoch has written one."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Do nothing, like `save_checkpoint`."""

    def _epochs(self) -> Generator[bool, None, None]:
        """Train one epoch per step; yield whether it was the last."""
        self.workspace = self.workspace or self.task.workspace()
        cell = one_member(cell_of(self.workspace, self.task.request, self.hyper))
        cell = replace(cell, validation=self.task.share).for_data(self.task.summary)
        with kept(self.changes):
            training_run = self._lesson(cell)
        # nothing else computes in this process between two steps
        with computing_on(training_run.hardware, self.changes), without_memories(cell.packages):
            if training_run.loss is None:
                self.history = training_run.fit(training_run.member(1), 1, SilentReporter()).history
                if isnan(self._metric(self.history[0])):
                    raise ModelError(
                        f"{cell.network.reference} reports no scores of held-out rows, so without validation rows its "
                        "trials cannot be compared: set training.validation above 0"
                    )
                yield True
                return
            checkpoint = self.task.checkpoint(self.number)
            learner, note = training_run.resumed(1, checkpoint)
            self.notes = (note,) if note else ()
            if learner.progress.history:
                self.history = list(learner.progress.history)
                yield learner.finished
            for epoch in training_run.epochs(learner, SilentReporter(), checkpoint):
                self.history.append(epoch)
                yield learner.finished

    def _lesson(self, cell: Cell) -> TrainingRun:
        train, validation = self.rows["train"], self.rows["validation"]
        parts = Parts.without_test(train, validation, self.task.summary)
        cell.network.check(n_times=train.values.shape[2], lengths=train.lengths is not None)
        check_lengths(cell.resampler.entry.spec, train)
        check_held_out(cell, parts)
        asked = asked_of(cell.resampler)
        if asked in self.task.refused:
            raise ResamplingError(self.task.refused[asked])
        rows = self.rows[asked] if asked in self.rows else resampled(cell, parts)
        hardware = cell.hardware(cell.on_meta(parts.summary.shape), self.task.device, threads=1)
        return TrainingRun.of(cell, parts, rows, hardware)

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        limit, trace = self.task.request.trial_timeout, self.task.trace(self.number)
        if hung(trace):
            raise Deadline
        spent = max(self.seconds, sum(epoch.seconds for epoch in self.history))
        started = time.perf_counter()
        try:
            with memory(self.task.memory), deadline(None if limit is None else limit - spent, trace):
                yield
        finally:
            self.seconds = spent + time.perf_counter() - started

    def _best(self) -> float | None:
        """Return the best value so far, whatever `training.keep` is: it only rises, as schedulers and curves expect."""
        values = [self._metric(epoch) for epoch in self.history]
        return best_value(values, self.mode) if values else None

    def _metric(self, epoch: Epoch) -> float:
        return min(float(getattr(epoch, self.task.request.metric)), WORST["min"])

    def _result(self, score: float | None, **more: Any) -> Result:
        """Return a result with all epochs that are not reported yet."""
        new = [(epoch.number, self._metric(epoch), epoch.seconds) for epoch in self.history[self.told :]]
        self.told = len(self.history)
        told = WORST[self.mode] if score is None else score
        return {SCORE: told, "epoch": self.told, "new": new, "value": self._best(), **more}

    def _leave(self) -> None:
        """End the trial in progress, if any: this restores the global state that its code changed."""
        if self.run is not None:
            self.run.close()
        self.run = None

    def _end(self, status: str, *reasons: str) -> Result:
        self._leave()
        score = self._best() if status == TrialStatus.DONE else None
        notes = (*self.notes, *self.changes.notes(self.task.request.architecture))
        return self._result(score, done=True, status=status, reason="; ".join((*reasons, *notes)))


def _load(module: str) -> Any:
    """Import the module of a plugin, or the object in it, by its entry point."""
    name, _, attribute = module.partition(":")
    found: Any = importlib.import_module(name)
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part)
    return found
