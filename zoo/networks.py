"""Networks: resolve a reference and its parameters, and build the network with its blocks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from zoo.errors import ModelError, UsageError, guarded, unknown_name
from zoo.factories import complete, contents, load_factory, located
from zoo.registry import Entry, Registry, S
from zoo.settings import Training
from zoo.space import Value
from zoo.specs import Architecture, Block, Component, Preset, full_name

_TRAINING = tuple(f"training.{item.name}" for item in fields(Training))


class Incompatible(ModelError):
    """An architecture, a block and a data set do not fit together; the message is the reason."""


@dataclass(frozen=True)
class BlockPart:
    """One block of a composition, with all its parameters."""

    entry: Entry[Block]
    params: Mapping[str, Value]

    @property
    def spec(self) -> Block:
        return self.entry.spec


@dataclass(frozen=True)
class Network:
    """The full description of one network: the architecture, its parameters and the blocks in its slot."""

    entry: Entry[Architecture]
    preset: str
    params: Mapping[str, Value]
    blocks: tuple[BlockPart, ...]

    @classmethod
    def resolve(
        cls,
        registry: Registry,
        reference: str,
        *,
        block: str | None = None,
        params: Mapping[str, Value] | None = None,
        block_params: Mapping[str, Value] | None = None,
        presets: Mapping[str, Preset] | None = None,
        files: bool = True,
    ) -> "Network":
        """Return the network named `name` or `name.preset`; the arguments override the preset.

        `block_params` are named `reduction` or, in a composition `a+b`, `a.reduction`. Parameters that are files must
        exist; without `files`, they are None, which is for a network whose state is stored. Raises UnknownName or
        UsageError for an unknown name or an invalid value, Incompatible for a block without a slot.
        """
        block = None if block is None else "+".join(registry.get(Block, name).name for name in block.split("+"))
        entry, preset_name, preset = registry.architecture(reference, presets)
        spec = entry.spec
        chosen = block if block is not None else (preset.block or spec.block)
        if spec.block_dims is None:
            if block not in (None, "none"):
                raise Incompatible(f"{entry.name} has no slot for a block")
            parts: tuple[BlockPart, ...] = ()
        else:
            home = entry.plugin.distribution if block is None else ""
            parts = _block_parts(registry, chosen, {**preset.params_for("block", block), **(block_params or {})}, home)
        if block_params and not parts:
            raise UsageError(f"{entry.name} has no slot for a block: leave out {next(iter(block_params))!r}")
        merged = {**preset.params, **(params or {})}
        network = cls(entry, preset_name, complete(spec, merged, elsewhere=_TRAINING), parts)
        return network.with_files() if files else network.without_files()

    def with_files(self) -> "Network":
        """Return the network with absolute paths of its files. Raises UsageError for a file that cannot be read."""
        parts = (replace(part, params=located(part.spec, part.params)) for part in self.blocks)
        return replace(self, params=located(self.spec, self.params), blocks=tuple(parts))

    def without_files(self) -> "Network":
        """Return the network that reads no files when it is built, for a state that is stored."""
        parts = (replace(part, params=_without_files(part.spec, part.params)) for part in self.blocks)
        return replace(self, params=_without_files(self.spec, self.params), blocks=tuple(parts))

    @property
    def spec(self) -> Architecture:
        return self.entry.spec

    @property
    def reference(self) -> str:
        return full_name(self.entry.name, self.preset)

    @property
    def fitted(self) -> bool:
        """Whether its class has a method `fit`, which replaces the epoch loop."""
        return callable(getattr(load_factory(self.spec.factory), "fit", None))

    @cached_property
    def block(self) -> str:
        """The names of the blocks, as `--block` takes them; "" without a slot."""
        return "+".join(part.entry.name for part in self.blocks)

    @property
    def block_params(self) -> dict[str, Value]:
        """The parameters of the blocks, named as in the argument `block_params`."""
        prefix = len(self.blocks) > 1
        return {
            f"{part.entry.name}.{name}" if prefix else name: value
            for part in self.blocks
            for name, value in part.params.items()
        }

    def keyed(self) -> "Network":
        """Return the network in the form that the key contains: with the names of specs, and the contents of files."""
        parts = (
            BlockPart(keyed_entry(part.entry), {**part.params, **contents(part.spec, part.params)})
            for part in self.blocks
        )
        params = {**self.params, **contents(self.spec, self.params)}
        return Network(keyed_entry(self.entry), self.preset, params, tuple(parts))

    def check(self, *, n_times: int, lengths: bool) -> None:
        """Raise Incompatible if the network cannot take such series; with `lengths`, these differ in length."""
        if n_times < self.spec.min_times:
            raise Incompatible(
                f"{self.entry.name} takes series of at least {self.spec.min_times} samples, not {n_times}"
            )
        for part in self.blocks:
            if self.spec.block_dims not in part.spec.dims:
                raise Incompatible(
                    f"block {part.entry.name} has no {self.spec.block_dims}-D form, which {self.entry.name} needs"
                )
            if lengths and not part.spec.masked:
                raise Incompatible(
                    f"block {part.entry.name} takes no mask, and the data set declares unequal lengths: padding would "
                    "reach valid positions"
                )
        if lengths and not self.spec.takes_lengths:
            raise Incompatible(f"{self.entry.name} takes no lengths, and the data set declares unequal lengths")

    def build(self, *, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Build and return the module. Raises Incompatible or ModelError, in one line, if it cannot be built."""
        self.check(n_times=n_times, lengths=False)
        slot = {"block": self._block} if self.spec.block_dims else {}
        with guarded(ModelError, f"{self.reference} cannot be built"):
            module = load_factory(self.spec.factory)(
                n_channels=n_channels, n_times=n_times, n_classes=n_classes, **slot, **self.params
            )
        if not isinstance(module, nn.Module):
            raise ModelError(f"{self.reference}: its factory returned {type(module).__name__}, not a torch nn.Module")
        if callable(getattr(module, "fit", None)) and not self.fitted:
            raise ModelError(
                f"{self.reference}: {type(module).__name__} defines fit(), so the factory must be the class itself"
            )
        return module

    def _block(self, channels: int) -> nn.Module:
        built = [
            load_factory(part.spec.factory)(channels, dims=self.spec.block_dims, **part.params) for part in self.blocks
        ]
        return built[0] if len(built) == 1 else Composition(built)


