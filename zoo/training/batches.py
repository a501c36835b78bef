"""Rows on the device, and their division into batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.rows import Rows
from zoo.data.series import Floats
from zoo.data.unread import Unread

GATHERED_BATCHES = 32  # a few megabytes of rows; gathering each batch separately cost a tiny network 7 % of its speed


@dataclass(frozen=True)
class Tensors:
    """Rows on the device: values `(rows, channels, times)`, labels `(rows,)`, and lengths if they are declared."""

    values: Tensor
    labels: Tensor
    lengths: Tensor | None

    @classmethod
    def of(cls, rows: Rows, device: torch.device) -> "Tensors":
        lengths = None if rows.lengths is None else torch.from_numpy(rows.lengths).to(device)
        values = torch.from_numpy(_plain(np.asarray(rows.values)))
        return cls(values.to(device), torch.from_numpy(rows.labels).to(device), lengths)

    def logits(self, model: nn.Module) -> Tensor:
        output: Tensor = model(self.values) if self.lengths is None else model(self.values, self.lengths)
        return output

    def take(self, index: Tensor | slice) -> "Tensors":
        """Return a copy of the rows of the index, in its order.

        Without the copy, a network that writes into its input would change the rows of every later network.
        """
        rows = Tensors(self.values[index], self.labels[index], None if self.lengths is None else self.lengths[index])
        return rows.copy() if isinstance(index, slice) else rows  # an index tensor copies by itself

    def copy(self) -> "Tensors":
        lengths = None if self.lengths is None else self.lengths.clone()
        return Tensors(self.values.clone(), self.labels.clone(), lengths)


class UnreadTensors:
    """Rows whose values are read, and copied to the device, when a batch is taken."""

    def __init__(self, rows: Rows, device: torch.device) -> None:
        self._rows, self._device = rows, device
        self.labels = torch.from_numpy(rows.labels)

    def take(self, index: slice) -> Tensors:
        return Tensors.of(self._rows.part(index), self._device)


InOrder = Tensors | UnreadTensors  # rows that are only used in their own order


def in_order(rows: Rows, device: torch.device) -> InOrder:
    """Return rows for evaluation: on the device, or read batch by batch if they are unread."""
    return UnreadTensors(rows, device) if isinstance(rows.values, Unread) else Tensors.of(rows, device)


def _plain(values: Floats) -> Floats:
    """Return the same values with the default strides of their shape.

    On an axis of length one NumPy allows any stride, so a copy in another process may have a different one. torch
    chooses its kernels by the strides, and the sums of these kernels differ in the last bit.
    """
    return np.ascontiguousarray(values).reshape(-1).reshape(values.shape)


class RowOrder:
    """The order in which training uses rows: all of them in a random order, and when they are used up in a new one.

    With weights `(count,)`, each row is drawn with replacement instead. `left` int64 holds the rows that are left of
    the current order; with the state of the generator it is all that a checkpoint needs.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.left = torch.empty(0, dtype=torch.int64)

    def take(self, number: int, count: int, weights: Tensor | None = None) -> Tensor:
        """Return the next `number` of `count` rows."""
        if weights is not None:
            # torch.multinomial refuses more than 2^24 rows; the inverse of the cumulative sum does not
            steps = torch.cumsum(weights.to(torch.float64), 0)
            points = torch.rand(number, generator=self.generator, dtype=torch.float64) * steps[-1]
            return torch.searchsorted(steps, points, right=True).clamp(max=count - 1)
        while len(self.left) < number:
            self.left = torch.cat([self.left, torch.randperm(count, generator=self.generator)])
        taken, self.left = self.left[:number], self.left[number:].clone()
        return taken


def in_batches(rows: Tensors, order: Tensor, batch_size: int) -> Iterator[Tensors]:
    """Yield the rows in this order, one batch at a time; many batches are gathered together, which is faster."""
    for several in order.to(rows.labels.device).split(batch_size * GATHERED_BATCHES):
        gathered = rows.take(several)
        for start in range(0, len(several), batch_size):
            yield gathered.take(slice(start, start + batch_size))


class Slices(Sequence[Tensors]):
    """All rows in their own order, in batches; each batch is copied, or read, when it is taken."""

    def __init__(self, rows: InOrder, batch_size: int) -> None:
        self._rows, self._starts, self._size = rows, range(0, len(rows.labels), batch_size), batch_size

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> Tensors: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tensors]: ...
    def __getitem__(self, place: int | slice) -> Tensors | list[Tensors]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        start = self._starts[place]
        return self._rows.take(slice(start, start + self._size))
