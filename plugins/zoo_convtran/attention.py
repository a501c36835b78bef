"""Attention with efficient relative position encoding, eRPE (Foumani et al. 2024, section 4.3, equation 14)."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class RelativeAttention(nn.Module):
    """Self-attention over `(batch, times, width)` with weights softmax(scores) + w: w is added AFTER the softmax.

    Each head learns one scalar of w for each of the 2 n_times - 1 distances i - j; all start at zero. As in the
    authors' code, the scores are divided by the root of the full width, not of the width of a head. The projections
    have no bias, and a layer normalisation replaces the usual output projection.
    """

    def __init__(self, *, width: int, heads: int, n_times: int) -> None:
        super().__init__()
        self.heads, self.n_times, self.scale = heads, n_times, width**-0.5
        self.projections = nn.Linear(width, 3 * width, bias=False)
        self.distances = nn.Parameter(torch.zeros(heads, 2 * n_times - 1))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        heads = self.projections(x).unflatten(2, (3, self.heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        # (softmax + w) value as two products: the sum, batch x heads x times x times, is never in memory
        seen = functional.scaled_dot_product_attention(query, key, value, scale=self.scale)
        placed = torch.einsum("hij,bhjd->bhid", self.relative_weights(), value)
        out: Tensor = self.norm((seen + placed).transpose(1, 2).flatten(2))
        return out

    def relative_weights(self) -> Tensor:
        """Return w as `(heads, n_times, n_times)`: row i, column j holds the scalar of distance i - j."""
        windows = self.distances.flip(1).unfold(1, self.n_times, 1)
        return windows.flip(1)
