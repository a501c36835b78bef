"""The SE-ResNet module (Hu, Shen and Sun 2018, arXiv:1709.01507, figure 3) with the residual branch of `resnet`."""

from typing import cast

from torch import Tensor, nn

from zoo.layers import Layers
from zoo_blocks.resnet import ResNetBlock
from zoo_blocks.se import SEBlock


class SEResNetBlock(nn.Module):
    """x + se(branch(x)): squeeze-and-excitation scales the residual branch, before the sum.

    The branch is that of `resnet`, and as there, no activation follows the sum. In contrast, `resnet+se` scales the
    sum. Raises ModelError for an even kernel size or a reduction below 1.
    """

    def __init__(self, channels: int, *, dims: int, kernel_size: int = 3, reduction: int = 16) -> None:
        super().__init__()
        residual = ResNetBlock(channels, dims=dims, kernel_size=kernel_size).branch
        self.branch = Layers([*residual, SEBlock(channels, dims=dims, reduction=reduction)])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x + cast(Tensor, self.branch(x, mask))
