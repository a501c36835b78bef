"""A transformer encoder on patches of a series, with a block slot after each of its layers."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo import ModelError
from zoo.layers import BlockFactory, keep_valid, masked_mean, valid_mask
from zoo_transformer.encoder import EncoderLayer, sinusoids


class Transformer1D(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    The series is cut into patches of `patch_length` samples, zero-padded at the end. One convolution turns each patch
    into a token of `width` features, and its position encoding is added. There are `num_layers` encoder layers, each
    followed by a block on `(batch, width, tokens)`. The mean over the tokens goes through a linear layer. With lengths,
    a token is valid if any of its samples is valid; invalid tokens are neither attended to nor averaged. The defaults
    are small: the base model of the paper has width 512, 6 layers, 8 heads and 2048 feed-forward units.

    patch_length  samples in a token; 1 makes each sample a token. The cost grows with the square of the tokens' number
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
        num_layers: int = 2,
        heads: int = 4,
        feed_forward: int = 64,
        dropout: float = 0.1,
        patch_length: int = 4,
    ) -> None:
        super().__init__()
        if min(patch_length, num_layers) < 1:
            raise ModelError(f"patch_length and num_layers must be at least 1, not {patch_length} and {num_layers}")
        if width < 1:
            raise ModelError(f"width must be at least 1, not {width}")
        self.patch_length = patch_length
        self.tokens = nn.Conv1d(n_channels, width, patch_length, stride=patch_length)
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.ModuleList(
            EncoderLayer(width, heads=heads, feed_forward=feed_forward, dropout=dropout) for _ in range(num_layers)
        )
        self.blocks = nn.ModuleList(block(width) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None
        if lengths is not None:
            x = keep_valid(x, valid_mask(lengths, x.shape[2]))
            mask = valid_mask(-(-lengths // self.patch_length), -(-x.shape[2] // self.patch_length))
        tokens = self.embed(x)
        for layer, block in zip(self.encoder, self.blocks, strict=True):
            tokens = block(layer(tokens, mask).transpose(1, 2), mask).transpose(1, 2)
        return cast(Tensor, self.head(masked_mean(self.norm(tokens).transpose(1, 2), mask)))

    def embed(self, x: Tensor) -> Tensor:
        """Return a token with its position encoding for each patch: `(batch, tokens, width)`."""
        tokens = self.tokens(functional.pad(x, (0, -x.shape[2] % self.patch_length))).transpose(1, 2)
        positions = sinusoids(torch.arange(tokens.shape[1], device=x.device), tokens.shape[2])
        return cast(Tensor, self.dropout(tokens + positions))
