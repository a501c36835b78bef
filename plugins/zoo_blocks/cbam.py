"""The convolutional block attention module (Woo et al. 2018, arXiv:1807.06521, section 3)."""

from typing import cast

import torch
from torch import Tensor, nn

from zoo.layers import convolution, keep_valid, masked_mean
from zoo_blocks.checks import odd_kernel, squeezed


class CBAMBlock(nn.Module):
    """Scales the channels, then the positions, by gates in (0, 1).

    The gate of the channels is sigmoid(MLP(mean) + MLP(max)), with mean and max over the positions (equation 2). Both
    use the same MLP, which has channels / reduction hidden units, at least one. The gate of the positions is the
    sigmoid of a convolution over the mean and max of the channels (equation 3). Raises ModelError for an even kernel
    size or a reduction below 1.
    """

    def __init__(self, channels: int, *, dims: int, reduction: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        units = squeezed("cbam", channels, reduction)
        self.mlp = nn.Sequential(nn.Linear(channels, units), nn.ReLU(), nn.Linear(units, channels))
        self.convolution = convolution(dims, 2, 1, odd_kernel("cbam", kernel_size))
        self.dims = dims

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = keep_valid(x, mask)
        x = x * self._channel_gate(x, mask)  # zero beyond the mask, so mean and max over the channels are zero there
        pooled = torch.stack([x.mean(1), x.amax(1)], 1)
        return x * cast(Tensor, self.convolution(pooled)).sigmoid()

    def _channel_gate(self, x: Tensor, mask: Tensor | None) -> Tensor:
        gate: Tensor = (self.mlp(masked_mean(x, mask)) + self.mlp(masked_max(x, mask))).sigmoid()
        return gate.reshape(*gate.shape, *[1] * self.dims)


def masked_max(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the maximum of `(batch, channels, *positions)` over the valid positions: `(batch, channels)`."""
    valid = x if mask is None else x.masked_fill(~mask, -torch.inf)
    return valid.flatten(2).amax(2)
