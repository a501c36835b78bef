"""ECGTransForm: multi-scale convolutions, channel recalibration and a bidirectional transformer.

El-Ghaish and Eldele 2024, Biomedical Signal Processing and Control 89:105714, doi:10.1016/j.bspc.2023.105714.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ModelError
from zoo_ecgtransform.recalibration import RecalibrationBlock
from zoo_ecgtransform.transformer import EncoderLayer

SCALES = (5, 9, 11)  # kernel sizes of the first convolutions


class ECGTransForm(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    The mean of three parallel convolutions to `filters` channels; convolutions of eight samples to 2 x `filters` and
    4 x `filters` channels; max pooling by 2 after each of these three stages; `num_blocks` recalibration blocks; a
    transformer; a linear layer. The defaults are small: the preset `paper` has the authors' size.

    The transformer follows the authors' code. The paper describes dependencies in time, but the code passes
    `(batch, channels, times)` on unchanged. The tokens are therefore the channels, and the width is the number of
    times after pooling (25 for 186 or 187 samples). There is no position encoding. "Bidirectional" means that the same
    layers also read the series backwards in time. The two outputs are added, and their mean over the width goes
    through a linear layer. If `heads` does not divide the width, zeros are added at the end.

    The mean follows a layer normalisation, whose output has mean zero until training changes its weights. A new
    network therefore returns the same logits for all rows.

    dropout              after the first stage
    transformer_dropout  in the transformer
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        filters: int = 16,
        num_blocks: int = 3,
        reduction: int = 4,
        heads: int = 5,
        num_layers: int = 2,
        feed_forward: int = 64,
        dropout: float = 0.2,
        transformer_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min(filters, reduction, heads, num_layers, feed_forward) < 1 or num_blocks < 0:
            raise ModelError(
                "filters, reduction, heads, num_layers and feed_forward must be at least 1, num_blocks at least 0"
            )
        self.scales = nn.ModuleList(
            nn.Conv1d(n_channels, filters, size, padding=size // 2, bias=False) for size in SCALES
        )
        self.first = nn.Sequential(*_after(filters), nn.Dropout(dropout))
        self.convolutions = nn.Sequential(*_stage(filters, 2 * filters), *_stage(2 * filters, 4 * filters))
        self.recalibration = nn.Sequential(
            *(RecalibrationBlock(4 * filters, reduction=reduction) for _ in range(num_blocks))
        )
        steps = pooled_times(n_times)
        self.fill = -steps % heads
        self.transformer = nn.Sequential(
            *(
                EncoderLayer(
                    width=steps + self.fill, heads=heads, feed_forward=feed_forward, dropout=transformer_dropout
                )
                for _ in range(num_layers)
            )
        )
        self.head = nn.Linear(4 * filters, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        averaged = torch.stack([scale(x) for scale in self.scales]).mean(0)
        features = self.recalibration(self.convolutions(self.first(averaged)))
        features = functional.pad(features, (0, self.fill))
        forwards, backwards = self.transformer(torch.cat([features, features.flip(2)])).chunk(2)
        return cast(Tensor, self.head((forwards + backwards).mean(2)))


def pooled_times(n_times: int) -> int:
    """Return the number of times after the three stages.

    A pooling maps n times to n // 2 + 1, and a convolution of eight samples maps n to n + 1.
    """
    first = n_times // 2 + 1
    second = (first + 1) // 2 + 1
    return (second + 1) // 2 + 1


def _stage(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Conv1d(n_in, n_out, 8, padding=4, bias=False), *_after(n_out)]


def _after(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm1d(channels), nn.ReLU(), nn.MaxPool1d(2, padding=1)]
