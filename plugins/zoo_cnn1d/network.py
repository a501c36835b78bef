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

    `num_layers` convolution blocks, `num_blocks` blocks, one max pooling by 2, then two linear layers with
    `hidden` units between.

    dropout   between the two linear layers
    norm      what follows each of the first convolutions: `batch` normalisation, `layer` normalisation (Ba et al.
              2016, arXiv:1607.06450: of all channels and times of a row together), or `none`
    pool      `max`: max pooling by 2, and all of the series that remains goes into the linear layers; `gap`:
              no max pooling, and the mean of each channel over time does
    dilation  of the first convolutions

    With lengths, features behind the end of a series are zeros. As the first linear layer of `max` has weights for
    each of n_times samples and no more, a longer batch is cut there and a shorter one padded.
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
            raise ModelError(f"num_layers and dilation are 1 or more, not {num_layers} and {dilation}")
        if hidden < 1 or num_blocks < 0:
            raise ModelError(f"hidden is 1 or more and num_blocks 0 or more, not {hidden} and {num_blocks}")
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
