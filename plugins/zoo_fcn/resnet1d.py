"""The residual network of Wang, Yan and Oates 2017 (arXiv:1611.06455, section II-C)."""

from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from zoo import ModelError
from zoo.layers import BlockFactory, Layers, MaskedBatchNorm1d, masked_mean, valid_mask
from zoo_fcn.convolution import KERNEL_SIZES, normalised


class ResNet1d(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    Three residual stages to `filters`, 2 x `filters` and 2 x `filters` channels, each followed by a block; the mean
    over the valid times; one linear layer. The defaults are small: the preset `paper` has the published size.

    The details follow Ismail Fawaz et al. 2019 (arXiv:1809.04356). The authors' own script differs: it also normalises
    the raw series before the first convolution, and its last shortcut has a convolution although the number of
    channels does not change. Raises ModelError for filters below 1.
    """

    def __init__(
        self, *, n_channels: int, n_times: int, n_classes: int, block: BlockFactory, filters: int = 16
    ) -> None:
        super().__init__()
        if filters < 1:
            raise ModelError(f"resnet1d's filters must be at least 1, not {filters!r}: the paper has 64")
        widths = [n_channels, filters, 2 * filters, 2 * filters]
        self.stages = Layers([layer for pair in pairwise(widths) for layer in (ResidualStage(*pair), block(pair[1]))])
        self.head = nn.Linear(2 * filters, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        return cast(Tensor, self.head(masked_mean(self.stages(x, mask), mask)))


class ResidualStage(nn.Module):
    """relu(branch(x) + shortcut(x)).

    The branch has three convolutions of 8, 5 and 3 samples, each with batch normalisation, and ReLU between them. The
    shortcut is batch normalisation. Where the number of channels changes, a convolution of one sample precedes it.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for source, kernel_size in zip((n_in, n_out, n_out), KERNEL_SIZES, strict=True):
            layers += [*normalised(source, n_out, kernel_size), nn.ReLU()]
        self.branch = Layers(layers[:-1])
        self.shortcut = Layers([MaskedBatchNorm1d(n_out)] if n_in == n_out else normalised(n_in, n_out, 1))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return (cast(Tensor, self.branch(x, mask)) + cast(Tensor, self.shortcut(x, mask))).relu()
