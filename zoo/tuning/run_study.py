"""Run a study, from its request to the run of its winner.

Trials use only training and validation rows. After all trials have ended, the best configuration is trained again as an
ordinary run of the bench. Only then is the test set opened, once.
"""

import contextlib
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import DataError, ModelError, UsageError
from zoo.factories import complete
from zoo.harness.bench import run_bench
from zoo.networks import Incompatible
from zoo.space import Choice, Space
from zoo.specs import Searcher
from zoo.store.heartbeat import now
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import UNFINISHED, Study, StudyStatus, Trial
from zoo.training.hardware import choose_device
from zoo.tuning.names import check_free, free_name
from zoo.tuning.reporter import TuneReporter
from zoo.tuning.request import TuneRequest
from zoo.tuning.spaces import first_values, resolve_space
from zoo.tuning.trial_cell import bench_request, cell_of
from zoo.tuning.trial_data import StudyData, data_of
from zoo.workers.limits import gpus_there
from zoo.workspace import Workspace

if TYPE_CHECKING:
    from zoo.workers.session import Workers

# The keys of a stored request with the fingerprints of its data, and with their scale if that is not `none`.
FINGERPRINTS, SCALE = "data_fingerprints", "data_scale"


@dataclass(frozen=True)
class ResumeOptions:
    """The options that can change when a study resumes; None keeps the stored value.

    With `address="local"`, a study from a cluster resumes on this machine.
    """

    trials: int | None = None
    jobs: int | None = None
    address: str | None = None

    def applied(self, study: Study) -> Study:
        """Return the study with the new options. Raises UsageError for fewer trials than it already has."""
        before = TuneRequest.from_json(study.request)
        address = None if self.address == "local" else self.address or before.address
        request = replace(before, trials=self.trials or before.trials, jobs=self.jobs or before.jobs, address=address)
        if request.trials < len(study.trials):
            raise UsageError(f"study {study.name!r} already has {len(study.trials)} trials, more than {request.trials}")
        changed = {"trials": request.trials, "jobs": request.jobs, "address": request.address}
        return replace(study, request={**study.request, **changed})


def run_study(workspace: Workspace, request: TuneRequest, store: Store, reporter: TuneReporter) -> Study:
    """Run a study to its end and score its winner on the test set.

    Raises a ZooError of one line for an invalid request, for unusable data, and if no trial finishes. An interruption
    is raised again; the study can then be resumed.
    """
    reporter.on_phase("planning")
    studies = StudyStore(store)
    check_free(studies, request.name)
    asked = replace(request, name=request.name or free_name(studies, request, request.search))
    study = plan_study(workspace, asked)
    data = data_of(workspace, study, reporter)
    study = studies.create(begun_on(study, data))
    return StudyRun.of(workspace, study, store, reporter, data).to_the_end(study)


def plan_study(workspace: Workspace, request: TuneRequest) -> Study:
    """Return the requested study, before its data are loaded. Raises UsageError for an invalid request."""
    space, notes = resolve_space(workspace, request)
    asked = replace(request, startup=_startup(request))
    _check(workspace, asked, space)
    said = (*notes, *_remarks(workspace, asked, space))
    return Study(name=asked.name, request=asked.to_json(), space=space, notes=said)


def resume_study(
    workspace: Workspace,
    name: str,
    store: Store,
    reporter: TuneReporter,
    options: ResumeOptions | None = None,
) -> Study:
    """Resume an interrupted study, or a study that gets more trials; return a finished study unchanged.

    Ended trials are not run again. Interrupted trials resume from their last epoch. A used-up time budget starts again.
    Raises UnknownName if there is no such study, and the errors of `run_study`.
    """
    reporter.on_phase("planning")
    study = (options or ResumeOptions()).applied(StudyStore(store).get(name))
    return study if is_finished(study) else go_on(workspace, study, store, reporter)


def is_finished(study: Study) -> bool:
    """Whether a study has all its trials and the run of its winner."""
    return study.status == StudyStatus.DONE and bool(study.run) and not _lacks_trials(study)


