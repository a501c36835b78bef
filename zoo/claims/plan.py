"""The runs that hypotheses need: the cells of both groups, placed in their data, with the stored runs of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from zoo.claims.hypothesis import Hypothesis, HypothesisFile, Kind, Part
from zoo.errors import UsageError, ZooError
from zoo.harness.cells import Cell
from zoo.harness.planner import make_plan
from zoo.missing.needs import Demand, Need, missing_needs, placed_demands, with_stored
from zoo.missing.pace import UNKNOWN, Pace
from zoo.missing.shelf import Shelf, Wanted
from zoo.unpackaged import with_unpackaged
from zoo.workspace import Workspace

REPEATS = 2  # runs of one seed that must agree to the bit
Place = tuple[int, int]  # of a part: the number of its hypothesis in the file, and its own


@dataclass(frozen=True, kw_only=True)
class GroupNeed(Need):
    """A cell that a group of a part needs.

    side     the number of its group; `stratum` is its values on the axes that both groups have in common
    """

    place: Place
    side: int
    stratum: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Scope(Demand):
    """A part on one data set, with all cells that it needs; for a search, the cells of the defaults."""

    place: Place
    part: Part
    needs: tuple[GroupNeed, ...]

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
    return ClaimPlan(workspace, file, tuple(placed_demands(workspace, scopes)))


def plan_with_stored(plan: ClaimPlan, shelf: Shelf) -> ClaimPlan:
    """Return the plan with the stored runs of each cell."""
    return replace(plan, scopes=tuple(with_stored(plan.scopes, shelf)))


def needs_of_parts(plan: ClaimPlan) -> list[Need]:
    """Return a need for each cell that misses runs, without those of searches and of data that cannot be loaded."""
    return missing_needs(scope for scope in plan.scopes if scope.part.kind != Kind.TUNED)


def seconds_of(pace: Pace, scope: Scope, missing: int) -> float:
    """Return the seconds of all runs that a scope misses, one after the other."""
    if scope.part.kind == Kind.TUNED:
        return missing * max((pace.of_cell(need.cell) for need in scope.needs), default=UNKNOWN)
    return pace.of_needs(scope.needs)


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
            need = Need(dataset, _name(cell), request, cell, Wanted(cell), repeats=repeats)
            needs.append(GroupNeed(**vars(need), place=place, side=number, stratum=stratum))
        if not plan.cells:
            raise UsageError(f"no configuration of {side if part.second != part.first else 'it'} is possible")
    return Scope(dataset, place=place, part=part, needs=tuple(needs), notes=tuple(notes))


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
