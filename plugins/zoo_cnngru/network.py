"""The 1DCNNGRU of the study of five-class heartbeats: convolutions find shapes, a GRU reads their order."""

from typing import cast

import torch
from torch import Tensor, nn

from zoo.layers import BlockFactory, Layers, MaskedBatchNorm1d, valid_mask


class CNNGRU(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    A convolution block to `hidden` channels, `num_blocks` blocks, max pooling by 2, a linear layer at each
    step, a GRU `num_layers` deep; its output at the last valid step goes through two linear layers.

    dropout  between the GRU's layers; a GRU of one layer has none
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
    ) -> None:
        super().__init__()
        stem = [nn.Conv1d(n_channels, hidden, 3, padding=1), nn.ReLU(), MaskedBatchNorm1d(hidden)]
        self.convolutions = Layers([*stem, *(block(hidden) for _ in range(num_blocks))])
        self.pool = nn.MaxPool1d(2)
        self.linear = nn.Linear(hidden, hidden)
        between = dropout if num_layers > 1 else 0.0
        self.gru = nn.GRU(hidden, gru_hidden, num_layers, batch_first=True, dropout=between)
        self.head = nn.Sequential(nn.Linear(gru_hidden, gru_hidden), nn.ReLU(), nn.Linear(gru_hidden, n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        features: Tensor = self.linear(self.pool(self.convolutions(x, mask)).transpose(1, 2))
        steps, _ = self.gru(features)
        return cast(Tensor, self.head(_last_step(steps, lengths)))


def _last_step(steps: Tensor, lengths: Tensor | None) -> Tensor:
    """The output at each row's last step; pooling has halved the lengths, and dropped an odd last sample."""
    if lengths is None:
        return steps[:, -1]
    last = (lengths // 2).clamp(min=1) - 1
    return steps[torch.arange(len(steps), device=steps.device), last]
