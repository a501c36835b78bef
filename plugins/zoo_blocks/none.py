"""The block that does nothing."""

from torch import Tensor, nn


class NoBlock(nn.Module):
    """Gives its input back; `channels` and `dims` are taken as of every block, and not needed."""

    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x
