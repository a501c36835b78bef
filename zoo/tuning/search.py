"""Run the trials of a study on Ray Tune, from the start or from its state in the store."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig, Tuner

from zoo.data.rows import Rows
from zoo.errors import ZooError
from zoo.space import Choice, Space, Value
from zoo.specs import Searcher
from zoo.store.files import make_folder
from zoo.store.studies import StudyStore
from zoo.store.study import METRICS, UNFINISHED, Study, TrialStatus
from zoo.training.hardware import choose_device
from zoo.tuning.ray_schedulers import make_scheduler
from zoo.tuning.ray_search import make_searcher, to_tune
from zoo.tuning.recorder import Recorder
from zoo.tuning.replay import Replay
from zoo.tuning.request import TuneRequest
from zoo.tuning.spaces import first_values
from zoo.tuning.trial_cell import cell_of
from zoo.tuning.trial_data import StudyData
from zoo.tuning.worker import SCORE, WORST, Task, Worker, sources_of
from zoo.workers.limits import share_of_memory
from zoo.workers.session import Workers, environment
from zoo.workspace import Workspace

MOST_STARTS = 3  # of a trial; each time the cluster's memory monitor ends a worker, the search of Tune ends, too


@dataclass(frozen=True)
class Search:
    """Runs the missing trials of a study, in at most `seconds`, with checkpoints in `folder`."""

    workspace: Workspace
    request: TuneRequest
    space: Space
    data: StudyData
    studies: StudyStore
    folder: Path
    seconds: float | None
    workers: Workers

    def run(self, name: str, tell: Callable[[], None]) -> tuple[str, ...]:
        """Run the trials and return notes. The end of the time budget is no error; other early ends are raised."""
        make_folder(self.folder)
        study = self.studies.get(name)
        pending = study.wanted if study.scheduler == "hyperband" else self.request.jobs
        # By default Tune lets only one trial wait for a worker; a second worker would never start.
        with environment({"TUNE_MAX_PENDING_TRIALS_PG": str(pending)}):
            self.workers.start(self.folder)
            while (said := self._fit(self.studies.get(name), tell)) is None:
                self._give_up(name)
        return said

    def _give_up(self, name: str) -> None:
        """End trials whose worker was ended `MOST_STARTS` times."""
        for trial in self.studies.get(name).trials:
            if trial.status in UNFINISHED and self.studies.starts(name, trial.number) >= MOST_STARTS:
                reason = f"its worker was ended {MOST_STARTS} times because its node ran out of memory"
                told = WORST[METRICS[self.request.metric]]
                self.studies.end(name, replace(trial, status=TrialStatus.MEMORY, reason=reason), told)

    def _fit(self, study: Study, tell: Callable[[], None]) -> tuple[str, ...] | None:
        """Run one search of Tune, replayed from the store; None if the cluster ended a worker that lacked memory."""
        task = self._task()
        scheduler = make_scheduler(self.request.scheduler, self._epochs())
        entry = self.workspace.registry.get(Searcher, self.request.search)
        params, startup = self.request.search_params, self.request.startup
        inner = make_searcher(entry, params, seed=self.request.seed, startup=startup)
        recorded = Replay(inner, scheduler, self.studies, study, task)
        files = (self.workers.folder or self.folder.absolute()) / "tune"
        try:
            self._tuner(study, task, recorded, Recorder(self.studies, study.name, tell), files).fit()
        except Exception as error:
            causes = list(_causes(error))
            if any(isinstance(cause, ray.exceptions.OutOfMemoryError) for cause in causes):
                return None
            for cause in causes:  # Tune wraps errors of callbacks; a ZooError is for the user
                if isinstance(cause, ZooError):
                    raise cause from error
            raise
        finally:
            shutil.rmtree(files, ignore_errors=True)
        if not recorded.otherwise:
            return ()
        return (
            f"{recorded.otherwise} proposals differ from those when the study started: a library of the searcher has a "
            "different version now",
        )

    def _tuner(self, study: Study, task: Task, recorded: Replay, book: Recorder, files: Path) -> Tuner:
        worker = tune.with_parameters(Worker, task=task, rows=self._refs())
        config = TuneConfig(
            metric=SCORE,
            mode=study.mode,
            search_alg=recorded,
            scheduler=recorded.scheduler,
            num_samples=study.wanted,
            reuse_actors=True,
            time_budget_s=self.seconds,
            trial_dirname_creator=lambda trial: trial.trial_id,
        )
        run_config = RunConfig(
            name="tune",
            storage_path=str(files),
            verbose=0,
            callbacks=[book],
            failure_config=FailureConfig(max_failures=1),  # a trial whose worker died is tried once more
            checkpoint_config=CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        )
        resources = tune.with_resources(worker, {"cpu": 1, "gpu": self.request.gpus_per_trial})
        return Tuner(resources, param_space=to_tune(self.space), tune_config=config, run_config=run_config)

    def _task(self) -> Task:
        device = self.workspace.settings.device(self.request.cell.device)
        chosen = choose_device(device)
        return Task(
            request=self.request,
            settings=self.workspace.settings,
            sources=sources_of(self.workspace.registry),
            paths=tuple(sys.path),
            summary=self.data.parts.summary,
            share=self.data.parts.share,
            refused={asked: rows for asked, rows in self.data.variants.items() if isinstance(rows, str)},
            folder=self.folder.absolute(),
            device=device,
            memory=self._memory(chosen),
        )

    def _memory(self, device: torch.device) -> int:
        """Return the memory limit of each trial; 0 on a GPU and on a cluster, which has its own memory monitor."""
        free = device.type != "cpu" or self.workers.address is not None
        return 0 if free else share_of_memory(self.request.jobs)

    def _refs(self) -> dict[Any, Any]:
        """Put the rows into the object store, each array once; the test set is not included."""
        rows: dict[Any, Rows] = {"train": self.data.parts.train, "validation": self.data.parts.validation}
        rows |= {asked: variant for asked, variant in self.data.variants.items() if isinstance(variant, Rows)}
        refs = {id(each): ray.put(each) for each in rows.values()}
        return {key: refs[id(each)] for key, each in rows.items()}

    def _epochs(self) -> int:
        """Return the maximum number of epochs of a trial."""
        domain = self.space.get("training.epochs")
        if isinstance(domain, Choice):
            return max(int(value) for value in domain.values)
        if domain is not None:
            return int(domain.high)
        return self._training_epochs(first_values(self.space))

    def _training_epochs(self, config: Mapping[str, Value]) -> int:
        with contextlib.suppress(ZooError):
            return cell_of(self.workspace, self.request, config).training.epochs
        without = {key: value for key, value in config.items() if not key.startswith("block")}
        return cell_of(self.workspace, self.request, without).training.epochs


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and the chain of its causes."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
