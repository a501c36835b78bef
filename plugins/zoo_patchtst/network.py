"""PatchTST: a transformer whose words are overlapping pieces of a series, each channel read by itself.

Nie, Nguyen, Sinthong and Kalagnanam 2023, ICLR, arXiv:2211.14730.
"""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ModelError
from zoo_patchtst.encoder import EncoderLayer

# How the tokens `(batch, channels, patches, width)` of a channel become one vector.
POOLS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda tokens: tokens.mean(2),
    "max": lambda tokens: tokens.amax(2),
    "last": lambda tokens: tokens[:, :, -1],
}


class PatchTST(nn.Module):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 2, to logits `(batch, n_classes)`.

    Each channel is brought to mean 0 and deviation 1, its last value repeated `stride` times at the end (a series
    shorter than a patch: also up to the patch), and cut into patches; one linear layer and learned positions, shared by
    all channels, make tokens of them. The encoder normalises by batch; between its layers the attention's
    scores are handed on, as in the authors' code; the paper's text has a plain encoder (`residual_attention=False`).

    The paper forecasts and has no classifier. `pool` says what one linear layer over all channels
    sees of the patches: their `mean`, as in Hugging Face's PatchTSTForClassification, their `max`, or the `last`, as
    in the classification head of the authors' code.

    dropout        on the tokens, and on what attention and feed-forward layers add to them
    instance_norm  whether channels are normalised: scale and offset are then lost to the classifier
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
            raise ModelError("stride, width, heads, num_layers and feed_forward are at least 1")
        if stride > patch_length:
            raise ModelError(f"stride {stride} leaves samples between patches of {patch_length}: take a smaller one")
        if width % heads:
            raise ModelError(f"width {width} does not split into {heads} heads: take a multiple, such as {8 * heads}")
        if pool not in POOLS:
            raise ModelError(f"pool is one of {', '.join(POOLS)}, not {pool!r}")
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
        """`(batch, channels, times)` cut into `(batch, channels, patches, patch_length)`; no sample is left out."""
        return functional.pad(x, (0, self.padding), mode="replicate").unfold(2, self.patch_length, self.stride)


def normalised(x: Tensor) -> Tensor:
    """Each channel of each row with mean 0 and deviation 1 over its times; a constant one is all zeros.

    RevIN without its affine part (Kim et al. 2022, ICLR), as the authors ran it; there is no forecast to scale back.
    """
    variance, mean = torch.var_mean(x, 2, correction=0, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt()
