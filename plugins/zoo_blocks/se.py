"""The squeeze-and-excitation block (Hu, Shen and Sun 2018, arXiv:1709.01507, section 3)."""

from torch import Tensor, nn

from zoo.layers import masked_mean


class SEBlock(nn.Module):
    """Scales each channel by a gate in (0, 1), computed from the mean of every channel.

    The gate is sigmoid(W2 relu(W1 mean)); W1 leads to channels / reduction units, at least one.
    """

    def __init__(self, channels: int, *, dims: int, reduction: int = 16) -> None:
        super().__init__()
        squeezed = max(1, channels // reduction)
        self.gate = nn.Sequential(nn.Linear(channels, squeezed), nn.ReLU(), nn.Linear(squeezed, channels), nn.Sigmoid())
        self.dims = dims

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        gate: Tensor = self.gate(masked_mean(x, mask))
        return x * gate.reshape(*gate.shape, *[1] * self.dims)
