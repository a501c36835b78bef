"""The network of InceptionTime (Ismail Fawaz et al. 2020, arXiv:1909.04939)."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ModelError
from zoo.layers import BlockFactory, MaskedBatchNorm1d, keep_valid, masked_mean, valid_mask
from zoo_inception.checks import check
from zoo_inception.same import SameConv1d

MODULES_PER_SHORTCUT = 3


class InceptionTime(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    `depth` inception modules, each followed by a block; a shortcut around every three modules; the mean over time; a
    linear layer. The defaults are small: the preset `network` has the published size. The paper's InceptionTime
    averages the probabilities of five such networks: the preset `paper`.

    filters      of each of the four branches of a module
    kernel_size  of the longest convolution of a module; the other two have half and a quarter of it
    bottleneck   channels before these convolutions, if the module's input has more than one; 0: no bottleneck
    residual     whether there are shortcuts

    Raises ModelError for values below 1 and for a kernel size too small to be halved twice.
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        block: BlockFactory,
        filters: int = 8,
        depth: int = 3,
        kernel_size: int = 40,
        bottleneck: int = 8,
        residual: bool = True,
    ) -> None:
        super().__init__()
        check("inceptiontime", filters=filters, depth=depth, kernel_size=kernel_size)
        if bottleneck < 0:
            raise ModelError(f"inceptiontime: bottleneck must be at least 1, or 0 for none, not {bottleneck!r}")
        width = 4 * filters
        widths = [n_channels, *[width] * (depth - 1)]
        self.inception = nn.ModuleList(InceptionModule(n_in, filters, kernel_size, bottleneck) for n_in in widths)
        self.blocks = nn.ModuleList(block(width) for _ in range(depth))
        sources = widths[::MODULES_PER_SHORTCUT][: depth // MODULES_PER_SHORTCUT] if residual else []
        self.shortcuts = nn.ModuleList(Shortcut(n_in, width) for n_in in sources)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        x = source = keep_valid(x, mask)
        for number, (module, block) in enumerate(zip(self.inception, self.blocks, strict=True), start=1):
            x = block(module(x, mask), mask)
            group, within = divmod(number, MODULES_PER_SHORTCUT)
            if within == 0 and group <= len(self.shortcuts):
                x = source = self.shortcuts[group - 1](source, x, mask)
        return cast(Tensor, self.head(masked_mean(x, mask)))


class InceptionModule(nn.Module):
    """Parallel convolutions of three lengths and a max pooling: `(batch, n_in, times)` to 4 x filters channels.

    The pooling reads the input of the module, and the convolutions read a bottleneck of it. Batch normalisation and
    ReLU follow. With a mask, the output is zero where the mask is false.
    """

    def __init__(self, n_in: int, filters: int, kernel_size: int, bottleneck: int) -> None:
        super().__init__()
        narrowed = bottleneck > 0 and n_in > 1
        self.bottleneck = nn.Conv1d(n_in, bottleneck, 1, bias=False) if narrowed else nn.Identity()
        sizes = (kernel_size, kernel_size // 2, kernel_size // 4)
        width = bottleneck if narrowed else n_in
        self.convolutions = nn.ModuleList(SameConv1d(width, filters, size) for size in sizes)
        self.after_pooling = nn.Conv1d(n_in, filters, 1, bias=False)
        self.norm = MaskedBatchNorm1d(4 * filters)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = keep_valid(x, mask)
        narrow = self.bottleneck(x)
        branches = [convolution(narrow) for convolution in self.convolutions]
        branches.append(self.after_pooling(max_pool(x, mask)))
        return torch.relu(self.norm(torch.cat(branches, 1), mask))


class Shortcut(nn.Module):
    """ReLU(x + batch normalisation of a 1x1 convolution of the source)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(n_in, n_out, 1, bias=False)
        self.norm = MaskedBatchNorm1d(n_out)

    def forward(self, source: Tensor, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return torch.relu(x + cast(Tensor, self.norm(self.convolution(source), mask)))


def max_pool(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the maximum of each sample and its two neighbours, valid ones only; zero where the mask is false.

    The padding is set to minus infinity: zeros would be larger than negative samples at the end of a series.
    """
    if mask is not None:
        x = x.masked_fill(~mask, -torch.inf)
    return keep_valid(functional.max_pool1d(x, 3, stride=1, padding=1), mask)
