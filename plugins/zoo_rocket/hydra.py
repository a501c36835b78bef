"""Hydra (Dempster, Schmidt and Webb 2023, DMKD, arXiv:2203.13652) in torch."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ModelError
from zoo_rocket.fitted import Batches, FittedClassifier, Pass
from zoo_rocket.kernels import LENGTH, padding_of
from zoo_rocket.ridge import Features, RidgeHead, exact

MOST_CHANNELS = 8  # the most channels that one group sums, as in the authors' multivariate code


class Hydra(FittedClassifier):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 9, to logits `(batch, n_classes)`.

    At each time, the kernels of a group compete. The largest output is added to the sum of its kernel; the kernel with
    the smallest output adds one to its count. Half of the groups read the series, the other half its first difference,
    at each dilation 1, 2, 4, …. Sums and counts are scaled like sparse features and go to a ridge head. The kernels
    are drawn from the global random state. The defaults are small: the preset `paper` has the published size.

    groups    groups at each dilation, an even number
    kernels   kernels of one group; there are dilations x groups x kernels x 2 features
    balanced  all classes have the same weight in the head
    """

    weight: Tensor

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        groups: int = 16,
        kernels: int = 8,
        balanced: bool = False,
    ) -> None:
        if groups < 2 or groups % 2 or kernels < 2:
            sizes = f"groups={groups}, kernels={kernels}"
            raise ModelError(f"groups must be even and at least 2, kernels at least 2, not {sizes}")
        n_dilations = 1 + int(math.log2((n_times - 1) / (LENGTH - 1)))
        n_features = n_dilations * groups * kernels * 2
        head = RidgeHead(n_features, n_classes, standardise=False, balanced=balanced)
        super().__init__(head, width=groups // 2 * kernels * n_times)
        self.kernels = kernels
        self.register_buffer("weight", draw_kernels(n_dilations, groups // 2, kernels, n_channels))
        self.scaler = SparseScaler(n_features)

    def transform(self, x: Tensor) -> Tensor:
        parts = []
        for number, weights in enumerate(self.weight):
            dilation = 2**number
            for series, weight in zip((x, x.diff(dim=2)), weights, strict=True):
                outputs = functional.conv1d(series, weight, padding=padding_of(dilation), dilation=dilation)
                parts.append(compete(outputs.unflatten(1, (-1, self.kernels))))
        return torch.cat(parts, 1)

    def features(self, x: Tensor) -> Tensor:
        scaled: Tensor = self.scaler(super().features(x))
        return scaled

    @torch.no_grad()
    def fit(self, batches: Batches, *, generator: torch.Generator) -> None:
        """Fit the scaler in one pass over the training rows and the head in another; `generator` is not used."""
        self.scaler.fit(super().features, batches)
        self.head.fit(self.features, batches)


class SparseScaler(nn.Module):
    """Square roots of counts `(batch, features)`, standardised; zeros stay zero.

    The fourth power of the share of zeros is added to the standard deviation, so that a feature that is zero in all
    rows but one does not become large. This is the authors' scaler for these features.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))

    def forward(self, counts: Tensor) -> Tensor:
        roots = counts.clamp(min=0).sqrt()
        return (roots - self.mean) * (roots != 0) / self.scale

    def fit(self, counts: Features, batches: Pass) -> None:
        """Compute mean and standard deviation (divisor: rows - 1) of the roots, and the share of zeros, in float64."""
        sums, rows = torch.zeros(()), 0
        for batch in batches:
            roots = counts(batch.values).clamp(min=0).sqrt().to(exact(self.mean.device)).double()
            sums = sums.to(roots) + torch.stack([roots.sum(0), roots.square().sum(0), (roots == 0).double().sum(0)])
            rows += len(roots)
        mean, square, zeros = sums / rows
        self.mean.copy_(mean)
        variance = (square - mean**2).clamp(min=0) * rows / max(rows - 1, 1)
        self.scale.copy_(variance.sqrt() + zeros**4 + 1e-8)


def draw_kernels(n_dilations: int, groups: int, kernels: int, n_channels: int) -> Tensor:
    """Return random weights `(n_dilations, 2, groups * kernels, n_channels, 9)` with mean 0 and absolute sum 1.

    All kernels of a group sum the same random half of the channels: at most eight, and at least two if there are two.
    """
    weight = torch.randn(n_dilations, 2, groups, kernels, 1, LENGTH)
    weight = weight - weight.mean(-1, keepdim=True)
    weight = weight / weight.abs().sum(-1, keepdim=True)
    summed = min(n_channels, MOST_CHANNELS, max(2, n_channels // 2))
    chosen = torch.rand(n_dilations, 2, groups, 1, n_channels, 1).argsort(4).argsort(4) < summed
    return (weight * chosen).flatten(2, 3)


def compete(outputs: Tensor) -> Tensor:
    """Return the sum of the largest outputs and the count of the smallest outputs of each kernel.

    `outputs` is `(batch, groups, kernels, times)`, the result `(batch, 2 * groups * kernels)`. Among equal outputs the
    first kernel counts.
    """
    largest, smallest = outputs.amax(2), outputs.amin(2)
    ones = torch.ones_like(smallest)
    return torch.stack([*shares(outputs, largest, largest), *shares(outputs, smallest, ones)], 2).flatten(1)


def shares(outputs: Tensor, extreme: Tensor, worth: Tensor) -> list[Tensor]:
    """Return the sum of `worth` `(batch, groups, times)` for each kernel, over the times at which it has the extreme.

    If several kernels have the extreme, the first one counts. On a CPU this code is four times as fast as `max` with
    indices; on a GPU it adds in a fixed order.
    """
    free, hit = torch.ones_like(extreme), torch.empty_like(extreme)
    sums = []
    for output in outputs.unbind(2):
        torch.eq(output, extreme, out=hit).mul_(free)
        free -= hit
        sums.append((hit * worth).sum(2))
    return sums
