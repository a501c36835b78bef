"""What was asked, as cells: one per combination of the axes, each complete down to the last default."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any, Literal, cast

from zoo.data.protocols import PROTOCOLS
from zoo.errors import UnknownName, UsageError, unknown_name
from zoo.factories import complete
from zoo.harness.datasets import is_file
from zoo.harness.seeds import axis_seeds
from zoo.networks import Incompatible, Network
from zoo.registry import DISTRIBUTION, Entry, Registry, is_pattern, presets_of
from zoo.settings import Settings, Training
from zoo.sources import factory_hash, source_hash
from zoo.space import Value
from zoo.specs import Architecture, Preset

FINGERPRINTED = ("rows", "dataset_params")  # what these change, the fingerprints of the data say
SEEDED = ("seed", "seeds", "dataset_params")
SCOPES = ("block", "data", "loss", "dataset", "training")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the bench: every tuple is an axis of the grid, and an empty one leaves the choice to defaults.

    `monitor` is what a study searches for: epochs are chosen by it, also over a preset, unless the user set another.
    """

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
    monitor: str | None = None
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
        if self.force and self.resume:
            raise UsageError("--force starts again and --resume goes on: choose one")
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
    def of(cls, entry: Entry, params: Mapping[str, Value]) -> "Part":
        return cls(entry, complete(entry.spec, params))


@dataclass(frozen=True)
class Cell:
    """One combination to train and score, before its data is at hand; a network that is fitted has no objective."""

    network: Network
    dataset: str
    protocol: str
    resampler: Part
    objective: Part | None
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
            "loss": "" if self.objective is None else self.objective.entry.name,
            "seed": self.seed,
            "params": _known(self.network.params),
            "block_params": _known(self.network.block_params),
            "data_params": _known(self.resampler.params),
            "loss_params": {} if self.objective is None else _known(self.objective.params),
            "dataset_params": _known(self.dataset_params),
            "training": asdict(self.training),
            "seeds": axis_seeds(self.seed),
        }
        return config if self.rows is None else {**config, "rows": self.rows}

    def entries(self) -> tuple[Entry, ...]:
        """The components that the cell is made of, but for the data set."""
        blocks = (part.entry for part in self.network.blocks)
        objective = () if self.objective is None else (self.objective.entry,)
        return (self.network.entry, *blocks, self.resampler.entry, *objective)

    def code(self) -> str:
        """The hash of the code that turns the cell into numbers: the plugins' and the zoo's."""
        code = {entry.spec.factory: factory_hash(entry.spec.factory) for entry in self.entries()}
        return _hash({**code, "zoo": source_hash("zoo")})

    def key(self, parts: Mapping[str, Any]) -> str:
        """The hash of what was asked: the cell, the data in its parts, and the code."""
        config = {name: value for name, value in self.config().items() if name not in FINGERPRINTED}
        data = {name: parts[name] for name in ("fingerprints", "classes", "by_group")}
        return _hash({"config": config, "data": data, "code": self.code()})

    def configuration(self, parts: Mapping[str, Any]) -> str:
        """The hash of what was asked but for the seed: runs that share it differ by chance alone."""
        config = {name: value for name, value in self.config().items() if name not in SEEDED}
        data = {name: parts["fingerprints"][name] for name in ("pool", "test")}
        return _hash({"config": config, "data": data, "classes": parts["classes"], "code": self.code()})


@dataclass(frozen=True)
class Plan:
    """The cells of a request, and a line for each combination that makes none."""

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]


def make_plan(registry: Registry, settings: Settings, request: Request) -> Plan:
    """All cells, those that share data next to each other. Raises UnknownName or UsageError before any work."""
    planner = _Planner(registry, settings, request)
    return Plan(tuple(planner.cells()), tuple(planner.left_out))


