"""The bottleneck block (He et al. 2016, arXiv:1512.03385, figure 5, right)."""

from typing import cast

from torch import Tensor, nn

from zoo.layers import Layers, batch_norm, convolution
from zoo_blocks.checks import odd_kernel, squeezed


class BottleneckBlock(nn.Module):
    """x + branch(x). The branch reduces the channels, convolves, and restores the channels.

    The branch has a convolution of size 1 to channels / reduction channels (at least one), a convolution of size
    `kernel_size`, and a convolution of size 1 back to all channels. Batch normalisation follows each, and ReLU the
    first two. As in `resnet`, and unlike in the paper, no activation follows the sum. A block can therefore be used
    anywhere in a network, also where negative values are meaningful. Raises ModelError for an even kernel size or a
    reduction below 1.
    """

    def __init__(self, channels: int, *, dims: int, kernel_size: int = 3, reduction: int = 4) -> None:
        super().__init__()
        odd_kernel("bottleneck", kernel_size)
        narrow = squeezed("bottleneck", channels, reduction)
        layers: list[nn.Module] = []
        for n_in, n_out, size in ((channels, narrow, 1), (narrow, narrow, kernel_size), (narrow, channels, 1)):
            layers += [convolution(dims, n_in, n_out, size), batch_norm(dims, n_out), nn.ReLU()]
        self.branch = Layers(layers[:-1])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x + cast(Tensor, self.branch(x, mask))
