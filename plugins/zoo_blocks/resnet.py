"""The residual block (He et al. 2016, arXiv:1512.03385), as used in the study of five-class heartbeats."""

from typing import cast

from torch import Tensor, nn

from zoo.layers import Layers, batch_norm, convolution
from zoo_blocks.checks import odd_kernel


class ResNetBlock(nn.Module):
    """x + branch(x), without an activation after the sum. The branch has two convolutions.

    In one dimension the branch is (convolution, ReLU, batch normalisation) twice. In two dimensions it is convolution,
    batch normalisation, ReLU, convolution, batch normalisation. Raises ModelError for an even kernel size.
    """

    def __init__(self, channels: int, *, dims: int, kernel_size: int = 3) -> None:
        super().__init__()
        odd_kernel("resnet", kernel_size)
        conv = [convolution(dims, channels, channels, kernel_size) for _ in range(2)]
        norm = [batch_norm(dims, channels) for _ in range(2)]
        if dims == 1:
            self.branch = Layers([conv[0], nn.ReLU(), norm[0], conv[1], nn.ReLU(), norm[1]])
        else:
            self.branch = Layers([conv[0], norm[0], nn.ReLU(), conv[1], norm[1]])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x + cast(Tensor, self.branch(x, mask))
