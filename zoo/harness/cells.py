"""What was asked, as cells: one per combination of the axes, each complete down to the last default."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from zoo.data.protocols import PROTOCOLS
from zoo.errors import UsageError, unknown_name
from zoo.factories import complete
from zoo.harness.datasets import is_file
from zoo.harness.seeds import axis_seeds
from zoo.networks import Incompatible, Network
from zoo.registry import Entry, Registry
from zoo.settings import Settings, Training
from zoo.sources import factory_hash, source_hash
from zoo.space import Value

FINGERPRINTED = ("rows", "dataset_params")  # what these change, the fingerprints of the data say
SCOPES = ("block", "data", "loss", "dataset", "training")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the bench: every tuple is an axis of the grid, and an empty one leaves the choice to defaults."""

    architectures: tuple[str, ...]
    blocks: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    rows: int | None = None
    epochs: int | None = None
    assignments: Mapping[str, Value] = field(default_factory=dict)
    data_dir: Path | None = None
    target: str | None = None
    group: str | None = None
    device: str | None = None
    threads: int | None = None
    force: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        if not self.architectures:
            raise UsageError("name an architecture to bench: `zoo list architecture` shows them all")
        for name, value in (("rows", self.rows), ("epochs", self.epochs), ("seeds", len(self.seeds))):
            if value is not None and value < 1:
                raise UsageError(f"--{name} is at least 1, not {value}")
        if self.threads is not None and self.threads < 0:
            raise UsageError(f"--threads is at least 1, or 0 to choose, not {self.threads}")


@dataclass(frozen=True)
class Part:
    """A component other than a network, with all its parameters."""

    entry: Entry
    params: Mapping[str, Value]

    @classmethod
    def resolve(cls, registry: Registry, kind: str, name: str, params: Mapping[str, Value]) -> "Part":
        entry = registry.get(kind, name)
        return cls(entry, complete(entry.spec, params))


@dataclass(frozen=True)
class Cell:
    """One combination to train and score, before its data is at hand."""

    network: Network
    dataset: str
    protocol: str
    resampler: Part
    objective: Part
    training: Training
    rows: int | None
    seed: int
    dataset_params: Mapping[str, Value] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """All that was asked for, as plain data without None: what config.toml holds and the key is made of."""
        config = {
            "architecture": self.network.entry.name,
            "block": self.network.block,
            "dataset": self.dataset,
            "protocol": self.protocol,
            "data": self.resampler.entry.name,
            "loss": self.objective.entry.name,
            "seed": self.seed,
            "params": dict(self.network.params),
            "block_params": dict(self.network.block_params),
            "data_params": dict(self.resampler.params),
            "loss_params": dict(self.objective.params),
            "dataset_params": dict(self.dataset_params),
            "training": asdict(self.training),
            "seeds": axis_seeds(self.seed),
        }
        return config if self.rows is None else {**config, "rows": self.rows}

    def key(self, parts: Mapping[str, Any]) -> str:
        """The hash of what was asked: the cell, the data, and the code that turns them into numbers."""
        parts_of = (self.network.entry, *(part.entry for part in self.network.blocks))
        entries = (*parts_of, self.resampler.entry, self.objective.entry)
        code = {entry.spec.factory: factory_hash(entry.spec.factory) for entry in entries}
        asked = {
            "config": {name: value for name, value in self.config().items() if name not in FINGERPRINTED},
            "data": parts["fingerprints"],
            "code": {**code, "zoo": source_hash("zoo")},
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """The cells of a request, and a line for each combination that makes none."""

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]


def make_plan(registry: Registry, settings: Settings, request: Request) -> Plan:
    """All cells, those that share data next to each other. Raises UnknownName or UsageError before any work."""
    scopes = split_assignments(request.assignments)
    cells: list[Cell] = []
    left_out: dict[str, None] = {}
    datasets = [_dataset_name(registry, name) for name in request.datasets or (_default(settings, "dataset"),)]
    protocols = request.protocols or (_default(settings, "protocol"),)
    for protocol in protocols:
        if protocol and protocol not in PROTOCOLS:
            raise unknown_name("protocol", protocol, PROTOCOLS)
    networks = list(_networks(registry, settings, request, scopes, left_out))
    for dataset, protocol, seed in product(datasets, protocols, request.seeds):
        for data, network, loss in product(request.data or (None,), networks, request.losses or (None,)):
            cells.append(_cell(registry, settings, request, scopes, network, dataset, protocol, seed, data, loss))
    cells.sort(key=lambda cell: (datasets.index(cell.dataset), protocols.index(cell.protocol), cell.seed))
    return Plan(tuple(cells), tuple(left_out))


def split_assignments(assignments: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """`block.reduction=8` and its like by scope; keys without one are the architecture's, under ""."""
    scopes: dict[str, dict[str, Value]] = {scope: {} for scope in ("", *SCOPES)}
    for key, value in assignments.items():
        scope, dot, name = key.partition(".")
        if not dot:
            scopes[""][key] = value
        elif scope in SCOPES:
            scopes[scope][name] = value
        else:
            raise unknown_name("scope of --set", scope, SCOPES)
    return scopes


def _networks(
    registry: Registry,
    settings: Settings,
    request: Request,
    scopes: Mapping[str, Mapping[str, Value]],
    left_out: dict[str, None],
) -> Iterator[Network]:
    for pattern in request.architectures:
        for reference in _references(registry, pattern):
            for block in request.blocks or (None,):
                try:
                    yield Network.resolve(
                        registry,
                        reference,
                        block=block,
                        params=scopes[""],
                        block_params=scopes["block"],
                        presets=settings.presets,
                    )
                except Incompatible as reason:
                    left_out[f"{reference} with block {block}: {reason}"] = None


def _references(registry: Registry, pattern: str) -> list[str]:
    if any(sign in pattern for sign in "*?["):
        return [entry.name for entry in registry.match("architecture", pattern)]
    return [pattern]


def _cell(
    registry: Registry,
    settings: Settings,
    request: Request,
    scopes: Mapping[str, Mapping[str, Value]],
    network: Network,
    dataset: str,
    protocol: str,
    seed: int,
    data: str | None,
    loss: str | None,
) -> Cell:
    _, _, preset = registry.architecture(network.reference, settings.presets)
    epochs: dict[str, Value] = {} if request.epochs is None else {"epochs": request.epochs}
    return Cell(
        network,
        dataset,
        protocol,
        Part.resolve(registry, "resampler", data or _default(settings, "data", preset.data), scopes["data"]),
        Part.resolve(registry, "objective", loss or _default(settings, "loss"), scopes["loss"]),
        settings.training({**scopes["training"], **epochs}, preset.training),
        request.rows,
        seed,
    )


def _dataset_name(registry: Registry, name: str) -> str:
    return name if is_file(name) else registry.get("dataset", name).name


def _default(settings: Settings, key: str, preset: str | None = None) -> str:
    return str(settings.default("defaults", key, preset))
