"""The references to verify, and the cells that repeat each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from zoo.data.pairs import has_pair
from zoo.errors import SettingsError, UsageError, ZooError, unknown_name
from zoo.harness.planner import make_plan
from zoo.harness.request import Request, check_seeds
from zoo.missing.needs import Demand, Need, placed_demands
from zoo.missing.shelf import Wanted
from zoo.references.record import Reference
from zoo.registry import is_pattern
from zoo.shipped import references_of, shipped_references
from zoo.specs import Dataset
from zoo.unpackaged import with_unpackaged
from zoo.workspace import Workspace

SEEDS = 3


@dataclass(frozen=True)
class Asked:
    """The references to verify, their data and their seeds.

    names     architectures, with or without a preset, patterns, plugins and networks in files; () means all
    datasets  only the references on these data sets; () means all
    """

    names: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    seeds: int = SEEDS
    data_dir: Path | None = None


@dataclass(frozen=True, kw_only=True)
class ReferenceDemand(Demand):
    """The cells that repeat a reference.

    wrong  whether the reference itself is not valid, such as one with an unknown preset
    """

    reference: Reference
    seeds: int
    wrong: bool = False


@dataclass(frozen=True)
class VerificationPlan:
    """All demands, in the order of the references. `notes` has a line for each file that cannot be used."""

    workspace: Workspace
    demands: tuple[ReferenceDemand, ...]
    notes: tuple[str, ...] = field(default=())


def make_verification_plan(workspace: Workspace, asked: Asked) -> VerificationPlan:
    """Return the cells that repeat the references, without stored runs.

    Raises UnknownName or UsageError for a name without references, or a folder that does not exist.
    """
    check_seeds(range(asked.seeds))
    if asked.seeds < 1:
        raise UsageError(f"--seeds must be at least 1, not {asked.seeds}")
    if asked.data_dir is not None and not asked.data_dir.is_dir():
        raise UsageError(f"--data-dir must be a folder, not {str(asked.data_dir)!r}")
    registry, names = with_unpackaged(workspace.registry, asked.names)
    workspace = replace(workspace, registry=registry)
    found = _chosen(workspace, replace(asked, names=names))
    demands = [_demand(workspace, each, asked) for each in found.references]
    return VerificationPlan(workspace, tuple(placed_demands(workspace, demands)), found.problems)


@dataclass(frozen=True)
class _Chosen:
    references: tuple[Reference, ...]
    problems: tuple[str, ...] = ()


def _chosen(workspace: Workspace, asked: Asked) -> _Chosen:
    """Return the references that are asked for. Raises UnknownName for a name or a data set without any."""
    shipped = shipped_references(workspace.registry)
    known = [*shipped.references, *workspace.settings.references]
    owners = {entry.name: entry.plugin.names for entry in workspace.registry.of_kind("architecture")}
    chosen: dict[int, Reference] = {}
    for name in asked.names:
        mine = {n: each for n, each in enumerate(known) if _is_named(each, name, owners.get(each.architecture, set()))}
        if not mine:
            raise _without(workspace, name, known)
        chosen |= mine
    references = [known[n] for n in sorted(chosen)] if asked.names else known
    there = dict.fromkeys(each.dataset for each in references)
    for name in asked.datasets:
        if name not in there:
            raise unknown_name("data set of these references", name, there, f"Known: {', '.join(there)}.")
    kept = (each for each in references if not asked.datasets or each.dataset in asked.datasets)
    return _Chosen(tuple(kept), shipped.problems)


def _is_named(reference: Reference, name: str, owners: set[str]) -> bool:
    if is_pattern(name):
        return fnmatchcase(reference.name, name) or fnmatchcase(reference.architecture, name)
    return name in (reference.architecture, reference.name, reference.architecture.rpartition(":")[2], *owners)


def _without(workspace: Workspace, name: str, known: Sequence[Reference]) -> ZooError:
    """Return the error for a name without references; a file of its plugin that cannot be used is the reason."""
    entries = [each for each in workspace.registry.of_kind("architecture") if name in (each.name, each.spec.name)]
    for entry in entries:
        try:
            references_of(workspace.registry, entry.plugin)
        except SettingsError as error:
            return error
    names = {text for each in known for text in (each.architecture, each.name)}
    if entries:
        listed = ", ".join(sorted({each.architecture for each in known}))
        return UsageError(f"{name} has no references to verify. Architectures with references: {listed}")
    return unknown_name("architecture with references", name, names, "`zoo verify --all` takes all of them.")


def _demand(workspace: Workspace, reference: Reference, asked: Asked) -> ReferenceDemand:
    """Return the cells of a reference; without any if it cannot be repeated, and then with the reason."""
    blank = ReferenceDemand(reference.dataset, (), reference=reference, seeds=asked.seeds)
    if reference.stays_reported:
        return replace(blank, unavailable=f"stays reported: {' '.join(reference.stays_reported.split())}")
    try:
        where = _place_of(workspace, reference.dataset, asked.data_dir)
        if isinstance(where, str):
            return replace(blank, unavailable=where)
        request = _request(reference, asked.seeds, where)
        plan = make_plan(workspace, request)
    except ZooError as error:
        return replace(blank, unavailable=str(error), wrong=True)
    dataset = request.datasets[0]
    needs = tuple(Need(dataset, reference.name, request, cell, Wanted(cell)) for cell in plan.cells)
    if not needs:
        return replace(blank, unavailable="; ".join(plan.left_out) or "no configuration is possible", wrong=True)
    return replace(blank, dataset=dataset, needs=needs)


def _request(reference: Reference, seeds: int, where: Mapping[str, Any]) -> Request:
    axes = {name: value for name in ("block", "data", "loss", "scale") if (value := getattr(reference, name))}
    return Request.of(
        reference.name,
        **axes,
        **where,
        protocol=reference.protocol or None,
        seeds=range(seeds),
        rows=reference.rows,
        epochs=reference.epochs,
        assignments=reference.settings,
        resume=True,
    )


def _place_of(workspace: Workspace, name: str, data_dir: Path | None) -> Mapping[str, Any] | str:
    """Return where a data set is, as fields of a request, or why it is not there.

    A registered data set has its own files, also in a folder of its name in `data_dir`. Any other name is that of a
    pair of files of an archive, in `data_dir` or in a folder of this name.
    """
    if any(entry.name == name for entry in workspace.registry.of_kind(Dataset)):
        inside = None if data_dir is None else data_dir / name
        return {"dataset": name, "data_dir": inside if inside is not None and inside.is_dir() else data_dir}
    folder = workspace.settings.data_dir(name, data_dir)
    if folder is None:
        return "name the folder of the archive: --data-dir DIR"
    path = folder.absolute() / name
    if has_pair(path):
        return {"dataset": str(path)}
    return f"not in {str(folder)!r}: it has no {name}_TRAIN and {name}_TEST"
