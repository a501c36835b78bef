"""The schedule: the cells of a plan in order, each with its data; a cell is reused from the store or trained."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import UsageError, ZooError
from zoo.harness.cells import Cell
from zoo.harness.containment import NATIVE_SECONDS
from zoo.harness.datasets import Loaded, load_dataset, scaled, separated
from zoo.harness.planner import Plan
from zoo.harness.preview import Preview
from zoo.harness.reporter import BenchReporter
from zoo.harness.request import Request
from zoo.harness.run_cell import Prepared, check_cell, describe_run
from zoo.harness.trained import Failure
from zoo.harness.training_run import resampled
from zoo.networks import Incompatible
from zoo.records import Cost
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.surroundings.kept import kept
from zoo.workers.limits import Deadline, deadline
from zoo.workspace import Workspace


@dataclass(frozen=True)
class ToTrain:
    """A cell to train, whose run is stored as running: its number in the plan, its data, and its maximum of epochs."""

    number: int
    prepared: Prepared
    resume: bool
    epochs: int


@dataclass(frozen=True)
class Lost:
    """A cell that ended before its training could start: its number in the plan, its begun run, and the failure."""

    number: int
    run: Run
    failure: Failure


Look = Callable[[Cell, Parts, Callable[[], Rows]], Preview | Failure]


class Schedule:
    """Yields the cells of a request one by one; an executor trains them, in this process or on Ray.

    It keeps the latest data in memory, because neighbouring cells share them. `beside` means that several cells are
    trained at a time: the default is then one thread per cell.
    """

    def __init__(
        self,
        workspace: Workspace,
        request: Request,
        store: Store,
        reporter: BenchReporter,
        plan: Plan,
        *,
        beside: bool = False,
    ) -> None:
        self.workspace, self.request = workspace, request
        self.store, self.reporter, self.plan = store, reporter, plan
        self.left_out: dict[str, None] = {}
        self.problems: list[ZooError] = []
        self.device = workspace.settings.device(request.device)
        threads = request.threads
        self.threads = int(workspace.settings.default("hardware", "threads") if threads is None else threads)
        if self.threads < 0:
            raise UsageError(f"hardware.threads must be at least 0 (automatic), not {self.threads}")
        if beside:
            self.threads = self.threads or 1

    def steps(
        self, settle: Callable[[str], None] = lambda key: None, look: Look | None = None
    ) -> Iterator[Run | ToTrain | Lost]:
        """Yield one step per cell of the plan: the reused run from the store, or the cell to train with its data.

        `settle` is called with the key of each cell before the store is queried. `look` returns the preview of a cell,
        whose training rows its last argument returns; by default it looks in this process. Errors that prevent a cell
        from running are kept for `raise_problems`.
        """
        number = 0
        look = look or self.look
        for dataset, cells in groupby(self.plan.cells, key=lambda cell: cell.dataset):
            self.reporter.on_phase(f"loading {dataset}")
            try:
                with kept() as changes:
                    loaded = load_dataset(self.workspace, dataset, self.request)
            except ZooError as problem:
                self.problems.append(problem)
                continue
            for note in changes.notes(f"data set {dataset}"):
                self.reporter.on_note(note)
            if loaded.series.read:
                self.reporter.on_note(loaded.series.read)
            for parts, same in self._separated(loaded, cells):
                variants = _Resampled(parts, self.reporter)
                for cell in same:
                    number += 1
                    known = placed(cell, loaded, parts)
                    try:
                        step = self._step(known, loaded, parts, variants, number, settle, look)
                    except UsageError as problem:
                        self.problems.append(problem)
                        continue
                    if step is not None:
                        yield step

    def _separated(self, loaded: Loaded, cells: Iterable[Cell]) -> Iterator[tuple[Parts, Iterator[Cell]]]:
        """Yield the cells that share separated and scaled data, with these data."""
        for (protocol, fold, seed, share), same in groupby(
            cells, key=lambda cell: (cell.protocol, cell.fold, cell.seed, cell.validation)
        ):
            try:
                parts = separated(loaded, protocol, seed, self.request, share, fold)
            except ZooError as problem:
                self.problems.append(problem)
                continue
            for scale, alike in groupby(same, key=lambda cell: cell.scale):
                yield scaled(loaded, parts, scale), alike

    def raise_problems(self) -> None:
        lines = dict.fromkeys(str(problem) for problem in self.problems)
        for line in [*lines][1:]:
            self.reporter.on_note(f"error: {line}")
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
        look: Look,
    ) -> Run | ToTrain | Lost | None:
        """Return None if the cell does not fit its data set."""
        try:
            check_cell(cell, parts)
            found = look(cell, parts, partial(variants.rows, cell))
        except Incompatible as reason:
            self._leave_out(cell, reason)
            return None
        preview = (
            Preview(cell.hardware(None, self.device, self.threads), Cost()) if isinstance(found, Failure) else found
        )
        cell = cell.on_hardware(preview.hardware)
        run = describe_run(cell, parts, loaded, preview)
        settle(run.key)
        run, resume = self._claim(run)
        if run.served:
            return run
        if isinstance(found, Failure):
            return Lost(number, run, found)
        epochs = cell.training.members * (1 if cell.network.fitted else cell.training.epochs)
        prepared = Prepared(cell, parts, partial(variants.rows, cell), run, preview)
        return ToTrain(number, prepared, resume, epochs)

    def _claim(self, run: Run) -> tuple[Run, bool]:
        """Return the finished run from the store, or begin this one; and whether an earlier run is resumed.

        Of several processes that want the same cell at once, one begins it. Raises UsageError in the others.
        """
        with self.store.transaction():
            earlier = self._earlier(run) if self.request.resume else None
            known = None if self.request.force or earlier else self.store.done(run.key)
            if known is not None:
                return replace(_named_as(run, known), served=True, differs=_differences(known, run)), False
            if (busy := self.store.running(run.key)) is not None:
                raise UsageError(f"run {busy.id} of {run.reference} is in progress in another process: wait for it")
            if earlier is not None:
                run = replace(run, id=earlier.id, created=earlier.created)
            return self.store.begin(run), earlier is not None

    def look(self, cell: Cell, parts: Parts, rows: Callable[[], Rows]) -> Preview | Failure:
        """Look at the network of a cell in this process, which ends if that passes the time limit by much."""
        limit = self.request.run_timeout
        try:
            with deadline(limit, None, grace=NATIVE_SECONDS):
                return Preview.of(cell, parts.summary.shape, self.device, self.threads)
        except Deadline:
            return Failure.timeout(limit)

    def _leave_out(self, cell: Cell, reason: Incompatible) -> None:
        """Report an incompatible network once per data set, not once per resampler, loss and seed."""
        block = f" with block {cell.network.block}" if cell.network.block else ""
        line = f"{cell.network.reference}{block} on {cell.dataset}: {reason}"
        if line not in self.left_out:
            self.left_out[line] = None
            self.reporter.on_note(f"left out: {line}")

    def _earlier(self, run: Run) -> Run | None:
        """Return the run to resume, or None.

        Raises UsageError if it started in a different environment: the result would match neither environment.
        """
        earlier = self.store.unfinished(run.key)
        if earlier is None:
            return None
        if differs := _differences(earlier, run):
            raise UsageError(
                f"run {earlier.id} of {run.reference} started with {'; '.join(differs)}: "
                "resume it in the earlier environment, or leave out --resume to start again"
            )
        return earlier


def placed(cell: Cell, loaded: Loaded, parts: Parts) -> Cell:
    """Return the cell with everything that its separated and scaled data decide; its keys are those of its runs."""
    return replace(
        replace(cell, validation=parts.share).for_data(parts.summary),
        rows=None if parts.whole else cell.rows,
        dataset=loaded.name,
        dataset_key=loaded.key_name,
        dataset_params=loaded.params,
        protocol=parts.summary.protocol,
        scale=parts.scaling.scale,
    )


class _Resampled:
    """The resampled training rows of one separation; only the latest are kept."""

    def __init__(self, parts: Parts, reporter: BenchReporter) -> None:
        self.parts, self.reporter = parts, reporter
        self.latest: tuple[object, Rows] | None = None

    def rows(self, cell: Cell) -> Rows:
        asked = (cell.resampler.entry.name, tuple(cell.resampler.params.items()))
        if self.latest is None or self.latest[0] != asked:
            self.reporter.on_phase(f"resampling: {cell.resampler.entry.name}")
            self.latest = None  # free the old rows before the new ones are made
            self.latest = (asked, resampled(cell, self.parts))
        return self.latest[1]


def _named_as(asked: Run, known: Run) -> Run:
    """Return a stored run with the names of the request, where several names mean the same, and its notes on the data.

    The same rows may have been read from another file, or without their groups.
    """
    names = {name: getattr(asked, name) for name in ("architecture", "preset", "block", "dataset", "data", "loss")}
    notes = [*asked.data_notes, *(note for note in known.notes if note not in known.data_notes)]
    if known.dataset != asked.dataset:
        notes.append(f"the run was stored for {known.dataset}, which has the same content as {asked.dataset}")
    notes = list(dict.fromkeys(notes))
    return replace(known, **names, parts=asked.parts, notes=tuple(notes), data_notes=asked.data_notes)


def _differences(there: Run, here: Run) -> tuple[str, ...]:
    """Return one text per item of the environment, or version of a plugin, that differs between two runs."""
    known = {name: version for name, version in here.plugins.items() if name in there.plugins}
    pairs = ((there.environment, here.environment), (there.plugins, known))
    return tuple(
        f"{name} {then.get(name)} then, {value} now"
        for then, now in pairs
        for name, value in now.items()
        if then.get(name) != value
    )
