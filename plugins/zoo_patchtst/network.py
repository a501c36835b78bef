"""PatchTST: a transformer over overlapping patches of a series, for each channel separately.

Nie, Nguyen, Sinthong and Kalagnanam 2023, ICLR, arXiv:2211.14730.
"""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ModelError
from zoo_patchtst.encoder import EncoderLayer

# Functions that pool the tokens `(batch, channels, patches, width)` of each channel into one vector.
POOLS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda tokens: tokens.mean(2),
    "max": lambda tokens: tokens.amax(2),
    "last": lambda tokens: tokens[:, :, -1],
}


class PatchTST(nn.Module):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 2, to logits `(batch, n_classes)`.

    Each channel is normalised to mean 0 and standard deviation 1. Its last value is repeated `stride` times at the end,
    and in a series shorter than a patch, up to the length of a patch. Each channel is then cut into patches. One linear
    layer and learned positions, shared by all channels, turn the patches into tokens. The encoder uses batch
    normalisation. As in the authors' code, each layer adds the attention scores of the layer before it. The paper's
    text describes a plain encoder (`residual_attention=False`).

    The paper forecasts and has no classifier. Here the patches of each channel are pooled, and one linear layer over
    all channels returns the logits. `pool` is `mean`, as in Hugging Face's PatchTSTForClassification; `max`; or `last`,
    as in the classification head of the authors' code. The defaults are small: the preset `paper` has the authors'
    size.

    dropout        on the tokens, and on the outputs of the attention and feed-forward layers
    instance_norm  whether channels are normalised; the classifier then has no information on scale and offset
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        patch_length: int = 16,
        stride: int = 8,
        width: int = 64,
        heads: int = 4,
        num_layers: int = 3,
        feed_forward: int = 128,
        dropout: float = 0.1,
        pool: str = "mean",
        instance_norm: bool = True,
        residual_attention: bool = True,
    ) -> None:
        super().__init__()
        if min(stride, width, heads, num_layers, feed_forward) < 1:
            raise ModelError("stride, width, heads, num_layers and feed_forward must be at least 1")
        if stride > patch_length:
            raise ModelError(f"stride {stride} leaves gaps between patches of {patch_length}: use a smaller stride")
        if width % heads:
            raise ModelError(f"width {width} is not a multiple of {heads} heads: use a multiple, such as {8 * heads}")
        if pool not in POOLS:
            raise ModelError(f"pool must be one of {', '.join(POOLS)}, not {pool!r}")
        self.patch_length, self.stride, self.pool = patch_length, stride, pool
        self.instance_norm, self.residual_attention = instance_norm, residual_attention
        self.padding = stride + max(0, patch_length - n_times)
        patches = (n_times + self.padding - patch_length) // stride + 1
        self.embed = nn.Linear(patch_length, width)
        self.positions = nn.Parameter(torch.empty(patches, width).uniform_(-0.02, 0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(width=width, heads=heads, feed_forward=feed_forward, dropout=dropout)
            for _ in range(num_layers)
        )
        self.head = nn.Linear(n_channels * width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patches(normalised(x) if self.instance_norm else x)
        tokens = self.dropout(self.embed(patches) + self.positions).flatten(0, 1)
        scores: Tensor | None = None
        for layer in self.layers:
            tokens, scores = layer(tokens, scores if self.residual_attention else None)
        pooled = POOLS[self.pool](tokens.unflatten(0, x.shape[:2]))
        return cast(Tensor, self.head(pooled.flatten(1)))

    def patches(self, x: Tensor) -> Tensor:
        """Cut `(batch, channels, times)` into `(batch, channels, patches, patch_length)`; no sample is left out."""
        return functional.pad(x, (0, self.padding), mode="replicate").unfold(2, self.patch_length, self.stride)


def normalised(x: Tensor) -> Tensor:
    """Return each channel of each row with mean 0 and standard deviation 1 over time; a constant one becomes zeros.

    This is RevIN without its affine part (Kim et al. 2022, ICLR), as used by the authors. Without a forecast, nothing
    is scaled back.
    """
    variance, mean = torch.var_mean(x, 2, correction=0, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt()
