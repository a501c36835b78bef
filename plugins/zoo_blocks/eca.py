"""Efficient channel attention (Wang et al. 2020, arXiv:1910.03151)."""

from math import log2

from torch import Tensor, nn

from zoo.layers import keep_valid, masked_mean
from zoo_blocks.checks import odd_kernel


class ECABlock(nn.Module):
    """Scales each channel by a gate in (0, 1), computed from the means of this channel and its neighbours.

    The gate is the sigmoid of one convolution along the channels, without bias. The block has `kernel_size` weights in
    total. With kernel_size 0, the size follows from the number of channels (see `adaptive_size`). Raises ModelError
    for any other even kernel size.
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
    """Return the odd number nearest to (log2(channels) + b) / gamma; of two equally near, the larger (section 3.2)."""
    size = int(abs(log2(channels) + b) / gamma)
    return size if size % 2 else size + 1
