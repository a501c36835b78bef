"""Turn the configuration of a trial into its cell, with the planner of the bench."""

from collections.abc import Mapping
from dataclasses import replace

from zoo.errors import UsageError
from zoo.factories import parameters
from zoo.harness.cells import Cell
from zoo.harness.planner import Plan, make_plan
from zoo.harness.request import Request
from zoo.networks import Incompatible
from zoo.registry import Registry
from zoo.space import Value
from zoo.tuning.request import TuneRequest
from zoo.workspace import Workspace

AXES = {"block": "block", "data": "resampler", "loss": "objective"}  # keys that name a component, with its kind


def bench_request(registry: Registry, request: TuneRequest, config: Mapping[str, Value]) -> Request:
    """Return the request of the bench for one configuration: a single cell, on one thread.

    Its epochs are the asked ones, or the default: a search is to spend the same on every trial.
    """
    cell, drawn = request.cell, {axis: str(config[axis]) for axis in AXES if axis in config}
    exact: dict[str, Value] = {"training.min_steps": 0} if cell.epochs is None else {}
    values = {key: value for key, value in {**exact, **cell.assignments, **config}.items() if key not in AXES}
    return replace(
        cell,
        blocks=(drawn["block"],) if "block" in drawn else cell.blocks,
        data=(drawn["data"],) if "data" in drawn else cell.data,
        losses=(drawn["loss"],) if "loss" in drawn else cell.losses,
        assignments={key: value for key, value in values.items() if _applies(registry, key, drawn)},
        monitor=request.metric,
        threads=1,
    )


def cells_of(workspace: Workspace, request: TuneRequest, config: Mapping[str, Value]) -> Plan:
    """Plan the cell of a configuration, or the reason why it is impossible. Raises UsageError for unknown names."""
    return make_plan(workspace, bench_request(workspace.registry, request, config))


def cell_of(workspace: Workspace, request: TuneRequest, config: Mapping[str, Value]) -> Cell:
    """Return the cell of a configuration. Raises Incompatible if its components do not fit together."""
    plan = cells_of(workspace, request, config)
    if not plan.cells:
        raise Incompatible(plan.left_out[0])
    return plan.cells[0]


def one_member(cell: Cell) -> Cell:
    """Return the cell of a trial: it trains only one member of an ensemble."""
    return replace(cell, training=replace(cell.training, members=1))


def _applies(registry: Registry, key: str, drawn: Mapping[str, str]) -> bool:
    """Whether a key applies to the drawn components: `block.reduction` does not apply to a block without it."""
    scope, dot, name = key.partition(".")
    if not dot or scope not in drawn:
        return True
    owner, _, name = name.rpartition(".")
    try:
        entries = [registry.get(AXES[scope], part) for part in drawn[scope].split("+")]
        return any(owner in ("", entry.name) and name in parameters(entry.spec) for entry in entries)
    except UsageError:  # an unknown name: the planner reports it better
        return True
