"""The identity as a block."""

from torch import Tensor, nn


class NoBlock(nn.Module):
    """Returns its input. It takes `channels` and `dims`, like every block, but does not use them."""

    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x
