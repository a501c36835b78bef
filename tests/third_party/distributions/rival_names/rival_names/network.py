import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(x, 1))


class Block(nn.Module):
    def __init__(self, channels: int, *, dims: int, slope: float = 0.5) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x * self.slope