class Composition(nn.Module):
    """Blocks in sequence; each receives the mask."""

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return x


class Ensemble(nn.Module):
    """An ensemble of networks; its logits are the logarithms of their mean probabilities.

    The mean is computed in float64 where the device has it, because float32 cannot tell probabilities near 1 apart.
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        outputs = [member(x) if lengths is None else member(x, lengths) for member in self.members]
        wide = torch.float32 if x.device.type == "mps" else torch.float64
        each = torch.log_softmax(torch.stack(outputs).to(wide), dim=-1)
        return (torch.logsumexp(each, dim=0) - math.log(len(outputs))).float()


def ensemble(members: Sequence[nn.Module]) -> nn.Module:
    """Return the only network, or the ensemble of several."""
    return members[0] if len(members) == 1 else Ensemble(members)


def keyed_entry(entry: Entry[S]) -> Entry[S]:
    """Return an entry with the name of its spec, as the key of a run has it."""
    return replace(entry, name=entry.spec.key_name)


def _without_files(spec: Component, params: Mapping[str, Value]) -> dict[str, Value]:
    without: dict[str, Any] = dict.fromkeys(spec.files)
    return {**params, **without}


def _block_parts(registry: Registry, names: str, params: Mapping[str, Value], home: str) -> tuple[BlockPart, ...]:
    entries = [registry.get(Block, name, home=home) for name in names.split("+")]
    given: dict[str, dict[str, Value]] = {entry.name: {} for entry in entries}
    for key, value in params.items():
        owner, _, name = key.rpartition(".")
        if not owner and len(entries) > 1:
            raise UsageError(f"block parameter {key!r} needs the name of its block: block.{entries[0].name}.{key}")
        if owner and owner not in given:
            raise unknown_name("block in this composition", owner, given)
        given[owner or entries[0].name][name] = value
    return tuple(BlockPart(entry, complete(entry.spec, given[entry.name])) for entry in entries)