def go_on(
    workspace: Workspace,
    study: Study,
    store: Store,
    reporter: TuneReporter,
    *,
    data: StudyData | None = None,
    workers: "Workers | None" = None,
) -> Study:
    """Finish a stored study; without `data` or `workers`, it loads its own data and starts its own workers."""
    studies, was_over = StudyStore(store), study.status == StudyStatus.DONE
    studies.take(study)
    try:
        if data is None:
            data = data_of(workspace, study, reporter)
        study = begun_on(study, data)
    except BaseException:
        studies.update(replace(study, status=StudyStatus.INTERRUPTED))
        raise
    conduct = StudyRun.of(workspace, study, store, reporter, data, workers, resumed=True, whole_budget=was_over)
    return conduct.to_the_end(study)


def begun_on(study: Study, data: StudyData) -> Study:
    """Return the study with the fingerprints and the scale of its data. Raises DataError if it started with others."""
    fingerprints = dict(data.parts.summary.fingerprints)
    if study.request.get(FINGERPRINTS, fingerprints) != fingerprints:
        raise DataError(
            f"the data differ from those study {study.name!r} started with: use the same data, or start a new study"
        )
    scale = data.parts.scaling.scale
    before = study.request.get(SCALE, "none" if FINGERPRINTS in study.request else scale)
    if before != scale:
        raise DataError(
            f"study {study.name!r} started with the scale {before!r}, not {scale!r}: set ZOO_SCALE={before}, or start "
            "a new study"
        )
    scaled = {} if scale == "none" else {SCALE: scale}
    return replace(study, request={**study.request, FINGERPRINTS: fingerprints, **scaled})


@dataclass(frozen=True)
class StudyRun:
    """A study in progress in this process."""

    workspace: Workspace
    request: TuneRequest
    space: Space
    store: Store
    reporter: TuneReporter
    data: StudyData
    workers: "Workers | None" = None
    resumed: bool = False
    whole_budget: bool = True

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        study: Study,
        store: Store,
        reporter: TuneReporter,
        data: StudyData,
        workers: "Workers | None" = None,
        *,
        resumed: bool = False,
        whole_budget: bool = True,
    ) -> "StudyRun":
        request, space = TuneRequest.from_json(study.request), study.space
        return cls(workspace, request, space, store, reporter, data, workers, resumed, whole_budget)

    @property
    def studies(self) -> StudyStore:
        return StudyStore(self.store)

    @property
    def folder(self) -> Path:
        """The folder for the checkpoints of unfinished trials."""
        return self.store.study_folder(self.request.name)

    def to_the_end(self, study: Study) -> Study:
        study = replace(study, status=StudyStatus.RUNNING, finished="", winner=None, run="")
        with self.studies.heartbeat(study.name):
            try:
                self.studies.update(study)
                self.reporter.on_study(self.studies.get(study.name))
                if _lacks_trials(study):
                    study = self._search(study)
                return self._score(study)
            except BaseException:
                self._interrupt(study)
                raise

    def _search(self, study: Study) -> Study:
        from zoo.tuning.search import Search

        self.reporter.on_phase("starting workers")
        seconds = self._budget(study)
        tell = self._teller(study.name, seconds)
        asked = (self.workspace, self.request, self.space, self.data)
        with self._own_workers() if self.workers is None else contextlib.nullcontext(self.workers) as workers:
            said = Search(*asked, self.studies, self.folder, seconds, workers).run(study.name, tell)
        self.studies.interrupt(study.name)  # trials that the time budget stopped
        tell()
        study = replace(self.studies.get(study.name), notes=(*study.notes, *said))
        self.studies.update(study)
        return study

    def _own_workers(self) -> "Workers":
        from zoo.workers.session import Workers

        request = self.request
        return Workers(
            request.jobs,
            gpus_each=request.gpus_per_trial,
            shared_bytes=self.data.nbytes,
            address=request.address,
        )

    def _score(self, study: Study) -> Study:
        """Retrain the winner and score it on the test set."""
        best = study.best
        if best is None:
            left = any(trial.status in UNFINISHED for trial in study.trials)
            self.studies.update(
                replace(
                    study, status=StudyStatus.INTERRUPTED if left else StudyStatus.DONE, finished="" if left else now()
                )
            )
            raise ModelError(f"study {study.name}: none of its {len(study.trials)} trials finished: {_reasons(study)}")
        self.reporter.on_phase(f"training the winner again, trial {best.number} of {len(study.trials)}")
        asked = bench_request(self.workspace.registry, self.request, best.config)
        asked = replace(asked, resume=self.resumed)
        (run,) = run_bench(self.workspace, asked, self.store, self.reporter)
        study = _told_of(replace(study, status=StudyStatus.DONE, finished=now(), winner=best.number, run=run.id), run)
        self.studies.update(study)
        if not any(trial.status in UNFINISHED for trial in study.trials):
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.parent.rmdir()
        return study

    def _interrupt(self, study: Study) -> None:
        self.studies.interrupt(study.name)
        known = self.studies.get(study.name)
        if known.status == StudyStatus.RUNNING:
            self.studies.update(replace(known, status=StudyStatus.INTERRUPTED))

    def _budget(self, study: Study) -> float | None:
        """Return the seconds left of the time budget; a used-up budget starts again."""
        if self.request.time_budget is None:
            return None
        used = 0.0 if self.whole_budget else sum(trial.seconds for trial in study.trials) / self.request.jobs
        return self.request.time_budget - used if used < self.request.time_budget else self.request.time_budget

    def _teller(self, name: str, seconds: float | None) -> Callable[[], None]:
        """Return a function that reports the state of the study; the time budget runs from its first call."""
        ends: list[float] = []

        def tell() -> None:
            if seconds is not None and not ends:
                ends.append(time.monotonic() + seconds)
            left = max(0.0, ends[0] - time.monotonic()) if ends else None
            self.reporter.on_trials(self.studies.get(name), left)

        return tell


