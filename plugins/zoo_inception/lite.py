"""LITE (Ismail-Fawaz et al. 2023, DSAA) and its form for several channels, LITEMV (arXiv:2409.02869)."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.layers import MaskedBatchNorm1d, keep_valid, masked_mean, valid_mask
from zoo_inception.checks import check
from zoo_inception.filters import hand_crafted
from zoo_inception.same import SameConv1d, same_padding


class LITE(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    Parallel convolutions of three lengths and hand-crafted filters; two depthwise-separable convolutions with dilations
    2 and 4; batch normalisation and ReLU after each of these three layers; the mean over time; a linear layer. Several
    channels are handled as in LITEMV: the first convolutions are depthwise-separable too, and the hand-crafted filters
    are applied to each channel separately. The defaults have the published size. The paper's LITETime averages the
    probabilities of five such networks: the preset `paper`.

    filters      of each learned convolution
    kernel_size  of the longest convolution of the first layer; the others of the first layer have half and a quarter of
                 it, the second layer has half, the third a quarter

    Raises ModelError for filters below 1 and for a kernel size too small to be halved twice.
    """

    def __init__(
        self, *, n_channels: int, n_times: int, n_classes: int, filters: int = 32, kernel_size: int = 40
    ) -> None:
        super().__init__()
        check("lite", filters=filters, kernel_size=kernel_size)
        half, quarter = kernel_size // 2, kernel_size // 4
        first = SameConv1d if n_channels == 1 else SeparableConv1d
        self.convolutions = nn.ModuleList(first(n_channels, filters, size) for size in (kernel_size, half, quarter))
        self.fixed = FixedFilters()
        width = 3 * filters + n_channels * self.fixed.count
        self.norm = MaskedBatchNorm1d(width)
        self.separable = nn.ModuleList(
            [SeparableConv1d(width, filters, half, dilation=2), SeparableConv1d(filters, filters, quarter, dilation=4)]
        )
        self.norms = nn.ModuleList(MaskedBatchNorm1d(filters) for _ in self.separable)
        self.head = nn.Linear(filters, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        x = keep_valid(x, mask)
        branches = [*(convolution(x) for convolution in self.convolutions), self.fixed(x)]
        x = torch.relu(self.norm(torch.cat(branches, 1), mask))
        for convolution, norm in zip(self.separable, self.norms, strict=True):
            x = torch.relu(norm(convolution(x), mask))
        return cast(Tensor, self.head(masked_mean(x, mask)))


class SeparableConv1d(nn.Sequential):
    """A convolution within each channel, then a 1x1 convolution across channels; no bias, and times stay the same."""

    def __init__(self, n_in: int, n_out: int, kernel_size: int, *, dilation: int = 1) -> None:
        super().__init__(DepthwiseConv1d(n_in, kernel_size, dilation), nn.Conv1d(n_in, n_out, 1, bias=False))


class DepthwiseConv1d(nn.Conv2d):
    """A dilated convolution within each channel of `(batch, channels, times)`; no bias, and times stay the same.

    The series is folded into rows as long as the dilation, so the samples that a filter reads are in one column. The
    operation is then a 2-D convolution without dilation and with a kernel one column wide. On a CPU it trains more than
    twice as fast.
    """

    def __init__(self, channels: int, kernel_size: int, dilation: int) -> None:
        super().__init__(channels, channels, (kernel_size, 1), groups=channels, bias=False)
        self.row = dilation
        self.zeros = same_padding(kernel_size, dilation)

    def forward(self, input: Tensor) -> Tensor:
        times = input.shape[2]
        before, after = self.zeros
        picture = functional.pad(input, (before, after + -times % self.row)).unflatten(2, (-1, self.row))
        return super().forward(picture).flatten(2)[..., :times]


class FixedFilters(nn.Module):
    """ReLU of the hand-crafted filters on each channel: `(batch, n, times)` to `(batch, count x n, times)`.

    The filters are not learned: they are a buffer, not parameters.
    """

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", hand_crafted())

    @property
    def count(self) -> int:
        return len(self.filters)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, times = x.shape
        padded = functional.pad(x, same_padding(self.filters.shape[2]))
        found = functional.conv1d(padded.reshape(batch * channels, 1, -1), self.filters)
        return torch.relu(found).reshape(batch, channels * self.count, times)
