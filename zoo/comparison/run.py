"""Run a comparison: every searcher with the same budget, data and seeds, and the untuned defaults.

Its studies are ordinary studies. They share one session of workers and, for each seed, the data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from zoo.comparison.comparison import seed_of
from zoo.errors import ModelError, UsageError
from zoo.harness.bench import run_bench
from zoo.harness.request import check_seeds
from zoo.store.run import RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, StudyStatus
from zoo.tuning.names import check_free, free_name
from zoo.tuning.reporter import TuneReporter
from zoo.tuning.request import TuneRequest, plain_name
from zoo.tuning.run_study import ResumeOptions, begun_on, go_on, plan_study
from zoo.tuning.trial_cell import bench_request
from zoo.tuning.trial_data import StudyData, data_of
from zoo.workers.session import Workers
from zoo.workspace import Workspace


def run_comparison(
    workspace: Workspace,
    request: TuneRequest,
    searchers: Sequence[str],
    seeds: Sequence[int],
    store: Store,
    reporter: TuneReporter,
) -> str:
    """Run a study for each searcher and seed, and the defaults for each seed; return the name of the comparison.

    All studies are stored before the first one starts. If no trial of a study finishes, a note reports it and the
    comparison continues. Raises the errors of `run_study` before any trial runs. An interruption is raised again; the
    comparison can then be resumed.
    """
    reporter.on_phase("planning")
    check_seeds(seeds)
    studies = StudyStore(store)
    if len(set(searchers)) < len(searchers) or not searchers:
        raise UsageError(f"--compare takes searchers, each once, such as random,optuna, not {','.join(searchers)!r}")
    check_free(studies, request.name)
    name = request.name or free_name(studies, request, "comparison")
    planned = [plan_study(workspace, _asked(request, name, searcher, seed)) for seed in seeds for searcher in searchers]
    for study in planned:
        check_free(studies, study.name)
    first = planned[0]
    data = data_of(workspace, first, reporter)  # raises for unusable data before anything is stored
    for study in planned:
        studies.create(begun_on(study, data) if seed_of(study) == seed_of(first) else study, status=StudyStatus.WAITING)
    _Comparison(workspace, name, store, reporter, ResumeOptions()).to_the_end({seed_of(first): data})
    return name


def resume_comparison(
    workspace: Workspace, name: str, store: Store, reporter: TuneReporter, options: ResumeOptions
) -> None:
    """Resume the interrupted studies of a comparison; with more trials in `options`, all its studies."""
    reporter.on_phase("planning")
    _Comparison(workspace, name, store, reporter, options).to_the_end()


@dataclass(frozen=True)
class _Comparison:
    """A comparison in progress in this process."""

    workspace: Workspace
    name: str
    store: Store
    reporter: TuneReporter
    options: ResumeOptions

    def to_the_end(self, at_hand: Mapping[int, StudyData] | None = None) -> None:
        """Finish the studies and run the defaults, seed by seed; `at_hand` holds already loaded data, by seed."""
        more = self.options.trials is not None
        # A study that its time budget ended is done: all had the same budget.
        left = [self.options.applied(study) for study in self._studies() if more or study.status != StudyStatus.DONE]
        if left:
            with self._workers(left[0]) as workers:
                for seed, group in groupby(left, key=seed_of):
                    studies = list(group)
                    data = (at_hand or {}).get(seed) or data_of(self.workspace, studies[0], self.reporter)
                    at_hand = None
                    for study in studies:
                        self._finish(study, data, workers)
                    del data  # before the data of the next seed are loaded
                    self._run_defaults(seed)
        for seed in dict.fromkeys(map(seed_of, self._studies())):
            self._run_defaults(seed)

    def _studies(self) -> list[Study]:
        """Return the studies of this comparison in the order of the plan: seed by seed."""
        return [study for study in StudyStore(self.store).studies() if study.comparison == self.name]

    def _workers(self, study: Study) -> Workers:
        request = TuneRequest.from_json(study.request)
        return Workers(request.jobs, gpus_each=request.gpus_per_trial, address=request.address)

    def _finish(self, study: Study, data: StudyData, workers: Workers) -> None:
        both = (self.store, self.reporter)
        names = [each.name for each in self._studies()]
        self.reporter.on_note(f"comparison {self.name}: study {names.index(study.name) + 1} of {len(names)}")
        try:
            go_on(self.workspace, study, *both, data=data, workers=workers)
        except ModelError as problem:  # no trial finished: that is the result of the study
            self.reporter.on_note(str(problem))

    def _run_defaults(self, seed: int) -> None:
        """Train and score the untuned architecture, in the same way as the winners of this seed."""
        group = [study for study in self._studies() if seed_of(study) == seed]
        if all(study.defaults for study in group):
            return
        self.reporter.on_phase(f"training the defaults, seed {seed}")
        request = TuneRequest.from_json(group[0].request)
        asked = replace(bench_request(self.workspace.registry, request, {}), resume=True)
        (run,) = run_bench(self.workspace, asked, self.store, self.reporter)
        said = (
            ()
            if run.status == RunStatus.DONE
            else (f"the run of the defaults {run.id} ended as {run.status}: {run.error}",)
        )
        for study in group:
            StudyStore(self.store).update(replace(study, defaults=run.id, notes=(*study.notes, *said)))


def _asked(request: TuneRequest, name: str, searcher: str, seed: int) -> TuneRequest:
    own = plain_name(f"{name}.{searcher}.{seed}")
    cell = replace(request.cell, seeds=(seed,))
    return replace(request, cell=cell, search=searcher, name=own, comparison=name)
