"""What was asked, as cells: one per combination of the axes, each complete down to the last default."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Generic

from torch import nn

from zoo.errors import ModelError
from zoo.factories import complete
from zoo.harness.seeds import axis_seeds
from zoo.inspection import on_meta
from zoo.networks import Incompatible, Network
from zoo.records import JsonObject, SplitSummary
from zoo.registry import Entry, S
from zoo.settings import Training
from zoo.sources import factory_hash, source_hash
from zoo.space import Value
from zoo.specs import Component, Objective, Resampler
from zoo.training.hardware import Hardware

FINGERPRINTED = ("rows", "dataset_params")  # what these change, the fingerprints of the data say
SEEDED = ("seed", "seeds", "dataset_params")


@dataclass(frozen=True)
class ChosenComponent(Generic[S]):
    """A component other than a network, with all its parameters."""

    entry: Entry[S]
    params: Mapping[str, Value]

    @classmethod
    def of(cls, entry: Entry[S], params: Mapping[str, Value]) -> "ChosenComponent[S]":
        return cls(entry, complete(entry.spec, params))


@dataclass(frozen=True)
class Cell:
    """One combination to train and score, before its data is at hand; a network that is fitted has no objective."""

    network: Network
    dataset: str
    protocol: str
    resampler: ChosenComponent[Resampler]
    objective: ChosenComponent[Objective] | None
    training: Training
    rows: int | None
    seed: int
    dataset_params: Mapping[str, Value] = field(default_factory=dict)

    def config(self) -> JsonObject:
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

    def entries(self) -> tuple[Entry[Component], ...]:
        """The components that the cell is made of, but for the data set."""
        blocks = (part.entry for part in self.network.blocks)
        objective = () if self.objective is None else (self.objective.entry,)
        return (self.network.entry, *blocks, self.resampler.entry, *objective)

    @property
    def precision(self) -> str:
        """What it is trained in, as `training.precision` names it; a network that is fitted is never rounded."""
        return "fp32" if self.objective is None else self.training.precision

    def on_meta(self, shape: Mapping[str, int]) -> nn.Module | None:
        """The network on the meta device; None where it cannot be built there, though perhaps elsewhere.

        Raises Incompatible where its parts do not go together.
        """
        try:
            return on_meta(lambda: self.network.build(**shape))
        except Incompatible:
            raise
        except ModelError:
            return None

    def hardware(self, model: nn.Module | None, device: str, threads: int) -> Hardware:
        """What it computes on, chosen by its network on the meta device; 0 threads leave their number to that."""
        network = nn.Identity() if model is None else model
        return Hardware.choose(device, threads, self.precision, network, recurrent=self.network.spec.recurrent)

    def code(self) -> str:
        """The hash of the code that turns the cell into numbers: the plugins' and the zoo's."""
        code = {entry.spec.factory: factory_hash(entry.spec.factory) for entry in self.entries()}
        return _hash({**code, "zoo": source_hash("zoo")})

    def key(self, summary: SplitSummary) -> str:
        """The hash of what was asked: the cell, the data in their parts, and the code."""
        config = {name: value for name, value in self.config().items() if name not in FINGERPRINTED}
        data = {name: summary[name] for name in ("fingerprints", "classes", "by_group")}
        return _hash({"config": config, "data": data, "code": self.code()})

    def configuration(self, summary: SplitSummary) -> str:
        """The hash of what was asked but for the seed: runs that share it differ by chance alone."""
        config = {name: value for name, value in self.config().items() if name not in SEEDED}
        data = {name: summary.fingerprints[name] for name in ("pool", "test")}
        return _hash({"config": config, "data": data, "classes": summary.classes, "code": self.code()})


def _known(params: JsonObject) -> JsonObject:
    """Without those that are None, which TOML cannot hold; a factory's default gives them back."""
    return {name: value for name, value in params.items() if value is not None}


def _hash(asked: JsonObject) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
