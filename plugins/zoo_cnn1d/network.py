"""The plain 1-D CNN of the study of five-class heartbeats: `cnn2d` without the folding."""

from collections.abc import Callable
from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from zoo import ModelError
from zoo.layers import (
    BlockFactory,
    Layers,
    MaskedBatchNorm1d,
    check_word,
    convolution,
    keep_valid,
    masked_mean,
    valid_mask,
)
from zoo_cnn1d.norm import MaskedLayerNorm1d

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": MaskedBatchNorm1d,
    "layer": MaskedLayerNorm1d,
    "none": lambda channels: nn.Identity(),
}
POOLS = ("max", "gap")


class CNN1D(nn.Module):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 2, to logits `(batch, n_classes)`.

    `num_layers` convolutions, each with ReLU and normalisation; `num_blocks` blocks; max pooling by 2; two linear
    layers with `hidden` units between them.

    dropout   between the two linear layers
    norm      normalisation after each of the first convolutions: `batch`, `layer` (Ba et al. 2016, arXiv:1607.06450,
              over all channels and times of a row together), or `none`
    pool      `max`: max pooling by 2, then all features go to the linear layers. `gap`: no max pooling, and only the
              mean of each channel over time goes to the linear layers
    dilation  of the first convolutions

    With lengths, features after the end of a series are zero. With `max`, the first linear layer has weights for
    exactly n_times samples. A longer batch is therefore cut to n_times, and a shorter one is padded.
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
        self.n_times, self.mean_over_time = n_times, pool == "gap"
        stem = [
            layer
            for n_in, n_out in pairwise([n_channels, *[hidden] * num_layers])
            for layer in (convolution(1, n_in, n_out, dilation=dilation), nn.ReLU(), NORMS[norm](n_out))
        ]
        self.convolutions = Layers([*stem, *(block(hidden) for _ in range(num_blocks))])
        self.head = nn.Sequential(
            nn.Linear(hidden if self.mean_over_time else hidden * (n_times // 2), hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_classes),
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if lengths is not None and not self.mean_over_time:
            x = functional.pad(x, (0, self.n_times - x.shape[2]))
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        features = self.convolutions(x, mask)
        if self.mean_over_time:
            return cast(Tensor, self.head(masked_mean(features, mask)))
        pooled = functional.max_pool1d(keep_valid(features, mask), 2)
        return cast(Tensor, self.head(pooled.flatten(1)))
