"""MiniRocket (Dempster, Schmidt and Webb 2021, KDD, arXiv:2012.08791) in torch."""

import torch
from torch import Tensor

from zoo.errors import ModelError
from zoo_rocket.fitted import Batches, FittedClassifier, random_rows
from zoo_rocket.kernels import N_KERNELS, MiniRocketKernels
from zoo_rocket.ridge import RidgeHead


class MiniRocket(FittedClassifier):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 9, to logits `(batch, n_classes)`.

    A feature is the share of a convolution's output above a bias. There are 84 kernels with two different weights, at a
    few dilations. The biases are quantiles of outputs for training rows. A ridge head follows. The defaults are small:
    the preset `paper` has the published size.

    num_features   rounded down to a multiple of 84
    max_dilations  the most dilations of one kernel
    balanced       all classes have the same weight in the head
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        num_features: int = 1_008,
        max_dilations: int = 32,
        balanced: bool = False,
    ) -> None:
        per_kernel = num_features // N_KERNELS
        if per_kernel < 1 or max_dilations < 1:
            raise ModelError(f"num_features must be at least {N_KERNELS} and max_dilations at least 1")
        head = RidgeHead(per_kernel * N_KERNELS, n_classes, balanced=balanced)
        super().__init__(head, width=N_KERNELS // 2 * n_times)
        self.kernels = MiniRocketKernels(
            n_channels=n_channels, n_times=n_times, per_kernel=per_kernel, max_dilations=max_dilations
        )

    def transform(self, x: Tensor) -> Tensor:
        return torch.cat([proportions_above(outputs, bias) for outputs, bias in self.kernels(x)], 1)

    @torch.no_grad()
    def fit(self, batches: Batches, *, generator: torch.Generator) -> None:
        """Draw the biases from a sample of the training rows, then solve the head in one pass over all of them."""
        self.kernels.fit(random_rows(batches, N_KERNELS * len(self.kernels.dilations)), generator)
        self.head.fit(self.features, batches)


def proportions_above(outputs: Tensor, bias: Tensor) -> Tensor:
    """Return the share of outputs `(batch, kernels, times)` above each bias: `(batch, kernels * biases)`."""
    above = torch.empty_like(outputs)  # one buffer for all biases: storing comparisons as floats is the fastest way
    columns = [torch.gt(outputs, column[:, None], out=above).mean(2) for column in bias.unbind(1)]
    return torch.stack(columns, 2).flatten(1)
