"""The runs that hypotheses need: the cells of both groups, placed in their data, with the stored runs of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.assignments import split_assignments
from zoo.claims.hypothesis import Hypothesis, HypothesisFile, Kind, Part
from zoo.claims.shelf import Found, Shelf, Wanted
from zoo.data.protocols import Parts
from zoo.errors import UsageError, ZooError
from zoo.harness.cells import Cell
from zoo.harness.datasets import Loaded, load_dataset, scaled, separated
from zoo.harness.planner import make_plan
from zoo.harness.request import Request
from zoo.harness.run_cell import check_cell
from zoo.harness.schedule import placed
from zoo.networks import Incompatible
from zoo.unpackaged import with_unpackaged
from zoo.workspace import Workspace

REPEATS = 2  # runs of one seed that must agree to the bit
Place = tuple[int, int]  # of a part: the number of its hypothesis in the file, and its own


@dataclass(frozen=True)
class Need:
    """A cell that a part needs.

    side     the number of its group; `stratum` is its values on the axes that both groups have in common
    request  has the options with which its data are loaded
    asked    the cell before it is placed in its data, as the schedule of a bench takes it
    """

    place: Place
    dataset: str
    side: int
    stratum: tuple[str, ...]
    name: str
    request: Request
    asked: Cell
    wanted: Wanted
    found: Found = field(default_factory=Found)
    repeats: int = 1

    @property
    def cell(self) -> Cell:
        return self.wanted.cell

    @property
    def seed(self) -> int:
        return self.cell.seed

    @property
    def missing(self) -> int:
        """The number of runs that must be trained."""
        if self.found.lost:
            return 0
        return self.repeats - (min(len(self.found.runs), self.repeats) if self.found.reusable else 0)


@dataclass(frozen=True)
class Scope:
    """A part on one data set, with all cells that it needs; for a search, the cells of the defaults.

    unavailable  why the data cannot be loaded; "" if they can be
    """

    place: Place
    part: Part
    dataset: str
    needs: tuple[Need, ...]
    notes: tuple[str, ...] = ()
    unavailable: str = ""

    @property
    def optional(self) -> bool:
        return self.dataset not in self.part.datasets


@dataclass(frozen=True)
class ClaimPlan:
    """All scopes of a file, in its order."""

    workspace: Workspace
    file: HypothesisFile
    scopes: tuple[Scope, ...]


def make_claim_plan(workspace: Workspace, file: HypothesisFile) -> ClaimPlan:
    """Return the cells that the hypotheses of a file need, without stored runs.

    Raises UnknownName or UsageError for a name or a setting that is not valid, with the hypothesis.
    """
    try:
        return _planned(workspace, file)
    except UsageError as error:
        raise type(error)(f"{file.path}: {error}") from None


def _planned(workspace: Workspace, file: HypothesisFile) -> ClaimPlan:
    workspace, names = _with_networks(workspace, file)
    scopes = [scope for place, each, part in _parts(file) for scope in _scopes(workspace, names, place, each, part)]
    placer = _Placer(workspace)
    return ClaimPlan(workspace, file, tuple(placer.placed(scopes)))


def with_stored(plan: ClaimPlan, shelf: Shelf) -> ClaimPlan:
    """Return the plan with the stored runs of each cell."""
    return replace(
        plan,
        scopes=tuple(
            replace(scope, needs=tuple(replace(need, found=shelf.find(need.wanted)) for need in scope.needs))
            for scope in plan.scopes
        ),
    )


def missing_needs(plan: ClaimPlan) -> list[Need]:
    """Return a need for each cell that misses runs, without those of searches and of data that cannot be loaded."""
    scopes = [scope for scope in plan.scopes if not scope.unavailable and scope.part.kind != Kind.TUNED]
    return list(
        {(need.wanted.keys, need.repeats): need for scope in scopes for need in scope.needs if need.missing}.values()
    )


def _parts(file: HypothesisFile) -> Iterator[tuple[Place, Hypothesis, Part]]:
    for number, hypothesis in enumerate(file.hypotheses):
        for place, part in enumerate(hypothesis.parts):
            yield (number, place), hypothesis, part


def _with_networks(workspace: Workspace, file: HypothesisFile) -> tuple[Workspace, Mapping[str, str]]:
    """Return the workspace with the unregistered networks of the file, and their names."""
    named = dict.fromkeys(
        name
        for _, _, part in _parts(file)
        for group in (part.common, part.first, part.second)
        for name in group.values.get("architecture", ())
    )
    registry, names = with_unpackaged(workspace.registry, named)
    return replace(workspace, registry=registry), dict(zip(named, names, strict=True))


def _scopes(
    workspace: Workspace,
    names: Mapping[str, str],
    place: Place,
    hypothesis: Hypothesis,
    part: Part,
) -> Iterator[Scope]:
    for dataset in (*part.datasets, *part.if_available):
        try:
            if part.kind == Kind.TUNED:
                check_search(workspace, part, dataset)
            yield _scope(workspace, names, place, part, dataset)
        except ZooError as error:
            problem = f"hypothesis {hypothesis.label(place[1])}: {error}"
            raise (type(error) if isinstance(error, UsageError) else UsageError)(problem) from None


def check_search(workspace: Workspace, part: Part, dataset: str) -> None:
    """Raise UnknownName or UsageError for a searcher or a space that is not valid."""
    from zoo.specs import Searcher
    from zoo.tuning.spaces import resolve_space

    workspace.registry.get(Searcher, part.search)
    resolve_space(workspace, part.tune_request(dataset))


def _scope(workspace: Workspace, names: Mapping[str, str], place: Place, part: Part, dataset: str) -> Scope:
    needs, notes = [], dict[str, None]()
    for number, side in enumerate(part.sides):
        tuned = part.kind == Kind.TUNED
        request = part.tune_request(dataset).cell if tuned else part.request(side, dataset)
        request = replace(request, architectures=tuple(names.get(name, name) for name in request.architectures))
        plan = make_plan(workspace, request)
        notes |= dict.fromkeys(f"left out: {line}" for line in plan.left_out)
        for cell in plan.cells:
            stratum = tuple(_value(cell, axis) for axis in part.shared)
            repeats = REPEATS if part.kind == Kind.REPRODUCIBLE else 1
            needs.append(
                Need(place, dataset, number, stratum, _name(cell), request, cell, Wanted(cell), repeats=repeats)
            )
        if not plan.cells:
            raise UsageError(f"no configuration of {side if part.second != part.first else 'it'} is possible")
    return Scope(place, part, dataset, tuple(needs), tuple(notes))


def _value(cell: Cell, axis: str) -> str:
    """Return the value of a cell on an axis."""
    loss = "" if cell.objective is None else cell.objective.entry.name
    values = {
        "architecture": cell.network.entry.name,
        "preset": cell.network.preset,
        "block": cell.network.block,
        "data": cell.resampler.entry.name,
        "loss": loss,
        "treatment": f"{cell.resampler.entry.name}/{loss}",
        "scale": cell.scale,
    }
    return values[axis]


def _name(cell: Cell) -> str:
    loss = "" if cell.objective is None else cell.objective.entry.name
    return " ".join(filter(None, (cell.network.reference, cell.network.block, cell.resampler.entry.name, loss)))


class _Placer:
    """Loads each data set once, and fills in what the data decide: the keys of the cells."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def placed(self, scopes: Sequence[Scope]) -> Iterator[Scope]:
        """Yield the scopes with their cells placed, in order; only the data of one request are in memory."""
        done: dict[int, Scope] = {}
        for asked in dict.fromkeys(_data_of(scope) for scope in scopes):
            mine = [number for number, scope in enumerate(scopes) if _data_of(scope) == asked]
            done |= dict(zip(mine, self._with_data([scopes[number] for number in mine]), strict=True))
        return (done[number] for number in range(len(scopes)))

    def _with_data(self, scopes: Sequence[Scope]) -> list[Scope]:
        first = next((need for scope in scopes for need in scope.needs), None)
        if first is None:
            return list(scopes)
        try:
            loaded = load_dataset(self.workspace, first.dataset, first.request)
        except ZooError as problem:
            return [replace(scope, unavailable=str(problem)) for scope in scopes]
        results = dict[int, Need | str]()
        try:
            for asked in dict.fromkeys(_separation(need) for scope in scopes for need in scope.needs):
                mine = [need for scope in scopes for need in scope.needs if _separation(need) == asked]
                parts = _parts_of(mine[0], loaded)  # the parts of one separation only are in memory
                results |= {id(need): _placed(need, loaded, parts) for need in mine}
        except ZooError as problem:
            return [replace(scope, unavailable=str(problem)) for scope in scopes]
        return [_resolved(scope, [results[id(need)] for need in scope.needs]) for scope in scopes]


