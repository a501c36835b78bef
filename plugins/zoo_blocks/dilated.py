"""The dilated residual block (dilated convolutions: Yu and Koltun 2016, arXiv:1511.07122)."""

from typing import cast

from torch import Tensor, nn

from zoo import ModelError
from zoo.layers import Layers, batch_norm, convolution


class DilatedBlock(nn.Module):
    """x + branch(x). The branch is (dilated convolution, ReLU, batch normalisation) twice.

    The second convolution has twice the dilation of the first. With kernel size 3 and dilation d, an output depends on
    6 d + 1 samples along each dimension. Two convolutions without dilation have the same cost and reach 5 samples.
    Raises ModelError for a dilation below 1.
    """

    def __init__(self, channels: int, *, dims: int, dilation: int = 2) -> None:
        super().__init__()
        if dilation < 1:
            raise ModelError(f"dilated's dilation must be at least 1, not {dilation!r}: 1 is a plain convolution")
        layers: list[nn.Module] = []
        for distance in (dilation, 2 * dilation):
            layers += [
                convolution(dims, channels, channels, dilation=distance),
                nn.ReLU(),
                batch_norm(dims, channels),
            ]
        self.branch = Layers(layers)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x + cast(Tensor, self.branch(x, mask))
