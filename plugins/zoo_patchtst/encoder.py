"""The encoder layer of PatchTST: attention and a feed-forward layer, both with batch normalisation."""

import torch
from torch import Tensor, nn


class TokenNorm(nn.BatchNorm1d):
    """Batch normalisation of `(rows, tokens, width)`: each feature over all tokens of all rows."""

    def forward(self, input: Tensor) -> Tensor:
        tokens = super().forward(input.flatten(0, 1))
        return tokens.reshape(input.shape)


class EncoderLayer(nn.Module):
    """Maps `(rows, tokens, width)` to the same shape and to the attention scores `(rows, heads, tokens, tokens)`.

    The scores of an earlier layer, if passed, are added to the scores of this layer before the softmax. This is the
    residual attention of RealFormer (He et al. 2021, arXiv:2012.11747). Batch normalisation follows each residual sum.
    """

    def __init__(self, *, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.projections = nn.Linear(width, 3 * width)
        self.mix_heads = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, feed_forward), nn.GELU(), nn.Dropout(dropout), nn.Linear(feed_forward, width)
        )
        self.dropout = nn.Dropout(dropout)
        self.norm = TokenNorm(width)
        self.feed_forward_norm = TokenNorm(width)

    def forward(self, x: Tensor, earlier: Tensor | None = None) -> tuple[Tensor, Tensor]:
        attended, scores = self.attend(x, earlier)
        x = self.norm(x + self.dropout(attended))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x))), scores

    def attend(self, x: Tensor, earlier: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the output of multi-head self-attention, `(rows, tokens, width)`, and its scores."""
        query, key, value = self.projections(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = torch.matmul(query * self.scale, key.transpose(2, 3))
        if earlier is not None:
            scores = scores + earlier
        mixed = torch.matmul(scores.softmax(3), value)
        return self.mix_heads(mixed.transpose(1, 2).flatten(2)), scores
