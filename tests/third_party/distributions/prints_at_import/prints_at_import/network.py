import torch
from torch import Tensor, nn

print("its network was imported")  # noqa: T201


class Net(nn.Module):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(n_channels * n_times, n_classes)
        print("its network was built")  # noqa: T201

    def forward(self, x: Tensor) -> Tensor:
        print("its network was called")  # noqa: T201
        return self.head(torch.flatten(x, 1))
