"""The 2DCNN of the study of five-class heartbeats: a 2-D CNN on a beat folded into a picture."""

from collections.abc import Callable
from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from zoo import ModelError
from zoo.layers import BlockFactory, check_word, convolution

WIDTH = 12  # the study folds 187 samples, padded to 192, into 16 rows of 12
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "layer": lambda channels: nn.GroupNorm(1, channels),
    "none": lambda channels: nn.Identity(),
}
POOLS = ("max", "gap")


class CNN2D(nn.Module):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 13, to logits `(batch, n_classes)`.

    The series is folded into rows of twelve samples, zero-padded at the end. Then come `num_layers` convolutions, each
    with ReLU and normalisation; `num_blocks` blocks; max pooling by 2; two linear layers with `hidden` units between
    them. The defaults are small: the preset `study` has the size of the study's best configuration.

    dropout   between the two linear layers
    norm      normalisation after each of the first convolutions: `batch`, `layer` (Ba et al. 2016, arXiv:1607.06450,
              over all channels and positions of a row together), or `none`
    pool      `max`: max pooling by 2, then all features go to the linear layers. `gap`: no max pooling, and only the
              mean of each channel over the picture goes to the linear layers
    dilation  of the first convolutions
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
        norm: str = "batch",
        pool: str = "max",
        dilation: int = 1,
    ) -> None:
        super().__init__()
        check_word("norm", norm, NORMS)
        check_word("pool", pool, POOLS)
        if min(num_layers, dilation) < 1:
            raise ModelError(f"num_layers and dilation must be at least 1, not {num_layers} and {dilation}")
        if hidden < 1 or num_blocks < 0:
            raise ModelError(f"hidden must be at least 1 and num_blocks at least 0, not {hidden} and {num_blocks}")
        height = -(-n_times // WIDTH)
        self.padding = height * WIDTH - n_times
        stem = [
            layer
            for n_in, n_out in pairwise([n_channels, *[hidden] * num_layers])
            for layer in (convolution(2, n_in, n_out, dilation=dilation), nn.ReLU(), NORMS[norm](n_out))
        ]
        pooling = nn.MaxPool2d(2) if pool == "max" else nn.AdaptiveAvgPool2d(1)
        positions = (height // 2) * (WIDTH // 2) if pool == "max" else 1
        self.convolutions = nn.Sequential(*stem, *(block(hidden) for _ in range(num_blocks)), pooling)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(hidden * positions, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        picture = functional.pad(x, (0, self.padding)).unflatten(2, (-1, WIDTH))
        return cast(Tensor, self.head(self.convolutions(picture)))
