"""The 2DCNN of the study of five-class heartbeats: a beat folded into a picture, and a 2-D CNN on it."""

from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from zoo.layers import BlockFactory

WIDTH = 12  # the study folds 187 samples, padded to 192, into 16 rows of 12


class CNN2D(nn.Module):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 13, to logits `(batch, n_classes)`.

    The series is folded into rows of twelve samples, zero-padded at the end. `num_layers` convolution
    blocks, `num_blocks` blocks, one max pooling by 2, then two linear layers with `hidden` units between.
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        block: BlockFactory,
        hidden: int = 32,
        num_layers: int = 2,
        num_blocks: int = 1,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        height = -(-n_times // WIDTH)
        self.padding = height * WIDTH - n_times
        widths = [n_channels, *[hidden] * num_layers]
        stem = [layer for pair in pairwise(widths) for layer in _convolution_block(*pair)]
        self.convolutions = nn.Sequential(*stem, *(block(hidden) for _ in range(num_blocks)), nn.MaxPool2d(2))
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(hidden * (height // 2) * (WIDTH // 2), hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        picture = functional.pad(x, (0, self.padding)).unflatten(2, (-1, WIDTH))
        return cast(Tensor, self.head(self.convolutions(picture)))


def _convolution_block(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(n_out)]
