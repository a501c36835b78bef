"""MultiRocket (Tan, Dempster, Bergmeir and Webb 2022, DMKD, arXiv:2102.00457) in torch."""

import torch
from torch import Tensor

from zoo.errors import ModelError
from zoo_rocket.fitted import Batches, FittedClassifier, random_rows
from zoo_rocket.kernels import N_KERNELS, MiniRocketKernels
from zoo_rocket.ridge import RidgeHead

N_POOLS = 4


class MultiRocket(FittedClassifier):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 10, to logits `(batch, n_classes)`.

    MiniRocket's kernels read the series and its first difference. Each output and bias has four features. A ridge head
    follows. The defaults are small: the preset `paper` has the published size.

    num_features   rounded down to a multiple of 672 = 84 kernels x 4 features x 2 series
    max_dilations  the most dilations of one kernel
    balanced       all classes have the same weight in the head
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        num_features: int = 2_016,
        max_dilations: int = 32,
        balanced: bool = False,
    ) -> None:
        step = 2 * N_POOLS * N_KERNELS
        per_kernel = num_features // step
        if per_kernel < 1 or max_dilations < 1:
            raise ModelError(f"num_features must be at least {step} and max_dilations at least 1")
        head = RidgeHead(per_kernel * step, n_classes, balanced=balanced)
        super().__init__(head, width=4 * N_KERNELS // 2 * n_times)  # 4: `pooled` has 8-byte indices and other tensors
        self.series, self.difference = (
            MiniRocketKernels(n_channels=n_channels, n_times=times, per_kernel=per_kernel, max_dilations=max_dilations)
            for times in (n_times, n_times - 1)
        )

    def transform(self, x: Tensor) -> Tensor:
        outputs = [*self.series(x), *self.difference(x.diff(dim=2))]
        return torch.cat([pooled(found, column) for found, bias in outputs for column in bias.unbind(1)], 1)

    @torch.no_grad()
    def fit(self, batches: Batches, *, generator: torch.Generator) -> None:
        """Draw the biases from a sample of the training rows, then solve the head in one pass over all of them."""
        rows = random_rows(batches, N_KERNELS * len(self.series.dilations))
        self.series.fit(rows, generator)
        self.difference.fit(rows.diff(dim=2), generator)
        self.head.fit(self.features, batches)


def pooled(outputs: Tensor, bias: Tensor) -> Tensor:
    """Return four features of outputs `(batch, kernels, times)` minus the bias `(kernels,)`: `(batch, 4 * kernels)`.

    Section 3.2: the share of positive values, their mean, the mean of their positions (-1 if there are none), and the
    length of their longest run.
    """
    z = outputs - bias[:, None]
    positive = torch.gt(z, 0, out=torch.empty_like(z))
    positions = torch.arange(z.shape[2], device=z.device, dtype=z.dtype)
    count = positive.sum(2)
    some = count.clamp(min=1)
    position = torch.where(count > 0, (positive * positions).sum(2) / some, -1.0)
    stretch = longest_stretch(positive)
    return torch.cat([count / z.shape[2], z.relu_().sum(2) / some, position, stretch], 1)


def longest_stretch(positive: Tensor) -> Tensor:
    """Return the length of the longest run of ones in zeros and ones `(…, times)`."""
    times = torch.arange(1, positive.shape[-1] + 1, device=positive.device, dtype=positive.dtype)
    last_zero = (times - positive * times).cummax(-1).values
    return (times - last_zero).amax(-1)
