"""A trial in its worker process: an epoch a step, its own checkpoint after each, and an end that is always a result.

Nothing raises out of a step: Ray would throw the process away, and Tune would not hear why.
"""

import contextlib
import importlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.tune import Trainable

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import Diverged, PluginError, ResamplingError, StoreError, ZooError, describe
from zoo.factories import load_factory
from zoo.harness.cells import Cell
from zoo.harness.reporter import SilentReporter
from zoo.harness.run_cell import check_lengths
from zoo.harness.training_run import TrainingRun, resampled
from zoo.records import SplitSummary
from zoo.registry import Registry, Source
from zoo.settings import Settings
from zoo.store.study import METRICS, TrialStatus, best_value
from zoo.training.hardware import computing_on
from zoo.training.loop import Epoch
from zoo.tuning.request import TuneRequest
from zoo.tuning.trial_cell import cell_of, one_member
from zoo.tuning.trial_data import Asked, asked_of
from zoo.workers.limits import Deadline, deadline, hung, memory, out_of_memory
from zoo.workers.process import import_from, set_up
from zoo.workspace import Workspace

SCORE = "score"  # the key of results that holds the best of the study's metric so far, or the worst there is
NUMBER = "zoo_trial"  # the key of a trial's number in its configuration
WORST: Mapping[str, float] = {"max": 0.0, "min": 1e6}  # finite: ASHA and HyperOpt go wrong over NaN and infinity

Result = dict[str, Any]  # what Tune and a trial send each other: a configuration, or a result


@dataclass(frozen=True)
class Task:
    """What all trials of a study share, but for the rows: plain data that a worker can be sent."""

    request: TuneRequest
    settings: Settings
    sources: tuple[tuple[str, str, str, str], ...]
    paths: tuple[str, ...]
    summary: SplitSummary
    refused: Mapping[Asked, str]
    folder: Path
    device: str
    memory: int

    def workspace(self) -> Workspace:
        """The driver's settings, and its plugins by the modules it has them from.

        Raises PluginError for a plugin that fails.
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
        """Where the last words of a process go that was ended for passing its deadline."""
        return self.folder / f"{number}.hung"


def sources_of(registry: Registry) -> tuple[tuple[str, str, str, str], ...]:
    """Name, module, distribution and version of each plugin that works."""
    working = [plugin for plugin in registry.plugins if not plugin.error and not plugin.disabled]
    return tuple((plugin.name, plugin.module, plugin.distribution, plugin.version) for plugin in working)


class Worker(Trainable):
    """Trains one trial after another; nothing of one is left when the next begins."""

    def setup(self, config: Result, task: Task, rows: Mapping[Asked | str, Any]) -> None:  # type: ignore[override]
        """Once a process; rows come from the object store without a copy, and cannot be written to."""
        set_up(task.paths)
        self.task = task
        self.mode = METRICS[task.request.metric]
        fetched = {id(ref): ray.get(ref) if isinstance(ref, ray.ObjectRef) else ref for ref in rows.values()}
        self.rows: dict[Asked | str, Rows] = {key: fetched[id(ref)] for key, ref in rows.items()}
        self._begin(config)
        self._import(config)

    def _import(self, config: Result) -> None:
        """What takes seconds to import is not to count as the first trial's time; what fails, its first step says."""
        self.workspace: Workspace | None = None
        with contextlib.suppress(Exception, SystemExit):
            import torch._dynamo  # noqa: F401  which the first optimiser would

            self.workspace = self.task.workspace()
            cell = cell_of(self.workspace, self.task.request, self.hyper)
            for entry in cell.entries():
                load_factory(entry.spec.factory)

    def reset_config(self, config: Result) -> bool:
        self._begin(config)
        return True

    def _begin(self, config: Result) -> None:
        self.number = int(config[NUMBER])
        self.hyper = {key: value for key, value in config.items() if key != NUMBER}
        self.history: list[Epoch] = []
        self.told, self.last = 0, False
        self.seconds = 0.0
        self.run: Iterator[bool] | None = None

    def step(self) -> Result:
        """One epoch; where a checkpoint has some already, these are told first and nothing is trained."""
        try:
            with self._limited():
                if self.run is None:
                    self.run = self._epochs()
                self.last = next(self.run)
        except Deadline:
            limit, epochs = self.task.request.trial_timeout, len(self.history)
            return self._end(TrialStatus.TIMEOUT, f"passed its {limit:g} s after {epochs} epochs")
        except Diverged as error:
            return self._end(TrialStatus.DIVERGED, str(error))
        except (Exception, SystemExit) as error:
            status = TrialStatus.MEMORY if out_of_memory(error) else TrialStatus.FAILED
            return self._end(status, str(error) if isinstance(error, ZooError) else describe(error))
        return self._end(TrialStatus.DONE, "") if self.last else self._result(self._best())

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Schedulers that pause a trial ask for one: ours is there already."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """As `save_checkpoint`."""

    def _epochs(self) -> Iterator[bool]:
        """Trains an epoch whenever it is asked for the next; tells whether that was the last."""
        self.workspace = self.workspace or self.task.workspace()
        cell = one_member(cell_of(self.workspace, self.task.request, self.hyper))
        training_run = self._lesson(cell)
        with computing_on(training_run.hardware):  # between two steps nothing else computes in this process
            if training_run.loss is None:
                self.history = training_run.fit(training_run.member(1), 1, SilentReporter()).history
                yield True
                return
            checkpoint = self.task.checkpoint(self.number)
            learner = training_run.learner(1)
            if checkpoint.exists():
                try:
                    learner.restore(checkpoint)
                except StoreError:  # damaged: the trial starts again
                    checkpoint.unlink()
                    learner = training_run.learner(1)
                else:
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
        values = [self._metric(epoch) for epoch in self.history]
        return best_value(values, self.mode) if values else None

    def _metric(self, epoch: Epoch) -> float:
        return min(float(getattr(epoch, self.task.request.metric)), WORST["min"])

    def _result(self, score: float | None, **more: Any) -> Result:
        """A result with all epochs that were not told yet."""
        new = [(epoch.number, self._metric(epoch), epoch.seconds) for epoch in self.history[self.told :]]
        self.told = len(self.history)
        told = WORST[self.mode] if score is None else score
        return {SCORE: told, "epoch": self.told, "new": new, "value": self._best(), **more}

    def _end(self, status: str, reason: str) -> Result:
        self.run = None
        score = self._best() if status == TrialStatus.DONE else None
        return self._result(score, done=True, status=status, reason=reason)


def _load(module: str) -> Any:
    """A plugin's module, or the object in it, as an entry point names it."""
    name, _, attribute = module.partition(":")
    found: Any = importlib.import_module(name)
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part)
    return found
