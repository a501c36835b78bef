"""The ConvNeXt block (Liu et al. 2022, arXiv:2201.03545, figure 4 and section 2)."""

import torch
from torch import Tensor, nn

from zoo import ModelError
from zoo.layers import keep_valid
from zoo_blocks.checks import odd_kernel


class ConvNeXtBlock(nn.Module):
    """x + scale * MLP(LayerNorm(depthwise convolution of x)).

    LayerNorm and MLP act on the channels of one position. The MLP has `expansion` times as many hidden units as there
    are channels, and GELU. `layer_scale` is the initial value of the learned scale of each channel (Touvron et al.
    2021, arXiv:2103.17239). It is so small that a new block returns almost its input. Raises ModelError for an even
    kernel size or an expansion below 1.
    """

    def __init__(
        self, channels: int, *, dims: int, kernel_size: int = 7, expansion: int = 4, layer_scale: float = 1e-6
    ) -> None:
        super().__init__()
        odd_kernel("convnext", kernel_size)
        if expansion < 1:
            raise ModelError(f"convnext's expansion must be at least 1, not {expansion!r}: the paper uses 4")
        conv = {1: nn.Conv1d, 2: nn.Conv2d}[dims]
        self.depthwise = conv(channels, channels, kernel_size, padding=kernel_size // 2, groups=channels)
        self.pointwise = nn.Sequential(
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, expansion * channels),
            nn.GELU(),
            nn.Linear(expansion * channels, channels),
        )
        self.scale = nn.Parameter(torch.full((channels,), layer_scale))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        mixed: Tensor = self.depthwise(keep_valid(x, mask))
        change: Tensor = self.scale * self.pointwise(mixed.movedim(1, -1))
        return x + change.movedim(-1, 1)
