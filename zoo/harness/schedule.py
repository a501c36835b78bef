"""The cells of a plan in order, each with its data: served from the store, or to be trained."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import UsageError, ZooError
from zoo.harness.cells import Cell
from zoo.harness.datasets import Loaded, load_dataset, separated
from zoo.harness.planner import Plan
from zoo.harness.reporter import BenchReporter
from zoo.harness.request import Request
from zoo.harness.run_cell import Prepared, describe_run
from zoo.harness.training_run import resampled
from zoo.networks import Incompatible
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.workspace import Workspace


@dataclass(frozen=True)
class ToTrain:
    """A cell that the store cannot serve: its number in the plan, its data, and how many epochs it has at most."""

    number: int
    prepared: Prepared
    resume: bool
    epochs: int


class Schedule:
    """What a request asks for, cell by cell; an executor runs the cells, here or on Ray.

    It keeps the data of the cells at hand, since neighbours share it. `beside` says that several cells are trained at a
    time: one thread is then the default for each.
    """

    def __init__(
        self,
        workspace: Workspace,
        request: Request,
        store: Store,
        watch: BenchReporter,
        plan: Plan,
        *,
        beside: bool = False,
    ) -> None:
        self.workspace, self.request = workspace, request
        self.store, self.watch, self.plan = store, watch, plan
        self.left_out: set[str] = set()
        self.problems: list[ZooError] = []
        default = workspace.settings.default
        self.device = request.device or str(default("hardware", "device"))
        threads = request.threads if request.threads is not None else default("hardware", "threads")
        self.threads = int(threads)
        if self.threads < 0:
            raise UsageError(f"hardware.threads is at least 1, or 0 to choose, not {self.threads}")
        if beside:
            self.threads = self.threads or 1

    def steps(self, settle: Callable[[str], None] = lambda key: None) -> Iterator[Run | ToTrain]:
        """Each cell of the plan, with its data: the run that the store serves, or what is to be trained.

        `settle` is told each cell's key before the store is asked. What is in the way of a cell is kept for
        `raise_problems`.
        """
        number = 0
        for dataset, cells in groupby(self.plan.cells, key=lambda cell: cell.dataset):
            self.watch.on_phase(f"loading {dataset}")
            try:
                loaded = load_dataset(self.workspace, dataset, self.request)
            except ZooError as problem:
                self.problems.append(problem)
                continue
            for (protocol, seed), same in groupby(cells, key=lambda cell: (cell.protocol, cell.seed)):
                try:
                    parts = separated(loaded, protocol, seed, self.request)
                except ZooError as problem:
                    self.problems.append(problem)
                    continue
                variants = _Resampled(parts, self.watch)
                for cell in same:
                    number += 1
                    known = replace(
                        cell, dataset=loaded.name, dataset_params=loaded.params, protocol=parts.summary.protocol
                    )
                    try:
                        step = self._step(known, loaded, parts, variants, number, settle)
                    except UsageError as problem:
                        self.problems.append(problem)
                        continue
                    if step is not None:
                        yield step

    def raise_problems(self) -> None:
        lines = dict.fromkeys(str(problem) for problem in self.problems)
        for line in [*lines][1:]:
            self.watch.on_note(f"error: {line}")
        if self.problems:
            raise self.problems[0]

    def _step(
        self,
        cell: Cell,
        loaded: Loaded,
        parts: Parts,
        variants: "_Resampled",
        number: int,
        settle: Callable[[str], None],
    ) -> Run | ToTrain | None:
        """None where the cell does not go with its data set."""
        try:
            run, hardware = describe_run(cell, parts, loaded.name, loaded.synthetic, self.device, self.threads)
        except Incompatible as reason:
            self._leave_out(cell, reason)
            return None
        settle(run.key)
        earlier = self._earlier(run) if self.request.resume else None
        known = None if self.request.force or earlier else self.store.done(run.key)
        if known is not None:
            return _served(known, run)
        if (busy := self.store.running(run.key)) is not None:
            raise UsageError(f"run {busy.id} of {run.reference} is under way in another process: wait for it")
        if earlier is not None:
            run = replace(run, id=earlier.id, created=earlier.created)
        epochs = cell.training.members * (1 if cell.network.fitted else cell.training.epochs)
        prepared = Prepared(cell, parts, partial(variants.rows, cell), run, hardware)
        return ToTrain(number, prepared, earlier is not None, epochs)

    def _leave_out(self, cell: Cell, reason: Incompatible) -> None:
        """Say, once for all resamplers, losses and seeds, what does not go with this data set."""
        block = f" with block {cell.network.block}" if cell.network.block else ""
        line = f"left out: {cell.network.reference}{block} on {cell.dataset}: {reason}"
        if line not in self.left_out:
            self.left_out.add(line)
            self.watch.on_note(line)

    def _earlier(self, run: Run) -> Run | None:
        """The run to go on with: unfinished, and newer than what the store could serve.

        Raises UsageError where it was begun in another environment: its bits would be of neither.
        """
        earlier, done = self.store.unfinished(run.key), self.store.done(run.key)
        if earlier is None or (done is not None and done.created > earlier.created):
            return None
        if differs := _differences(earlier, run):
            raise UsageError(
                f"run {earlier.id} of {run.reference} was begun with {'; '.join(differs)}: "
                "go on as it was begun, or leave out --resume to start again"
            )
        return earlier


class _Resampled:
    """The training rows of one separation under each resampler asked for, the latest kept."""

    def __init__(self, parts: Parts, watch: BenchReporter) -> None:
        self.parts, self.watch = parts, watch
        self.latest: tuple[object, Rows] | None = None

    def rows(self, cell: Cell) -> Rows:
        asked = (cell.resampler.entry.name, tuple(cell.resampler.params.items()))
        if self.latest is None or self.latest[0] != asked:
            self.watch.on_phase(f"resampling: {cell.resampler.entry.name}")
            self.latest = None  # the old rows go before the new ones come
            self.latest = (asked, resampled(cell, self.parts))
        return self.latest[1]


def _served(known: Run, asked: Run) -> Run:
    return replace(known, preset=asked.preset, served=True, differs=_differences(known, asked))


def _differences(there: Run, here: Run) -> tuple[str, ...]:
    """What of the environment is not the same for two runs."""
    return tuple(
        f"{name} {there.environment.get(name)} there, {value} here"
        for name, value in here.environment.items()
        if there.environment.get(name) != value
    )
