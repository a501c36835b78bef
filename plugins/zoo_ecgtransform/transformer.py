"""The encoder layer of the original transformer (Vaswani et al. 2017, NeurIPS, arXiv:1706.03762)."""

from torch import Tensor, nn
from torch.nn import functional


class EncoderLayer(nn.Module):
    """Maps `(rows, tokens, width)` to the same shape: attention, then a feed-forward layer.

    Each is added to its input, and the sum is layer-normalised.

    dropout  on the attention weights, inside the feed-forward layer, and on the outputs of both
    """

    def __init__(self, *, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.projections = nn.Linear(width, 3 * width)
        self.mix_heads = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, feed_forward), nn.ReLU(), nn.Dropout(dropout), nn.Linear(feed_forward, width)
        )
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.feed_forward_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x + self.dropout(self.attend(x)))
        out: Tensor = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))
        return out

    def attend(self, x: Tensor) -> Tensor:
        """Return the output of multi-head self-attention, `(rows, tokens, width)`."""
        query, key, value = self.projections(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        dropped = self.dropout.p if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropped)
        out: Tensor = self.mix_heads(mixed.transpose(1, 2).flatten(2))
        return out
