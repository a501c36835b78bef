"""Efficient channel attention (Wang et al. 2020, arXiv:1910.03151)."""

from math import log2

from torch import Tensor, nn

from zoo.layers import keep_valid, masked_mean
from zoo_blocks.checks import odd_kernel


class ECABlock(nn.Module):
    """Scales each channel by a gate in (0, 1), computed from the means of the channels beside it.

    The gate is the sigmoid of one convolution along the channels, without bias: `kernel_size` weights in all.
    kernel_size 0 takes the size from the number of channels, see `adaptive_size`. Raises ModelError for an
    even one.
    """

    def __init__(self, channels: int, *, dims: int, kernel_size: int = 0) -> None:
        super().__init__()
        size = odd_kernel("eca", kernel_size) if kernel_size else adaptive_size(channels)
        self.convolution = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)
        self.dims = dims

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = keep_valid(x, mask)
        gate: Tensor = self.convolution(masked_mean(x, mask)[:, None])[:, 0].sigmoid()
        return x * gate.reshape(*gate.shape, *[1] * self.dims)


def adaptive_size(channels: int, gamma: float = 2, b: float = 1) -> int:
    """The odd number nearest to (log2(channels) + b) / gamma, the larger of two (section 3.2 of the paper)."""
    size = int(abs(log2(channels) + b) / gamma)
    return size if size % 2 else size + 1
