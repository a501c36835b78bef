"""What the fitted baselines share: the batches they are fitted to, and features computed a few rows at a time."""

from collections.abc import Iterator
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from zoo.layers import full_precision
from zoo_rocket.ridge import RidgeHead

# Elements of one intermediate tensor: on a CPU it stays in the cache, elsewhere it is only kept from growing with
# the length of the series.
CPU_ELEMENTS, ELEMENTS = 2**19, 2**25


class Batch(Protocol):
    """Rows on the module's device: values float32 `(batch, channels, times)`, labels int64 `(batch,)`."""

    values: Tensor
    labels: Tensor


class Pass(Protocol):
    """Rows, a batch at a time; it can be gone through again."""

    def __iter__(self) -> Iterator[Batch]: ...


class Batches(Pass, Protocol):
    """The training rows, each pass in a new random order; `rows` of them, with the validation rows beside them."""

    rows: int
    validation: Pass


class FittedClassifier(nn.Module):
    """Fixed features of float `(batch, channels, times)`, then a ridge head: logits `(batch, n_classes)`.

    Nothing in it has a gradient: it is fitted (`fit`), not trained. Before that all logits are zero. Features are
    float32 whatever autocast says, because they compare convolutions with thresholds that were found in float32.

    width  how many elements the largest intermediate tensor of one row has
    """

    def __init__(self, head: RidgeHead, *, width: int) -> None:
        super().__init__()
        self.head = head
        self.width = width

    def transform(self, x: Tensor) -> Tensor:
        """The features of a few rows, float32 `(rows, features)`."""
        raise NotImplementedError

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """The features of all rows, float32 `(batch, features)`."""
        rows = max(1, (CPU_ELEMENTS if x.device.type == "cpu" else ELEMENTS) // self.width)
        with full_precision(x.device):
            return torch.cat([self.transform(part) for part in x.float().split(rows)])

    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x.device):
            return cast(Tensor, self.head(self.features(x)))


def random_rows(batches: Pass, count: int) -> Tensor:
    """`count` random training rows, or all where there are fewer; as an order is random, its beginning is a sample."""
    taken: list[Tensor] = []
    for batch in batches:
        taken.append(batch.values)
        if sum(map(len, taken)) >= count:
            break
    return torch.cat(taken)[:count]
