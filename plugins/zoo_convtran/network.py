"""ConvTran: convolutions embed a series; one attention block with position encodings follows.

Foumani, Tan, Webb and Salehi 2024, Data Mining and Knowledge Discovery 38, arXiv:2305.16642.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ModelError
from zoo_convtran.attention import RelativeAttention

FILTERS = 4  # the temporal convolution has 4 x width feature maps


class ConvTran(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    A convolution along time, shared by all channels, to 4 x `width` maps; a convolution over all channels to `width`;
    both with batch normalisation and GELU. Then attention and a feed-forward layer with `feed_forward` units; each is
    added to its input and layer-normalised. The mean over time goes through a linear layer. Only the attention reads
    the positions: as in the authors' code, the residual sum adds the embedding without them. An even kernel reads one
    more sample to the right than to the left. The defaults are small: the preset `paper` has the authors' size.

    dropout  on the embedding with its positions, and twice in the feed-forward layer
    """

    positions: Tensor

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        width: int = 16,
        heads: int = 2,
        feed_forward: int = 128,
        kernel_size: int = 8,
        dropout: float = 0.01,
    ) -> None:
        super().__init__()
        if min(width, heads, feed_forward, kernel_size) < 1:
            raise ModelError("width, heads, feed_forward and kernel_size must be at least 1")
        if width % heads:
            raise ModelError(f"width {width} is not a multiple of {heads} heads: use a multiple, such as {8 * heads}")
        self.padding = ((kernel_size - 1) // 2, kernel_size // 2)
        maps = FILTERS * width
        self.temporal = nn.Sequential(nn.Conv2d(1, maps, (1, kernel_size)), nn.BatchNorm2d(maps), nn.GELU())
        self.spatial = nn.Sequential(nn.Conv2d(maps, width, (n_channels, 1)), nn.BatchNorm2d(width), nn.GELU())
        self.register_buffer("positions", time_positions(n_times, width))
        self.dropout = nn.Dropout(dropout)
        self.attention = RelativeAttention(width=width, heads=heads, n_times=n_times)
        self.norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, feed_forward),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(feed_forward, width),
            nn.Dropout(dropout),
        )
        self.feed_forward_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.temporal(functional.pad(x[:, None], self.padding))
        embedded = self.spatial(maps).squeeze(2).transpose(1, 2)
        attended = self.norm(embedded + self.attention(self.dropout(embedded + self.positions)))
        features = self.feed_forward_norm(attended + self.feed_forward(attended))
        return cast(Tensor, self.head(features.mean(1)))


def time_positions(n_times: int, width: int) -> Tensor:
    """Return tAPE, `(n_times, width)`: sines and cosines with frequencies scaled to the series length (equation 13).

    Column 2 i holds sin(t w_i width / n_times), column 2 i + 1 the cosine, with w_i = 10000^(-2 i / width).
    """
    frequencies = 10000.0 ** (-torch.arange(0, width, 2) / width) * (width / n_times)
    angles = torch.arange(n_times)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)[:, :width]
