"""2-D convolutions on the signal folded into a picture, then a transformer encoder."""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo import ModelError
from zoo.layers import BlockFactory, batch_norm, convolution
from zoo_transformer.encoder import EncoderLayer, sinusoids

FOLD = 12  # samples in a row of the picture, as in cnn2d


class Transformer2D(nn.Module):
    """Maps float `(batch, n_channels, n_times)`, n_times >= 13, to logits `(batch, n_classes)`.

    The series is folded into rows of twelve samples, zero-padded at the end. Then come `num_convolutions` convolutions,
    each with ReLU and batch normalisation; `num_blocks` blocks; max pooling by 2. Each position of the picture is then
    a token, and the encodings of its row and column are added. `num_layers` encoder layers follow. The mean over the
    tokens goes through a linear layer. The defaults are small: the base model of the paper has width 512, 6 layers, 8
    heads and 2048 feed-forward units.

    width         channels of the convolutions and features of a token
    heads         of the attention; must divide `width`
    feed_forward  hidden units of the feed-forward networks
    dropout       on the tokens, and on the outputs of both branches of an encoder layer
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        block: BlockFactory,
        width: int = 32,
        num_convolutions: int = 2,
        num_blocks: int = 1,
        num_layers: int = 2,
        heads: int = 4,
        feed_forward: int = 64,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if min(num_convolutions, num_layers) < 1:
            raise ModelError(
                f"num_convolutions and num_layers must be at least 1, not {num_convolutions} and {num_layers}"
            )
        if width < 1 or num_blocks < 0:
            raise ModelError(f"width must be at least 1 and num_blocks at least 0, not {width} and {num_blocks}")
        stem = [
            layer
            for n_in, n_out in pairwise([n_channels, *[width] * num_convolutions])
            for layer in (convolution(2, n_in, n_out), nn.ReLU(), batch_norm(2, n_out))
        ]
        self.convolutions = nn.Sequential(*stem, *(block(width) for _ in range(num_blocks)), nn.MaxPool2d(2))
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.Sequential(
            *(EncoderLayer(width, heads=heads, feed_forward=feed_forward, dropout=dropout) for _ in range(num_layers)),
            nn.LayerNorm(width),
        )
        self.head = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        picture = functional.pad(x, (0, -x.shape[2] % FOLD)).unflatten(2, (-1, FOLD))
        features = self.convolutions(picture)
        tokens = features.flatten(2).transpose(1, 2) + _places(features)
        return cast(Tensor, self.head(self.encoder(self.dropout(tokens)).mean(1)))


def _places(features: Tensor) -> Tensor:
    """Return position encodings for features `(batch, width, rows, columns)`: half for the row, half for the column."""
    _, width, height, columns = features.shape
    positions = torch.arange(height * columns, device=features.device)
    rows = sinusoids(positions // columns, width - width // 2)
    return torch.cat([rows, sinusoids(positions % columns, width // 2)], 1)
