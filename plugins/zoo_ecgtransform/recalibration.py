"""The channel recalibration block: a residual block of 1x1 convolutions with squeeze-and-excitation in its branch."""

from torch import Tensor, nn


class RecalibrationBlock(nn.Module):
    """relu(x + gate * branch(x)) on `(batch, channels, times)`. Only the mean in the gate mixes times.

    The branch is 1x1 convolution, batch normalisation, ReLU, 1x1 convolution, batch normalisation. The gate is
    sigmoid(W2 relu(W1 mean)) without biases; W1 has channels / reduction outputs, at least one.
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
