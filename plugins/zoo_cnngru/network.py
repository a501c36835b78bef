"""The 1DCNNGRU of the study of five-class heartbeats: 1-D convolutions, then a GRU."""

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

    A convolution to `hidden` channels with ReLU and batch normalisation; `num_blocks` blocks; max pooling by 2; a
    linear layer at each step; a GRU of `num_layers` layers. Two linear layers classify its output at the last valid
    step. The defaults are small: the preset `study` has the size of the study's best configuration.

    dropout   between the layers of the GRU; with one layer there is no dropout
    norm      `layer`: layer normalisation (Ba et al. 2016, arXiv:1607.06450) of the input and output of the GRU, at
              each step; `none`: no normalisation
    packed    without declared lengths, the zeros after the last non-zero sample are padding. The effect is that of
              packed sequences: the GRU reads the padding only after the last valid step
    pool      `max`: max pooling halves the number of steps, and the last step of the GRU is classified; `gap`: no
              max pooling, and the mean of the GRU's output over all valid steps is classified
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
            raise ModelError(f"dilation must be at least 1, not {dilation}")
        if min(gru_hidden, num_layers) < 1:
            raise ModelError(f"gru_hidden and num_layers must be at least 1, not {gru_hidden} and {num_layers}")
        if hidden < 1 or num_blocks < 0:
            raise ModelError(f"hidden must be at least 1 and num_blocks at least 0, not {hidden} and {num_blocks}")
        if not 0 <= dropout <= 1:  # checked here because a GRU of one layer does not use it
            raise ModelError(f"dropout must be between 0 and 1, not {dropout}")
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
        # On the meta device, used to count parameters and operations, samples have no values.
        if lengths is None and self.packed and not x.is_meta:
            lengths = trailing_lengths(x)
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        features: Tensor = self.linear(self.pool(self.convolutions(x, mask)).transpose(1, 2))
        steps, _ = self.gru(self.norm_in(features))
        steps = self.norm_out(steps)
        if self.mean_over_time:
            return cast(Tensor, self.head(masked_mean(steps.transpose(1, 2), mask)))
        # Pooling halves the lengths and drops an odd last sample.
        halved = None if lengths is None else (lengths // 2).clamp(min=1)
        return cast(Tensor, self.head(last_valid(steps, halved)))
