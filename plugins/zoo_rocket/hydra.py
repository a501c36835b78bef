"""Hydra (Dempster, Schmidt and Webb 2023, DMKD, arXiv:2203.13652) in torch."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ModelError
from zoo_rocket.fitted import Batches, FittedClassifier, Pass
from zoo_rocket.kernels import LENGTH, padding_of
from zoo_rocket.ridge import Features, RidgeHead, exact

MOST_CHANNELS = 8  # that one group sums, as in the authors' multivariate code


class Hydra(FittedClassifier):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 9, to logits `(batch, n_classes)`.

    At each time the kernels of a group compete: the one with the largest output wins that output, the one with the
    smallest is counted. Half of the groups see the series, half its first difference, at each dilation 1, 2, 4, …;
    sums and counts, scaled as sparse features are, go to a ridge head. Kernels are drawn from the global random state.

    groups    groups at each dilation, an even number
    kernels   kernels of one group; there are dilations x groups x kernels x 2 features
    balanced  all classes weigh the same in the head
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
            raise ModelError(f"groups is even and kernels at least 2, so not groups={groups}, kernels={kernels}")
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
        """Scale the features in one pass over the training rows and solve the head in another; nothing is drawn."""
        self.scaler.fit(super().features, batches)
        self.head.fit(self.features, batches)


class SparseScaler(nn.Module):
    """Roots of counts `(batch, features)`, standardised where they are not zero, and zero where they are.

    The deviation has the share of zeros to the fourth power added, so that what a single row has does not become
    large: the authors' scaler for these features.
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
        """Mean, deviation and share of zeros of the roots, from sums in float64."""
        sums, rows = torch.zeros(()), 0
        for batch in batches:
            roots = counts(batch.values).clamp(min=0).sqrt().to(exact(self.mean.device)).double()
            sums = sums.to(roots) + torch.stack([roots.sum(0), roots.square().sum(0), (roots == 0).double().sum(0)])
            rows += len(roots)
        mean, square, zeros = sums / rows
        self.mean.copy_(mean)
        self.scale.copy_((square - mean**2).clamp(min=0).sqrt() + zeros**4 + 1e-8)


def draw_kernels(n_dilations: int, groups: int, kernels: int, n_channels: int) -> Tensor:
    """Random weights `(n_dilations, 2, groups * kernels, n_channels, 9)` of mean 0 and absolute sum 1.

    All kernels of a group sum the same random half of the channels, at least two where there are two and at most
    eight.
    """
    weight = torch.randn(n_dilations, 2, groups, kernels, 1, LENGTH)
    weight = weight - weight.mean(-1, keepdim=True)
    weight = weight / weight.abs().sum(-1, keepdim=True)
    summed = min(n_channels, MOST_CHANNELS, max(2, n_channels // 2))
    chosen = torch.rand(n_dilations, 2, groups, 1, n_channels, 1).argsort(4).argsort(4) < summed
    return (weight * chosen).flatten(2, 3)


def compete(outputs: Tensor) -> Tensor:
    """Of outputs `(batch, groups, kernels, times)`, what each kernel won and how often it was the smallest.

    `(batch, 2 * groups * kernels)`; of equal kernels the first one counts.
    """
    largest, smallest = outputs.amax(2), outputs.amin(2)
    ones = torch.ones_like(smallest)
    return torch.stack([*shares(outputs, largest, largest), *shares(outputs, smallest, ones)], 2).flatten(1)


def shares(outputs: Tensor, extreme: Tensor, worth: Tensor) -> list[Tensor]:
    """For each kernel, the sum of `worth` `(batch, groups, times)` over the times at which it has the extreme first.

    Written so that it is four times as fast as `max` with its indices on a CPU, and adds in a fixed order on a GPU.
    """
    free, hit = torch.ones_like(extreme), torch.empty_like(extreme)
    sums = []
    for output in outputs.unbind(2):
        torch.eq(output, extreme, out=hit).mul_(free)
        free -= hit
        sums.append((hit * worth).sum(2))
    return sums
