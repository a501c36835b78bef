"""The 1DCNNGRU of the study of five-class heartbeats: convolutions find shapes, a GRU reads their order."""

from typing import cast

from torch import Tensor, nn

from zoo import ModelError
from zoo.layers import (
    BlockFactory,
    Layers,
    MaskedBatchNorm1d,
    check_word,
    convolution,
    last_valid,
    masked_mean,
    trailing_lengths,
    valid_mask,
)

NORMS = {"none": nn.Identity, "layer": nn.LayerNorm}
POOLS = ("max", "gap")


class CNNGRU(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    A convolution block to `hidden` channels, `num_blocks` blocks, max pooling by 2, a linear layer at each
    step, a GRU `num_layers` deep; its output at the last valid step goes through two linear layers.

    dropout   between the GRU's layers; a GRU of one layer has none
    norm      `layer`: layer normalisation (Ba et al. 2016, arXiv:1607.06450) of what goes into the GRU and of
              what comes out of it, at each step; `none`
    packed    where no lengths are declared, a series ends at its last non-zero sample and the rest is padding.
              As packing does, this keeps the padding out: the GRU steps through it only after every step that is
              classified
    pool      `max`: time is halved by max pooling and the GRU's last step is classified; `gap`: no pooling before
              the GRU, and the mean of its output over all valid steps is classified
    dilation  of the first convolution
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        block: BlockFactory,
        hidden: int = 32,
        num_blocks: int = 2,
        gru_hidden: int = 64,
        num_layers: int = 1,
        dropout: float = 0.2,
        norm: str = "none",
        packed: bool = False,
        pool: str = "max",
        dilation: int = 1,
    ) -> None:
        super().__init__()
        check_word("norm", norm, NORMS)
        check_word("pool", pool, POOLS)
        if dilation < 1:
            raise ModelError(f"dilation is 1 or more, not {dilation}")
        if min(gru_hidden, num_layers) < 1:
            raise ModelError(f"gru_hidden and num_layers are 1 or more, not {gru_hidden} and {num_layers}")
        if hidden < 1 or num_blocks < 0:
            raise ModelError(f"hidden is 1 or more and num_blocks 0 or more, not {hidden} and {num_blocks}")
        if not 0 <= dropout <= 1:  # a GRU of one layer would not look at it
            raise ModelError(f"dropout is from 0 to 1, not {dropout}")
        self.packed, self.mean_over_time = packed, pool == "gap"
        stem = [convolution(1, n_channels, hidden, dilation=dilation), nn.ReLU(), MaskedBatchNorm1d(hidden)]
        self.convolutions = Layers([*stem, *(block(hidden) for _ in range(num_blocks))])
        self.pool = nn.Identity() if self.mean_over_time else nn.MaxPool1d(2)
        self.linear = nn.Linear(hidden, hidden)
        between = dropout if num_layers > 1 else 0.0
        self.norm_in, self.norm_out = NORMS[norm](hidden), NORMS[norm](gru_hidden)
        self.gru = nn.GRU(hidden, gru_hidden, num_layers, batch_first=True, dropout=between)
        self.head = nn.Sequential(nn.Linear(gru_hidden, gru_hidden), nn.ReLU(), nn.Linear(gru_hidden, n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        # On the meta device, where networks are measured, there are no samples to look for an end in.
        if lengths is None and self.packed and not x.is_meta:
            lengths = trailing_lengths(x)
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        features: Tensor = self.linear(self.pool(self.convolutions(x, mask)).transpose(1, 2))
        steps, _ = self.gru(self.norm_in(features))
        steps = self.norm_out(steps)
        if self.mean_over_time:
            return cast(Tensor, self.head(masked_mean(steps.transpose(1, 2), mask)))
        # Pooling has halved the lengths, and dropped an odd last sample.
        halved = None if lengths is None else (lengths // 2).clamp(min=1)
        return cast(Tensor, self.head(last_valid(steps, halved)))
