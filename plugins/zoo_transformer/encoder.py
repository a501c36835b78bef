"""The encoder layer and position encodings of the transformer (Vaswani et al. 2017, arXiv:1706.03762)."""

from math import log
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from zoo import ModelError


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward network at each token; both with a skip connection.

    Tokens are `(batch, tokens, width)`. As in section 5.4 of the paper, `dropout` is applied to the outputs of both
    branches. Layer normalisation precedes each branch; it does not follow the sum. Training then needs no warm-up of
    the learning rate (Xiong et al. 2020, arXiv:2002.04745). The output of the last layer must be normalised once more.

    heads         of the attention; must divide `width`
    feed_forward  hidden units of the feed-forward network
    """

    def __init__(self, width: int, *, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        if min(width, heads, feed_forward) < 1 or width % heads:
            raise ModelError(
                f"heads and feed_forward must be at least 1 and heads must divide width, not {heads} and "
                f"{feed_forward} with width {width}"
            )
        self.heads = heads
        self.norm_attention, self.norm_feed_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, feed_forward), nn.ReLU(), nn.Linear(feed_forward, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the layer's output. `mask` is bool `(batch, 1, tokens)`: no token attends to a token with False."""
        x = x + self.dropout(self.attend(self.norm_attention(x), mask))
        return x + cast(Tensor, self.dropout(self.feed_forward(self.norm_feed_forward(x))))

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the output of multi-head self-attention over the valid tokens (section 3.2 of the paper)."""
        query, key, value = self.queries_keys_values(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        keys = None if mask is None else mask[:, None]
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=keys)
        return cast(Tensor, self.output(mixed.transpose(1, 2).flatten(2)))


def sinusoids(positions: Tensor, width: int) -> Tensor:
    """Return position encodings, float32 `(tokens, width)`: sines in the first half of the features, then cosines.

    Wavelengths grow geometrically from 2 pi to 10,000 * 2 pi (section 3.5 of the paper, which interleaves sines and
    cosines). The number of positions is not limited, so a series may be longer than those in training.
    """
    half = -(-width // 2)
    rates = torch.exp(torch.arange(half, device=positions.device) * (-log(10_000.0) / half))
    angles = positions[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :width]
