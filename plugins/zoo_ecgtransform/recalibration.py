"""The channel recalibration module: residual blocks of 1x1 convolutions with squeeze-and-excitation in the branch."""

from torch import Tensor, nn


class RecalibrationBlock(nn.Module):
    """relu(x + gate * branch(x)) on `(batch, channels, times)`; nothing in it mixes times but the gate's mean.

    The branch is a convolution of one sample, batch normalisation, ReLU, and the first two again; the gate is
    sigmoid(W2 relu(W1 mean)) without biases, squeezed to channels / reduction units, at least one.
    """

    def __init__(self, channels: int, *, reduction: int) -> None:
        super().__init__()
        squeezed = max(1, channels // reduction)
        self.branch = nn.Sequential(
            nn.Conv1d(channels, channels, 1),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 1),
            nn.BatchNorm1d(channels),
        )
        self.gate = nn.Sequential(
            nn.Linear(channels, squeezed, bias=False),
            nn.ReLU(),
            nn.Linear(squeezed, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.branch(x)
        gate: Tensor = self.gate(branch.mean(2))
        return (x + branch * gate[:, :, None]).relu()
