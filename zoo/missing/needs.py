"""The cells that answers need, placed in their data, with the stored runs of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from zoo.assignments import split_assignments
from zoo.data.protocols import Parts
from zoo.errors import UsageError, ZooError
from zoo.harness.cells import Cell
from zoo.harness.datasets import Loaded, load_dataset, scaled, separated
from zoo.harness.request import Request
from zoo.harness.run_cell import check_cell
from zoo.harness.schedule import placed
from zoo.missing.shelf import Found, Shelf, Wanted
from zoo.networks import Incompatible
from zoo.workspace import Workspace


@dataclass(frozen=True)
class Need:
    """A cell that an answer needs.

    request  has the options with which its data are loaded
    asked    the cell before it is placed in its data, as the schedule of a bench takes it
    repeats  the number of runs that it needs
    rows, shape  the number of its training rows, and n_channels, n_times, n_classes; 0 until the data are loaded
    """

    dataset: str
    name: str
    request: Request
    asked: Cell
    wanted: Wanted
    found: Found = field(default_factory=Found)
    repeats: int = 1
    rows: int = 0
    shape: Mapping[str, int] = field(default_factory=dict)

    @property
    def cell(self) -> Cell:
        return self.wanted.cell

    @property
    def seed(self) -> int:
        return self.cell.seed

    @property
    def size(self) -> int:
        """The samples of all training rows."""
        return self.rows * self.shape.get("n_channels", 0) * self.shape.get("n_times", 0)

    @property
    def missing(self) -> int:
        """The number of runs that must be trained."""
        if self.found.lost:
            return 0
        return self.repeats - (min(len(self.found.runs), self.repeats) if self.found.reusable else 0)


@dataclass(frozen=True)
class Demand:
    """All cells that one answer needs, on one data set.

    test_rows    the rows of the test set; 0 until the data are loaded
    unavailable  why the data cannot be loaded; "" if they can be
    """

    dataset: str
    needs: tuple[Need, ...]
    notes: tuple[str, ...] = ()
    test_rows: int = 0
    unavailable: str = ""


D = TypeVar("D", bound=Demand)


def with_stored(demands: Iterable[D], shelf: Shelf) -> Iterator[D]:
    """Yield the demands with the stored runs of each cell."""
    for each in demands:
        yield replace(each, needs=tuple(replace(need, found=shelf.find(need.wanted)) for need in each.needs))


def missing_needs(demands: Iterable[Demand]) -> list[Need]:
    """Return a need for each cell that misses runs, without those of data that cannot be loaded."""
    there = [each for each in demands if not each.unavailable]
    return list(
        {(need.wanted.keys, need.repeats): need for each in there for need in each.needs if need.missing}.values()
    )


def placed_demands(workspace: Workspace, demands: Sequence[D]) -> Iterator[D]:
    """Yield the demands with what their data decide, such as the keys of the cells.

    Each data set is loaded once, and only the data of one request are in memory.
    """
    done: dict[int, D] = {}
    for asked in dict.fromkeys(_data_of(each) for each in demands):
        mine = [number for number, each in enumerate(demands) if _data_of(each) == asked]
        done |= dict(zip(mine, _with_data(workspace, [demands[number] for number in mine]), strict=True))
    return (done[number] for number in range(len(demands)))


def data_options(request: Request) -> tuple[Any, ...]:
    """Return the options with which data are loaded: requests with equal ones share the data."""
    params = split_assignments(request.assignments)["dataset"]
    options = (request.data_dir, request.target, request.group, request.columns, request.drop)
    return (request.rows, *options, request.drop_class, request.merge_class, tuple(sorted(params.items())))


def _with_data(workspace: Workspace, demands: Sequence[D]) -> list[D]:
    first = next((need for each in demands for need in each.needs), None)
    if first is None:
        return list(demands)
    try:
        loaded = load_dataset(workspace, first.dataset, first.request)
    except ZooError as problem:
        return [replace(each, unavailable=str(problem)) for each in demands]
    results, tests = dict[int, Need | str](), dict[int, int]()
    try:
        for asked in dict.fromkeys(_separation(need) for each in demands for need in each.needs):
            mine = [need for each in demands for need in each.needs if _separation(need) == asked]
            parts = _parts_of(mine[0], loaded)  # the parts of one separation only are in memory
            results |= {id(need): _placed(need, loaded, parts) for need in mine}
            tests |= {id(need): parts.summary.rows["test"] for need in mine}
    except ZooError as problem:
        return [replace(each, unavailable=str(problem)) for each in demands]
    return [
        replace(
            _resolved(each, [results[id(need)] for need in each.needs]),
            test_rows=max((tests[id(need)] for need in each.needs), default=0),
        )
        for each in demands
    ]


def _resolved(demand: D, results: Sequence[Need | str]) -> D:
    needs = tuple(each for each in results if isinstance(each, Need))
    lines = (each for each in results if isinstance(each, str))
    return replace(demand, needs=needs, notes=tuple(dict.fromkeys((*demand.notes, *lines))))


def _placed(need: Need, loaded: Loaded, parts: Parts) -> Need | str:
    """Return the need with its cell placed in the data, or a note if the cell does not fit them."""
    cell = placed(need.cell, loaded, parts)
    try:
        check_cell(cell, parts)
    except Incompatible as reason:
        return f"left out: {need.name}: {reason}"
    summary = parts.summary
    wanted = Wanted(cell, cell.keys(summary), summary.fingerprints["test"])
    return replace(need, wanted=wanted, rows=summary.rows["train"], shape=dict(summary.shape))


def _separation(need: Need) -> tuple[object, ...]:
    cell = need.cell
    return cell.protocol, cell.seed, cell.validation, cell.scale


def _parts_of(need: Need, loaded: Loaded) -> Parts:
    cell = need.cell
    parts = separated(loaded, cell.protocol, cell.seed, need.request, cell.validation)
    return scaled(loaded, parts, cell.scale)


def _data_of(demand: Demand) -> tuple[Any, ...]:
    """Return the data that a demand needs. Raises UsageError if its cells need different ones."""
    requests = dict.fromkeys(data_options(need.request) for need in demand.needs)
    if len(requests) > 1:
        raise UsageError("both groups need the same data: leave out dataset.… in the settings of a group")
    return demand.dataset, *next(iter(requests), ())
