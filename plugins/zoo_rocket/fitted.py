"""The base of the fitted baselines: the batches they are fitted to, and features computed a few rows at a time."""

from collections.abc import Iterator
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from zoo.layers import full_precision
from zoo_rocket.ridge import RidgeHead

# The maximum number of elements of one intermediate tensor. On a CPU the tensor then stays in the cache. On other
# devices the limit only keeps memory from growing with the length of the series.
CPU_ELEMENTS, ELEMENTS = 2**19, 2**25


class Batch(Protocol):
    """Rows on the module's device: values float32 `(batch, channels, times)`, labels int64 `(batch,)`."""

    values: Tensor
    labels: Tensor


class Pass(Protocol):
    """Rows in batches; it can be iterated several times. Its length is the number of batches."""

    def __iter__(self) -> Iterator[Batch]: ...
    def __len__(self) -> int: ...


class Batches(Pass, Protocol):
    """The training rows, in a new random order in each pass: the form of `zoo.training.fitting.Batches`.

    rows        their number
    validation  the validation rows; without batches if there are none
    monitor     the name of the score that chooses
    """

    rows: int
    monitor: str

    @property
    def validation(self) -> Pass: ...
    def score(self, logits: Tensor, labels: Tensor) -> float: ...
    def held_out(self, logits: Tensor, labels: Tensor) -> None: ...
    def note(self, text: str) -> None: ...


class FittedClassifier(nn.Module):
    """Fixed features of float `(batch, channels, times)`, then a ridge head: logits `(batch, n_classes)`.

    The network has no gradients: it is fitted (`fit`), not trained. Before `fit`, all logits are zero. Features are
    float32 also under autocast, because they compare convolutions with thresholds computed in float32.

    width  number of elements of the largest intermediate tensor of one row
    """

    def __init__(self, head: RidgeHead, *, width: int) -> None:
        super().__init__()
        self.head = head
        self.width = width

    def transform(self, x: Tensor) -> Tensor:
        """Return the features of a few rows, float32 `(rows, features)`."""
        raise NotImplementedError

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Return the features of all rows, float32 `(batch, features)`."""
        rows = max(1, (CPU_ELEMENTS if x.device.type == "cpu" else ELEMENTS) // self.width)
        with full_precision(x.device):
            return torch.cat([self.transform(part) for part in x.float().split(rows)])

    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x.device):
            return cast(Tensor, self.head(self.features(x)))


def random_rows(batches: Pass, count: int) -> Tensor:
    """Return `count` random training rows, or all if there are fewer: the first ones of a pass in random order."""
    taken: list[Tensor] = []
    for batch in batches:
        taken.append(batch.values)
        if sum(map(len, taken)) >= count:
            break
    return torch.cat(taken)[:count]
