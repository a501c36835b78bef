"""Rows on the device, and the ways in which they come in batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.rows import Rows
from zoo.data.series import Floats

GATHERED_BATCHES = 32  # a few megabytes of rows; gathering each batch by itself cost a tiny net 7 % of its speed


@dataclass(frozen=True)
class Tensors:
    """Rows on the device: values `(rows, channels, times)`, labels `(rows,)`, lengths where declared."""

    values: Tensor
    labels: Tensor
    lengths: Tensor | None

    @classmethod
    def of(cls, rows: Rows, device: torch.device) -> "Tensors":
        lengths = None if rows.lengths is None else torch.from_numpy(rows.lengths).to(device)
        return cls(torch.from_numpy(_plain(rows.values)).to(device), torch.from_numpy(rows.labels).to(device), lengths)

    def logits(self, model: nn.Module) -> Tensor:
        output: Tensor = model(self.values) if self.lengths is None else model(self.values, self.lengths)
        return output

    def take(self, index: Tensor | slice) -> "Tensors":
        """Some of the rows, in the order of the index."""
        lengths = None if self.lengths is None else self.lengths[index]
        return Tensors(self.values[index], self.labels[index], lengths)


def _plain(values: Floats) -> Floats:
    """The same values, with the strides that their shape has of itself.

    Along an axis of one channel numpy lets a stride be anything, and a copy in another process has another; torch
    chooses kernels by it, whose sums differ in the last bit.
    """
    return np.ascontiguousarray(values).reshape(-1).reshape(values.shape)


def drawn_order(count: int, generator: torch.Generator, weights: Tensor | None) -> Tensor:
    """The rows of one epoch: each once in a new order or, with weights `(count,)`, drawn by them with replacement."""
    if weights is None:
        return torch.randperm(count, generator=generator)
    # torch.multinomial refuses more than 2^24 rows; the inverse of the cumulative sum does not
    steps = torch.cumsum(weights.to(torch.float64), 0)
    points = torch.rand(count, generator=generator, dtype=torch.float64) * steps[-1]
    return torch.searchsorted(steps, points, right=True).clamp(max=count - 1)


def in_batches(rows: Tensors, order: Tensor, batch_size: int) -> Iterator[Tensors]:
    """The rows in that order, a batch at a time; gathered many batches at a time, which costs less."""
    for several in order.to(rows.labels.device).split(batch_size * GATHERED_BATCHES):
        gathered = rows.take(several)
        for start in range(0, len(several), batch_size):
            yield gathered.take(slice(start, start + batch_size))


def slices(rows: Tensors, batch_size: int) -> Iterator[Tensors]:
    """All rows as they stand, a batch at a time."""
    return (rows.take(slice(start, start + batch_size)) for start in range(0, len(rows.labels), batch_size))