def _resolved(scope: Scope, results: Sequence[Need | str]) -> Scope:
    needs = tuple(each for each in results if isinstance(each, Need))
    return replace(
        scope,
        needs=needs,
        notes=tuple(dict.fromkeys((*scope.notes, *(each for each in results if isinstance(each, str))))),
    )


def _placed(need: Need, loaded: Loaded, parts: Parts) -> Need | str:
    """Return the need with its cell placed in the data, or a note if the cell does not fit them."""
    cell = placed(need.cell, loaded, parts)
    try:
        check_cell(cell, parts)
    except Incompatible as reason:
        return f"left out: {need.name}: {reason}"
    wanted = Wanted(cell, cell.keys(parts.summary), parts.summary.fingerprints["test"])
    return replace(need, wanted=wanted)


def _separation(need: Need) -> tuple[object, ...]:
    cell = need.cell
    return cell.protocol, cell.seed, cell.validation, cell.scale


def _parts_of(need: Need, loaded: Loaded) -> Parts:
    cell = need.cell
    parts = separated(loaded, cell.protocol, cell.seed, need.request, cell.validation)
    return scaled(loaded, parts, cell.scale)


def data_options(request: Request) -> tuple[Any, ...]:
    """Return the options with which data are loaded: requests with equal ones share the data."""
    params = split_assignments(request.assignments)["dataset"]
    options = (request.data_dir, request.target, request.group, request.columns, request.drop)
    return (request.rows, *options, request.drop_class, request.merge_class, tuple(sorted(params.items())))


def _data_of(scope: Scope) -> tuple[Any, ...]:
    """Return the data that a scope needs. Raises UsageError if its groups need different ones."""
    requests = dict.fromkeys(data_options(need.request) for need in scope.needs)
    if len(requests) > 1:
        raise UsageError("both groups need the same data: leave out dataset.… in the settings of a group")
    return scope.dataset, *next(iter(requests), ())
