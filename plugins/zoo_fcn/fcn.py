"""The fully convolutional network of Wang, Yan and Oates 2017 (arXiv:1611.06455, section II-B)."""

from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from zoo import ModelError
from zoo.layers import BlockFactory, Layers, masked_mean, valid_mask
from zoo_fcn.convolution import KERNEL_SIZES, normalised


class FCN(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    Three convolutions of 8, 5 and 3 samples to `filters`, 2 x `filters` and `filters` channels, each with batch
    normalisation, ReLU and a block; the mean over the valid times; one linear layer. The defaults are small: the
    preset `paper` has the published size. Raises ModelError for filters below 1.
    """

    def __init__(
        self, *, n_channels: int, n_times: int, n_classes: int, block: BlockFactory, filters: int = 32
    ) -> None:
        super().__init__()
        if filters < 1:
            raise ModelError(f"fcn's filters must be at least 1, not {filters!r}: the paper has 128")
        widths = [n_channels, filters, 2 * filters, filters]
        layers: list[nn.Module] = []
        for (n_in, n_out), kernel_size in zip(pairwise(widths), KERNEL_SIZES, strict=True):
            layers += [*normalised(n_in, n_out, kernel_size), nn.ReLU(), block(n_out)]
        self.convolutions = Layers(layers)
        self.head = nn.Linear(filters, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        return cast(Tensor, self.head(masked_mean(self.convolutions(x, mask), mask)))
