"""A comparison of searchers: each with the same budget, on the same data, from several seeds, beside the defaults.

Its studies are ordinary ones. They share a session of workers and, for each seed, the data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from zoo.errors import ModelError, UsageError
from zoo.harness.bench import run_bench
from zoo.store.run import RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, StudyStatus
from zoo.tuning.names import check_free, free_name
from zoo.tuning.reporter import TuneReporter
from zoo.tuning.request import TuneRequest, plain_name
from zoo.tuning.run_study import ResumeOptions, begun_on, go_on, plan_study
from zoo.tuning.trial_cell import bench_request
from zoo.tuning.trial_data import StudyData, prepare
from zoo.workers.session import Workers
from zoo.workspace import Workspace


def run_comparison(
    workspace: Workspace,
    request: TuneRequest,
    searchers: Sequence[str],
    seeds: Sequence[int],
    store: Store,
    watch: TuneReporter,
) -> str:
    """Run a study for each searcher and seed, and the defaults for each seed; gives the comparison's name.

    All of them are in the store before the first begins. A study none of whose trials finished is said, and the others
    go on. Raises what `run_study` raises before a trial runs; an interruption is raised again, to be gone on with.
    """
    watch.on_phase("planning")
    studies = StudyStore(store)
    if len(set(searchers)) < len(searchers) or not searchers:
        raise UsageError(f"--compare names searchers, each once, such as random,optuna, not {','.join(searchers)!r}")
    check_free(studies, request.name)
    name = request.name or free_name(studies, request, "comparison")
    planned = [plan_study(workspace, _asked(request, name, searcher, seed)) for seed in seeds for searcher in searchers]
    for study in planned:
        check_free(studies, study.name)
    first = planned[0]
    data = _data(workspace, first, watch)  # what cannot be used is said before anything is in the store
    for study in planned:
        studies.create(begun_on(study, data) if _seed(study) == _seed(first) else study, status=StudyStatus.WAITING)
    _Comparison(workspace, name, store, watch, ResumeOptions()).to_the_end({_seed(first): data})
    return name


def resume_comparison(
    workspace: Workspace, name: str, store: Store, watch: TuneReporter, options: ResumeOptions
) -> None:
    """Go on with the studies of a comparison that were interrupted, or that are to have more trials."""
    watch.on_phase("planning")
    _Comparison(workspace, name, store, watch, options).to_the_end()


@dataclass(frozen=True)
class _Comparison:
    """A comparison under way in this process."""

    workspace: Workspace
    name: str
    store: Store
    watch: TuneReporter
    options: ResumeOptions

    def to_the_end(self, at_hand: Mapping[int, StudyData] | None = None) -> None:
        """Finish the studies and run the defaults, seed by seed; `at_hand` are data loaded already, by seed."""
        more = self.options.trials is not None
        # One that its time budget ended has had what the others had.
        left = [self.options.applied(study) for study in self._studies() if more or study.status != StudyStatus.DONE]
        if left:
            with self._workers(left[0]) as workers:
                for seed, group in groupby(left, key=_seed):
                    studies = list(group)
                    data = (at_hand or {}).get(seed) or _data(self.workspace, studies[0], self.watch)
                    at_hand = None
                    for study in studies:
                        self._finish(study, data, workers)
                    del data  # before the next seed's come
                    self._run_defaults(seed)
        for seed in dict.fromkeys(map(_seed, self._studies())):
            self._run_defaults(seed)

    def _studies(self) -> list[Study]:
        """The studies of this comparison, in the order in which they were planned: seed by seed."""
        return [study for study in StudyStore(self.store).studies() if study.comparison == self.name]

    def _workers(self, study: Study) -> Workers:
        request = TuneRequest.from_json(study.request)
        return Workers(request.jobs, gpus_each=request.gpus_per_trial, address=request.address)

    def _finish(self, study: Study, data: StudyData, workers: Workers) -> None:
        both = (self.store, self.watch)
        names = [each.name for each in self._studies()]
        self.watch.on_note(f"comparison {self.name}: study {names.index(study.name) + 1} of {len(names)}")
        try:
            go_on(self.workspace, study, *both, data=data, workers=workers)
        except ModelError as problem:  # none of its trials finished: that is its result
            self.watch.on_note(str(problem))

    def _run_defaults(self, seed: int) -> None:
        """The architecture as it is without tuning, trained and scored as the winners of that seed were."""
        group = [study for study in self._studies() if _seed(study) == seed]
        if all(study.defaults for study in group):
            return
        self.watch.on_phase(f"training the defaults, seed {seed}")
        request = TuneRequest.from_json(group[0].request)
        asked = replace(bench_request(self.workspace.registry, request, {}), resume=True)
        (run,) = run_bench(self.workspace, asked, self.store, self.watch)
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


def _data(workspace: Workspace, study: Study, watch: TuneReporter) -> StudyData:
    return prepare(workspace, TuneRequest.from_json(study.request), study.space, watch)


def _seed(study: Study) -> int:
    return int(study.request["seed"])
