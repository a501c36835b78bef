"""A small network with a block slot, and a block."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class PulseNet(nn.Module):
    def __init__(
        self, *, n_channels: int, n_times: int, n_classes: int, block: Callable[[int], nn.Module], hidden: int = 4
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(n_channels, hidden, 3, padding=1)
        self.block = block(hidden)
        self.head = nn.Linear(hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.block(self.convolution(x).relu())
        return self.head(features.mean(2))


class Gain(nn.Module):
    def __init__(self, channels: int, *, dims: int, start: float = 1.0) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.full((channels, *[1] * dims), start))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x * self.gain
