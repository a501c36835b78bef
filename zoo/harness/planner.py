"""The planner: turn a request into cells, one per combination of the axes, with every default filled in."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Literal

from zoo.assignments import split_assignments
from zoo.data.folds import CROSS_VALIDATION, Fold
from zoo.data.protocols import PROTOCOLS
from zoo.errors import MissingLibrary, UnknownName, UsageError, unknown_name
from zoo.harness.cells import ADAPTABLE, Cell, ChosenComponent
from zoo.harness.datasets import dataset_entry, is_file
from zoo.harness.request import Request
from zoo.harness.treatments import treatment_of
from zoo.networks import Incompatible, Network
from zoo.registry import DISTRIBUTION, C, is_pattern, presets_of
from zoo.settings import FITTED, OF_PLATEAU
from zoo.space import Value
from zoo.specs import SCALES, Architecture, Component, Dataset, Objective, Preset, Resampler
from zoo.workspace import Workspace


@dataclass(frozen=True)
class Plan:
    """The cells of a request, a line for each combination that is impossible, and notes on settings without effect."""

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


def make_plan(workspace: Workspace, request: Request) -> Plan:
    """Return all cells; cells that share data are neighbours.

    Raises UnknownName or UsageError before any work, MissingLibrary if nothing can run for want of a library.
    """
    planner = _Planner(workspace, request)
    cells = tuple(planner.cells())
    if planner.missing and not cells and len(planner.missing) == len(planner.left_out):
        raise next(iter(planner.missing.values()))
    return Plan(cells, tuple(planner.left_out), tuple(planner.notes))


class _Planner:
    """Turns the axes of a request into cells."""

    def __init__(self, workspace: Workspace, request: Request) -> None:
        self.workspace, self.request = workspace, request
        self.registry, self.settings = workspace.registry, workspace.settings
        self.scopes = split_assignments(request.assignments)
        self.left_out: dict[str, None] = {}
        self.missing: dict[str, MissingLibrary] = {}  # by the line in `left_out`
        self.notes: dict[str, None] = {}

    def cells(self) -> Iterator[Cell]:
        request = self.request
        datasets = _unique(map(self._dataset, request.datasets)) or [self._default("dataset", Dataset)]
        protocols = self._protocols()
        scales = _unique(request.scales or (str(self.settings.default("defaults", "scale")),))
        for kind, named, known in (
            ("protocol", protocols, (*PROTOCOLS, CROSS_VALIDATION)),
            ("scale", scales, SCALES),
        ):
            for name in named:
                if name and name not in known:
                    raise unknown_name(kind, name, known)
        networks = list(self._networks())
        combined = list(self._combined(networks))
        separations = [(name, seed, fold) for name in protocols for seed in request.seeds for fold in self._folds(name)]
        for dataset, (protocol, seed, fold), scale in product(datasets, separations, scales):
            for data, network, loss in combined:
                try:
                    cell = self._cell(network, dataset, protocol, seed, data, loss)
                except MissingLibrary as reason:
                    self._without(" ".join(filter(None, (network.reference, data, loss))), reason)
                    continue
                if cell.validation == 0 and (network.spec.needs_validation or not network.fitted):
                    self.left_out[f"{network.reference} with training.validation=0: it needs validation rows"] = None
                    continue
                self._note_no_effect(network, cell.training.scheduler)
                yield replace(cell, scale=scale, fold=fold)

    def _protocols(self) -> list[str]:
        """Return the protocols; a number of folds means cross-validation. Raises UsageError if one needs the other."""
        named, cv = self.request.protocols, self.request.cv
        protocols = _unique(named or (str(self.settings.default("defaults", "protocol")),))
        if cv is None and CROSS_VALIDATION in protocols:
            raise UsageError(f"--protocol {CROSS_VALIDATION} needs the number of folds: --cv 5")
        if cv is None:
            return protocols
        if named and CROSS_VALIDATION not in named:
            raise UsageError(f"--cv {cv} is for the protocol {CROSS_VALIDATION}: leave out --protocol {named[0]}")
        return protocols if named else [CROSS_VALIDATION]

    def _folds(self, protocol: str) -> list[Fold | None]:
        if protocol != CROSS_VALIDATION or self.request.cv is None:
            return [None]
        of, named = self.request.cv, CROSS_VALIDATION in self.request.protocols
        return [Fold(number, of, named) for number in range(1, of + 1)]

    def _combined(self, networks: Iterable[Network]) -> Iterator[tuple[str | None, Network, str | None]]:
        """Yield a resampler, a network and a loss for each combination; None: defaults choose.

        Combinations with the same resampler are neighbours, because they share the resampled rows.
        """
        for data, losses in self._treatments().items():
            for network in networks:
                for loss in self._losses(network, data, losses):
                    yield data, network, loss

    def _treatments(self) -> dict[str | None, list[str | None]]:
        """Return the losses to combine with each resampler."""
        request = self.request
        if not request.treatments:
            resamplers = [self.registry.get(Resampler, name).name for name in request.data]
            objectives = [self.registry.get(Objective, name).name for name in request.losses]
            return {data: _axis(objectives) for data in _axis(resamplers)}
        found: dict[str | None, list[str | None]] = {}
        for data, loss in dict.fromkeys(treatment_of(self.registry, text) for text in request.treatments):
            found.setdefault(data, []).append(loss)
        return found

    def _losses(self, network: Network, data: str | None, losses: Sequence[str | None]) -> Iterator[str | None]:
        """Yield the losses that the network takes, each once: the default one may also be named."""
        own = self.workspace.architecture(network.reference)[2].loss
        for loss in losses:
            if network.fitted and loss is not None:
                self.left_out[f"{network.reference} with loss {loss}: its fit() takes no loss"] = None
            elif loss is not None and None in losses and loss == self._default("loss", Objective, own, network):
                self.notes[f"{network.reference}: {data}/{loss} is the same treatment as {data}"] = None
            else:
                yield loss

    def _note_no_effect(self, network: Network, scheduler: str) -> None:
        """Note the settings of the request that do not reach a network with fit(), or that its scheduler ignores."""
        training, loss = (self.scopes[scope] for scope in ("training", "loss"))
        if network.fitted:
            names = ["epochs"] if self.request.epochs is not None else []
            names += [f"training.{name}" for name in training if name not in FITTED]
            names += [f"loss.{name}" for name in loss]
            where = f"on {network.reference}, a fitted network"
        else:
            names = [f"training.{name}" for name in training if name in OF_PLATEAU and scheduler != "plateau"]
            where = f"with the scheduler {scheduler}, only with plateau"
        if names:
            self.notes[f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} no effect {where}"] = None

    def _networks(self) -> Iterator[Network]:
        """Yield each network once: `plugin:name` and `name` may mean the same."""
        known: set[Hashable] = set()
        for reference in _unique(name for pattern in self.request.architectures for name in self._references(pattern)):
            for block in _axis(self.request.blocks):
                try:
                    network = self._network(reference, block)
                    values = (tuple(network.params.items()), tuple(network.block_params.items()))
                    if (found := (network.reference, network.block, *values)) not in known:
                        known.add(found)
                        yield network
                except Incompatible as reason:
                    self.left_out[f"{reference} with block {block}: {reason}"] = None
                except MissingLibrary as reason:
                    self._without(f"{reference} with block {block}" if block else reference, reason)

    def _without(self, what: str, reason: MissingLibrary) -> None:
        line = f"{what}: {reason}"
        self.left_out[line], self.missing[line] = None, reason

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
        """Return the architectures that match a pattern or, if the pattern has a dot, the matching presets."""
        if not is_pattern(pattern):
            return [pattern]
        name, dot, preset = pattern.partition(".")
        entries = self.registry.match(Architecture, name)
        if not dot:
            return [entry.name for entry in entries]
        found = []
        for entry in entries:
            own = presets_of(entry.name, self.settings.presets)
            presets = {**entry.spec.presets, **own}
            found += [f"{entry.name}.{each}" for each in presets if fnmatchcase(each, preset)]
        if not found:
            raise UnknownName(f"no preset matches {pattern!r}. `zoo show NAME` lists the presets of an architecture.")
        return found

    def _cell(
        self, network: Network, dataset: str, protocol: str, seed: int, data: str | None, loss: str | None
    ) -> Cell:
        entry, _, preset = self.workspace.architecture(network.reference)
        rate: dict[str, Value] = {} if entry.spec.learning_rate is None else {"learning_rate": entry.spec.learning_rate}
        epochs: dict[str, Value] = {} if self.request.epochs is None else {"epochs": self.request.epochs}
        monitor: dict[str, Value] = {} if self.request.monitor is None else {"monitor": self.request.monitor}
        flags, own = {**self.scopes["training"], **epochs}, {**rate, **preset.training, **monitor}
        training, given = self.settings.training(flags, own), self.settings.given_training(flags, own)
        return Cell(
            network,
            dataset,
            protocol,
            self._part("data", Resampler, data, preset, network),
            None if network.fitted else self._part("loss", Objective, loss, preset, network),
            training,
            self.request.rows,
            seed,
            adaptable=ADAPTABLE - given,
            validation=training.validation if "validation" in given else None,
        )

    def _part(
        self, scope: Literal["data", "loss"], kind: type[C], given: str | None, preset: Preset, network: Network
    ) -> ChosenComponent[C]:
        """Choose a component with its parameters: set parameters override those that the preset has for it."""
        own: str | None = getattr(preset, scope)
        name = str(self.settings.default("defaults", scope, own)) if given is None else given
        params = {**preset.params_for(scope, name), **self.scopes[scope]}
        chosen = self._default(scope, kind, own, network) if given is None else given
        return ChosenComponent.of(self.registry.get(kind, chosen), params)

    def _dataset(self, name: str) -> str:
        known = name in self.request.in_memory or is_file(self.registry, name)
        return name if known else dataset_entry(self.registry, name).name

    def _default(
        self, key: str, kind: type[Component], preset: str | None = None, network: Network | None = None
    ) -> str:
        """Return the component that the settings or the preset of the network name.

        A name in the shipped file always means the zoo's own component. A name in a preset means the component of the
        preset's distribution. A later plugin with the same name changes neither.
        """
        name = str(self.settings.default("defaults", key, preset))
        if kind is Dataset and is_file(self.registry, name):
            return name
        home = DISTRIBUTION if name == self.settings.shipped.get("defaults", key) else ""
        if network is not None and name == preset:
            home = network.entry.plugin.distribution
        return self.registry.get(kind, name, home=home).name


def _axis(values: Iterable[str]) -> list[str | None]:
    """Return the values of an axis, each once; `[None]` for an empty axis, where defaults choose."""
    return [*_unique(values)] or [None]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
