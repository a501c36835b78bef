"""The bench: plans the cells of a request, prepares their data once, and runs or serves each."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import cast

from zoo.data.protocols import Parts, default_protocol, separate
from zoo.data.resampling import resample
from zoo.data.sealed import Rows
from zoo.errors import ResamplingError, UsageError
from zoo.harness.cells import Cell, Plan, Request, make_plan, split_assignments
from zoo.harness.datasets import FileColumns, Loaded, load_dataset
from zoo.harness.runner import Job, Prepared, describe_run, execute
from zoo.harness.seeds import axis_seeds
from zoo.harness.watch import BenchWatch
from zoo.networks import Incompatible
from zoo.registry import Registry
from zoo.results.run import FAILED, Run
from zoo.results.store import Store
from zoo.settings import Settings
from zoo.specs import Resampler


def run_bench(
    registry: Registry, settings: Settings, request: Request, store: Store, watch: BenchWatch
) -> Iterator[Run]:
    """The runs of a request, one by one as each ends or is served from the store.

    Raises ZooError for what makes the whole request impossible; a cell that fails gives a failed run.
    """
    watch.on_phase("planning")
    plan = make_plan(registry, settings, request)
    for line in plan.left_out:
        watch.on_note(f"left out: {line}")
    if not plan.cells:
        raise UsageError("nothing to run: no combination asked for is possible")
    yield from _Bench(registry, settings, request, store, watch, plan).runs()


class _Bench:
    """One request under way; keeps the data of the cells at hand, since neighbours share it."""

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        request: Request,
        store: Store,
        watch: BenchWatch,
        plan: Plan,
    ) -> None:
        self.settings, self.request, self.plan, self.watch = settings, request, plan, watch
        self.job = Job(registry, store, watch)
        self.device = request.device or str(settings.default("hardware", "device"))
        threads = request.threads if request.threads is not None else settings.default("hardware", "threads")
        self.threads = int(threads)

    def runs(self) -> Iterator[Run]:
        number = 0
        for dataset, cells in groupby(self.plan.cells, key=lambda cell: cell.dataset):
            self.watch.on_phase(f"loading {dataset}")
            loaded = self._load(dataset)
            for (protocol, seed), same in groupby(cells, key=lambda cell: (cell.protocol, cell.seed)):
                parts = self._separate(loaded, protocol, seed)
                resampled = _Resampled(parts, self.watch)
                known = {
                    "dataset": loaded.name,
                    "dataset_params": loaded.params,
                    "protocol": parts.record["protocol"],
                }
                for cell in same:
                    number += 1
                    yield from self._run(replace(cell, **known), loaded, parts, resampled, number)

    def _load(self, dataset: str) -> Loaded:
        return load_dataset(
            self.job.registry,
            self.settings,
            dataset,
            params=split_assignments(self.request.assignments)["dataset"],
            rows=self.request.rows,
            data_dir=self.request.data_dir,
            columns=FileColumns(self.request.target, self.request.group),
        )

    def _separate(self, loaded: Loaded, protocol: str, seed: int) -> Parts:
        rows = None if loaded.sized else self.request.rows
        chosen = protocol or default_protocol(loaded.series)
        return separate(loaded.series, chosen, seed=axis_seeds(seed)["split"], rows=rows)

    def _run(self, cell: Cell, loaded: Loaded, parts: Parts, resampled: "_Resampled", number: int) -> Iterator[Run]:
        try:
            run, hardware = describe_run(cell, parts, loaded.name, loaded.synthetic, self.device, self.threads)
        except Incompatible as reason:
            self.watch.on_note(
                f"left out: {cell.network.reference} with block {cell.network.block or 'none'}: {reason}"
            )
            return
        store, request = self.job.store, self.request
        known = None if request.force else store.done(run.key)
        if known is not None:
            yield self._finish(_served(known, run))
            return
        busy = store.running(run.key)
        if busy is not None:
            raise UsageError(f"run {busy.id} of the same cell is under way in another process")
        earlier = store.unfinished(run.key) if request.resume and not request.force else None
        if earlier is not None:
            run = replace(run, id=earlier.id, created=earlier.created)
        try:
            rows = resampled.rows(cell)
        except ResamplingError as error:
            yield self._finish(store.finish(replace(store.begin(run), status=FAILED, error=str(error))))
            return
        self.watch.on_run_started(run, number, len(self.plan.cells), cell.training.epochs)
        yield self._finish(execute(Prepared(cell, parts, rows, run, hardware), self.job, resume=earlier is not None))

    def _finish(self, run: Run) -> Run:
        self.watch.on_run_finished(run)
        return run


class _Resampled:
    """The training rows of one separation under each resampler asked for, the latest kept."""

    def __init__(self, parts: Parts, watch: BenchWatch) -> None:
        self.parts, self.watch = parts, watch
        self.latest: tuple[object, Rows] | None = None

    def rows(self, cell: Cell) -> Rows:
        asked = (cell.resampler.entry.name, tuple(cell.resampler.params.items()))
        if self.latest is None or self.latest[0] != asked:
            self.watch.on_phase(f"resampling: {cell.resampler.entry.name}")
            self.latest = None  # the old rows go before the new ones come
            self.latest = (asked, self._resample(cell))
        return self.latest[1]

    def _resample(self, cell: Cell) -> Rows:
        seed = axis_seeds(cell.seed)["resampling"]
        spec = cast(Resampler, cell.resampler.entry.spec)
        return resample(spec, cell.resampler.params, self.parts.train, self.parts.classes, seed)


def _served(known: Run, asked: Run) -> Run:
    differs = tuple(
        f"{name} {known.environment.get(name)} there, {value} here"
        for name, value in asked.environment.items()
        if known.environment.get(name) != value
    )
    return replace(known, preset=asked.preset, served=True, differs=differs)
