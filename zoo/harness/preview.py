"""What is known of the network of a cell before it computes: its hardware and its size, from the meta device."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import nn

from zoo.harness.cells import Cell
from zoo.harness.containment import contained
from zoo.inspection import count_macs, count_parameters
from zoo.records import Cost
from zoo.surroundings.kept import kept
from zoo.training.hardware import Hardware


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
        """Count the multiply-accumulates; None if the meta device cannot: the network can still be trained."""
        if self.model is None:
            return self
        cost, size = self.cost, {name: shape[name] for name in ("n_channels", "n_times")}
        with kept() as changes, contextlib.suppress(Exception, SystemExit), contained():
            cost = replace(cost, macs=cell.training.members * count_macs(self.model, **size))
        notes = (*self.notes, *changes.notes(cell.network.reference))
        return replace(self, cost=cost, model=None, notes=notes)
