"""The trials of a study on Ray Tune: one session, from its start or from where the store says it stands."""

import contextlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig, Tuner

from zoo.data.sealed import Rows
from zoo.errors import ZooError
from zoo.registry import Registry
from zoo.settings import Settings
from zoo.space import Choice, Space
from zoo.training.hardware import choose_device
from zoo.tune.book import Book
from zoo.tune.configuration import cell_of
from zoo.tune.data import StudyData
from zoo.tune.domains import make_searcher, to_tune
from zoo.tune.limits import gpus_there, share_of_memory
from zoo.tune.recorded import Recorded
from zoo.tune.records import Study
from zoo.tune.request import TuneRequest
from zoo.tune.schedulers import make_scheduler
from zoo.tune.session import ray_session, remove_session
from zoo.tune.spaces import first_values
from zoo.tune.store import StudyStore
from zoo.tune.trial import SCORE, Task, Worker, sources_of


@dataclass(frozen=True)
class Search:
    """All it takes to run the trials that a study still lacks: in `seconds` at most, and with files in `folder`."""

    registry: Registry
    settings: Settings
    request: TuneRequest
    space: Space
    data: StudyData
    studies: StudyStore
    folder: Path
    seconds: float | None

    def run(self, study: Study, tell: Callable[[], None]) -> tuple[str, ...]:
        """Run them; gives what is to be said of it. What ends them early is raised, but for the time budget."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.studies.dead_sessions(study.name):
            remove_session(left)
            self.studies.forget_session(left)
        task = self._task()
        scheduler = make_scheduler(self.request.scheduler, self._epochs())
        entry = self.registry.get("searcher", self.request.search)
        params, startup = self.request.search_params, self.request.startup
        inner = make_searcher(entry, params, seed=self.request.seed, startup=startup)
        recorded = Recorded(inner, scheduler, self.studies, study, task)
        book = Book(self.studies, study.name, tell)
        try:
            with self._session(study) as session:
                _fit(self._tuner(study, task, recorded, book, session))
        finally:
            self.studies.set_session(study.name, "")
        if not recorded.otherwise:
            return ()
        return (
            f"{recorded.otherwise} proposals were others when the study began: a library of the searcher has another "
            "version now",
        )

    def _tuner(self, study: Study, task: Task, recorded: Recorded, book: Book, session: Path) -> Tuner:
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
            storage_path=str(session / "tune"),
            verbose=0,
            callbacks=[book],
            failure_config=FailureConfig(max_failures=1),  # a worker that died is tried once more
            checkpoint_config=CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        )
        resources = tune.with_resources(worker, {"cpu": 1, "gpu": self.request.gpus_per_trial})
        return Tuner(resources, param_space=to_tune(self.space), tune_config=config, run_config=run_config)

    def _session(self, study: Study) -> AbstractContextManager[Path]:
        return ray_session(
            jobs=self.request.jobs,
            pending=study.wanted if study.scheduler == "hyperband" else self.request.jobs,
            gpus=gpus_there(self.request.gpus_per_trial),
            shared_bytes=self.data.nbytes,
            on_folder=lambda folder: self.studies.set_session(study.name, folder),
        )

    def _task(self) -> Task:
        device = self.request.device or str(self.settings.default("hardware", "device"))
        chosen = choose_device(device)
        return Task(
            request=self.request,
            settings=self.settings,
            sources=sources_of(self.registry),
            paths=tuple(sys.path),
            frame=self.data.frame,
            refused={asked: rows for asked, rows in self.data.variants.items() if isinstance(rows, str)},
            folder=self.folder.absolute(),
            device=device,
            memory=share_of_memory(self.request.jobs) if chosen.type == "cpu" else 0,
        )

    def _refs(self) -> dict[Any, Any]:
        """The rows in the object store, each array once; the test part is not among them."""
        rows: dict[Any, Rows] = {"train": self.data.parts.train, "validation": self.data.parts.validation}
        rows |= {asked: variant for asked, variant in self.data.variants.items() if isinstance(variant, Rows)}
        refs = {id(each): ray.put(each) for each in rows.values()}
        return {key: refs[id(each)] for key, each in rows.items()}

    def _epochs(self) -> int:
        """The most epochs that a trial can have."""
        domain = self.space.get("training.epochs")
        if isinstance(domain, Choice):
            return max(int(value) for value in domain.values)
        if domain is not None:
            return int(domain.high)
        return self._training_epochs(first_values(self.space))

    def _training_epochs(self, config: dict[str, Any]) -> int:
        with contextlib.suppress(ZooError):
            return cell_of(self.registry, self.settings, self.request, config).training.epochs
        without = {key: value for key, value in config.items() if not key.startswith("block")}
        return cell_of(self.registry, self.settings, self.request, without).training.epochs


def _fit(tuner: Tuner) -> None:
    """Tune wraps what callbacks raise; a ZooError among the causes is what is to be said."""
    try:
        tuner.fit()
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ZooError):
            cause = cause.__cause__
        if isinstance(cause, ZooError):
            raise cause from error
        raise
