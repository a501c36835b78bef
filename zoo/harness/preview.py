"""What is known of the network of a cell before it computes: its hardware and its size, from the meta device."""

import contextlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

from torch import nn

from zoo.factories import load_factory
from zoo.harness.cells import Cell
from zoo.harness.containment import contained
from zoo.inspection import count_macs, count_parameters
from zoo.records import Cost
from zoo.surroundings.kept import kept
from zoo.training.hardware import Hardware

# By network, with its factories, whose ids are in the key: the runs of a bench are mostly of the same few networks.
_known_macs: dict[Hashable, tuple[int, list[object]]] = {}


@dataclass(frozen=True)
class Preview:
    """The hardware for a network and its size.

    `model` is the network on the meta device while its multiply-accumulates are not counted: that calls its code.
    `notes` are changes of the global state by its code.
    """

    hardware: Hardware
    cost: Cost
    model: nn.Module | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, cell: Cell, shape: Mapping[str, int], device: str, threads: int) -> "Preview":
        """Build the network on the meta device. Raises Incompatible if it does not fit together with its blocks."""
        with kept() as changes:
            model, cost = cell.on_meta(shape), Cost()
            if model is not None:
                with contextlib.suppress(Exception, SystemExit), contained():
                    cost = Cost(parameters=cell.training.members * count_parameters(model))
        hardware = cell.hardware(model, device, threads)
        return cls(hardware, cost, model, changes.notes(cell.network.reference))

    def counted(self, cell: Cell, shape: Mapping[str, int]) -> "Preview":
        """Count the multiply-accumulates; None if the meta device cannot: the network can still be trained.

        This process counts each network once, unless its code changes the global state, which is noted for each run.
        """
        if self.model is None:
            return self
        macs, notes = None, self.notes
        key, factories = _identity(cell, shape)
        if key in _known_macs:
            macs, _ = _known_macs[key]
        else:
            size = {name: shape[name] for name in ("n_channels", "n_times")}
            with kept() as changes, contextlib.suppress(Exception, SystemExit), contained():
                macs = count_macs(self.model, **size)
            notes += changes.notes(cell.network.reference)
            if macs is not None and not changes.names:
                _known_macs[key] = macs, factories
        cost = replace(self.cost, macs=None if macs is None else cell.training.members * macs)
        return replace(self, cost=cost, model=None, notes=notes)


def _identity(cell: Cell, shape: Mapping[str, int]) -> tuple[Hashable, list[object]]:
    """Return what decides the network, and its factories; a file that was edited has another factory."""
    parts = [(cell.network.spec, cell.network.params), *((part.spec, part.params) for part in cell.network.blocks)]
    factories: list[object] = [load_factory(spec.factory) for spec, _ in parts]
    params = [sorted(params.items()) for _, params in parts]
    return (repr((params, sorted(shape.items()))), *map(id, factories)), factories