def _told_of(study: Study, run: Run) -> Study:
    """Record the run of the winner; add a note if it failed, or if the study reuses the test set for a new winner."""
    if run.status != RunStatus.DONE:
        return replace(study, notes=(*study.notes, f"the winner's run {run.id} ended as {run.status}: {run.error}"))
    if run.id in study.scored:
        return study
    scored = (*study.scored, run.id)
    if not study.scored:
        return replace(study, scored=scored)
    place = {2: "second", 3: "third"}.get(len(scored), f"{len(scored)}th")
    note = f"run {run.id} is the {place} winner of this study that was scored on the test set, after run "
    return replace(study, scored=scored, notes=(*study.notes, note + " and run ".join(study.scored)))


def _lacks_trials(study: Study) -> bool:
    return len(study.trials) < study.wanted or any(trial.status in UNFINISHED for trial in study.trials)


def _reasons(study: Study) -> str:
    """Return the count of each status of the trials, with its first reason."""
    number = Counter(trial.status for trial in study.trials)
    first: dict[str, Trial] = {}
    for trial in study.trials:
        first.setdefault(trial.status, trial)
    return (
        "; ".join(
            f"{count} {status}" + (f" ({first[status].reason})" if first[status].reason else "")
            for status, count in number.items()
        )
        or "the time budget ended before the first trial"
    )


def _startup(request: TuneRequest) -> int:
    """Return the number of random proposals; the searchers' defaults of 10 and 20 would fill a small study."""
    return request.startup or max(3, min(10, request.trials // 4))


def _check(workspace: Workspace, request: TuneRequest, space: Space) -> None:
    """Raise UsageError for errors that would end the study before its first trial."""
    if all(_is_one(domain) for domain in space.values()):  # some searchers raise for such a space
        raise UsageError(f"{request.search} has nothing to search: every key of the space has only one value")
    choose_device(workspace.settings.device(request.cell.device))
    if request.address is None:
        gpus_there(request.gpus_per_trial)
    entry = workspace.registry.get(Searcher, request.search)
    complete(entry.spec, request.search_params)
    from zoo.tuning.ray_search import make_searcher  # imports Ray, which is slow: after the quick checks
    from zoo.workers.session import knock

    if request.address is not None:
        knock(request.address)
    make_searcher(entry, request.search_params, seed=request.seed, startup=request.startup)


def _is_one(domain: object) -> bool:
    if isinstance(domain, Choice):
        return len(domain.values) == 1
    return getattr(domain, "low", None) == getattr(domain, "high", None)


def _remarks(workspace: Workspace, request: TuneRequest, space: Space) -> Iterator[str]:
    """Yield notes for later readers of the study."""
    first = first_values(space)
    with contextlib.suppress(Incompatible):
        members = cell_of(workspace, request, first).training.members
        if members > 1 or "training.members" in space:
            yield "a trial trains one member of the ensemble; the winner's run trains all of them"
    if request.scheduler == "hyperband" and request.search != "random":
        yield "hyperband requests all configurations before the first result, so the searcher cannot learn from results"