class _Planner:
    """Turns the axes of a request into cells."""

    def __init__(self, registry: Registry, settings: Settings, request: Request) -> None:
        self.registry, self.settings, self.request = registry, settings, request
        self.scopes = split_assignments(request.assignments)
        self.left_out: dict[str, None] = {}

    def cells(self) -> Iterator[Cell]:
        request = self.request
        named = [self._dataset(name) for name in request.datasets]
        datasets = _unique(named or [self._default("dataset", "dataset")])
        protocols = _unique(request.protocols or (str(self.settings.default("defaults", "protocol")),))
        for protocol in protocols:
            if protocol and protocol not in PROTOCOLS:
                raise unknown_name("protocol", protocol, PROTOCOLS)
        networks = list(self._networks())
        for dataset, protocol, seed in product(datasets, protocols, request.seeds):
            for data, network, loss in product(_axis(request.data), networks, _axis(request.losses)):
                if network.fitted and loss is not None:
                    self.left_out[f"{network.reference} with loss {loss}: it is fitted, without a training loss"] = None
                else:
                    yield self._cell(network, dataset, protocol, seed, data, loss)

    def _networks(self) -> Iterator[Network]:
        for reference in _unique(name for pattern in self.request.architectures for name in self._references(pattern)):
            for block in _axis(self.request.blocks):
                try:
                    yield self._network(reference, block)
                except Incompatible as reason:
                    self.left_out[f"{reference} with block {block}: {reason}"] = None

    def _network(self, reference: str, block: str | None) -> Network:
        return Network.resolve(
            self.registry,
            reference,
            block=block,
            params=self.scopes[""],
            block_params=self.scopes["block"],
            presets=self.settings.presets,
        )

    def _references(self, pattern: str) -> list[str]:
        """The architectures a pattern names or, where it has a dot, their presets."""
        if not is_pattern(pattern):
            return [pattern]
        name, dot, preset = pattern.partition(".")
        entries = self.registry.match("architecture", name)
        if not dot:
            return [entry.name for entry in entries]
        found = []
        for entry in entries:
            own = presets_of(entry.name, self.settings.presets)
            presets = {**cast(Architecture, entry.spec).presets, **own}
            found += [f"{entry.name}.{each}" for each in presets if fnmatchcase(each, preset)]
        if not found:
            raise UnknownName(f"no preset matches {pattern!r}. `zoo show NAME` shows an architecture's.")
        return found

    def _cell(
        self, network: Network, dataset: str, protocol: str, seed: int, data: str | None, loss: str | None
    ) -> Cell:
        _, _, preset = self.registry.architecture(network.reference, self.settings.presets)
        epochs: dict[str, Value] = {} if self.request.epochs is None else {"epochs": self.request.epochs}
        monitor: dict[str, Value] = {} if self.request.monitor is None else {"monitor": self.request.monitor}
        return Cell(
            network,
            dataset,
            protocol,
            self._part("data", "resampler", data, preset, network),
            None if network.fitted else self._part("loss", "objective", loss, preset, network),
            self.settings.training({**self.scopes["training"], **epochs}, {**preset.training, **monitor}),
            self.request.rows,
            seed,
        )

    def _part(
        self, scope: Literal["data", "loss"], kind: str, given: str | None, preset: Preset, network: Network
    ) -> Part:
        """A component with its parameters: those that were set lie over the preset's, where that one is its own."""
        own: str | None = getattr(preset, scope)
        name = str(self.settings.default("defaults", scope, own)) if given is None else given
        params = {**preset.params_for(scope, name), **self.scopes[scope]}
        chosen = self._default(scope, kind, own, network) if given is None else given
        return Part.of(self.registry.get(kind, chosen), params)

    def _dataset(self, name: str) -> str:
        return name if is_file(self.registry, name) else self.registry.get("dataset", name).name

    def _default(self, key: str, kind: str, preset: str | None = None, network: Network | None = None) -> str:
        """The component that settings name, or the network's preset.

        What the shipped file names is the zoo's own, and what a preset names its own distribution's, whoever has taken
        the name since.
        """
        name = str(self.settings.default("defaults", key, preset))
        if kind == "dataset" and is_file(self.registry, name):
            return name
        home = DISTRIBUTION if name == self.settings.shipped.get("defaults", key) else ""
        if network is not None and name == preset:
            home = network.entry.plugin.distribution
        return self.registry.get(kind, name, home=home).name


def _known(params: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that are None, which TOML cannot hold; a factory's default gives them back."""
    return {name: value for name, value in params.items() if value is not None}


def _hash(asked: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


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


def _axis(values: tuple[str, ...]) -> list[str | None]:
    """The values of an axis, each once; None, which leaves the choice to defaults, where there are none."""
    return [*_unique(values)] or [None]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
