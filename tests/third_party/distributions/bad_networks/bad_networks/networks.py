"""A linear network and what can be wrong with one."""

import sys

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, scale: float = 1.0) -> None:
        super().__init__()
        self.head = nn.Linear(n_channels * n_times, n_classes)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(x, 1)) * self.scale


class WrongShape(Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, :1]


class RaisesInForward(Linear):
    def forward(self, x: Tensor) -> Tensor:
        raise ValueError("forward is not\nimplemented")


class GivesNaN(Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * float("nan")


class RaisesWhenBuilt(Linear):
    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        raise ValueError("weights are sold separately")


class ExitsInForward(Linear):
    def forward(self, x: Tensor) -> Tensor:
        sys.exit("forward has gone home")
