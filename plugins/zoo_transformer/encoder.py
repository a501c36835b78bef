"""The encoder of the transformer (Vaswani et al. 2017, arXiv:1706.03762), as both networks here use it."""

from math import log
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from zoo import ModelError


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward net at each token, each with a skip connection around it.

    Tokens are `(batch, tokens, width)`. As in the paper's section 5.4, `dropout` falls on what the two branches
    add. They are normalised on the way in, not after the sum, which trains without a warm-up of the learning rate
    (Xiong et al. 2020, arXiv:2002.04745); so whoever reads the last layer's output normalises it once more.

    heads         of the attention; divides `width`
    feed_forward  hidden units of the feed-forward net
    """

    def __init__(self, width: int, *, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        if min(width, heads, feed_forward) < 1 or width % heads:
            raise ModelError(
                f"heads and feed_forward are 1 or more and heads divides width, not {heads} and {feed_forward} "
                f"with width {width}"
            )
        self.heads = heads
        self.norm_attention, self.norm_feed_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, feed_forward), nn.ReLU(), nn.Linear(feed_forward, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` is bool `(batch, 1, tokens)`: no token attends to one where it is false."""
        x = x + self.dropout(self.attend(self.norm_attention(x), mask))
        return x + cast(Tensor, self.dropout(self.feed_forward(self.norm_feed_forward(x))))

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Each token's mixture of all valid tokens: section 3.2 of the paper."""
        query, key, value = self.queries_keys_values(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        keys = None if mask is None else mask[:, None]
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=keys)
        return cast(Tensor, self.output(mixed.transpose(1, 2).flatten(2)))


def sinusoids(positions: Tensor, width: int) -> Tensor:
    """Where tokens are, as float32 `(tokens, width)`: sines in the first half of the features, cosines in the second.

    Wavelengths go from 2 pi to 10,000 * 2 pi in geometric steps (section 3.5 of the paper, which interleaves the
    two); computed for any number of positions, so a series may be longer than those trained on.
    """
    half = -(-width // 2)
    rates = torch.exp(torch.arange(half, device=positions.device) * (-log(10_000.0) / half))
    angles = positions[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :width]
