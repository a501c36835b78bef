"""The squeeze-and-excitation block (Hu, Shen and Sun 2018, arXiv:1709.01507, section 3)."""

from torch import Tensor, nn

from zoo.layers import keep_valid, masked_mean
from zoo_blocks.checks import squeezed


class SEBlock(nn.Module):
    """Scales each channel by a gate in (0, 1), computed from the means of all channels.

    The gate is sigmoid(W2 relu(W1 mean)). W1 has channels / reduction outputs, at least one. Raises ModelError for a
    reduction below 1.
    """

    def __init__(self, channels: int, *, dims: int, reduction: int = 16) -> None:
        super().__init__()
        units = squeezed("se", channels, reduction)
        self.gate = nn.Sequential(nn.Linear(channels, units), nn.ReLU(), nn.Linear(units, channels), nn.Sigmoid())
        self.dims = dims

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = keep_valid(x, mask)
        gate: Tensor = self.gate(masked_mean(x, mask))
        return x * gate.reshape(*gate.shape, *[1] * self.dims)
