"""The temporal convolutional network of Bai, Kolter and Koltun 2018 (arXiv:1803.01271, section 3)."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo import ModelError
from zoo.layers import BlockFactory, Layers, last_valid, valid_mask


class TCN(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    `levels` residual levels, each with two causal convolutions of `hidden` channels and followed by a block. The
    dilation of level i is 2^i, counted from 0. A linear layer classifies the last valid step. Without blocks, no step
    depends on later ones, and the last step depends on the last 1 + 2 (kernel_size - 1) (2^levels - 1) samples. The
    defaults are small: the preset `paper` has the published size. Raises ModelError for sizes below 1 and for a
    dropout outside [0, 1).
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        block: BlockFactory,
        hidden: int = 24,
        levels: int = 5,
        kernel_size: int = 5,
        dropout: float = 0.05,
    ) -> None:
        super().__init__()
        for name, size in (("hidden", hidden), ("levels", levels), ("kernel_size", kernel_size)):
            if size < 1:
                raise ModelError(f"tcn's {name} must be at least 1, not {size!r}")
        if not 0 <= dropout < 1:
            raise ModelError(f"tcn's dropout must be at least 0 and below 1, not {dropout!r}")
        layers: list[nn.Module] = []
        for level in range(levels):
            n_in = hidden if level else n_channels
            layers += [TemporalLevel(n_in, hidden, kernel_size, 2**level, dropout), block(hidden)]
        self.levels = Layers(layers)
        self.head = nn.Linear(hidden, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        steps: Tensor = self.levels(x, mask)
        return cast(Tensor, self.head(last_valid(steps.transpose(1, 2), lengths)))


class TemporalLevel(nn.Module):
    """relu(x + branch(x)). The branch is (causal convolution, ReLU, dropout) twice (figure 1b).

    Where the number of channels changes, x goes through a convolution of one sample.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int, dilation: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for source in (n_in, n_out):
            # Drop whole channels, as in the paper's text (section 3.4). The authors' code drops single values, which
            # is slower.
            layers += [CausalConv1d(source, n_out, kernel_size, dilation), nn.ReLU(), nn.Dropout1d(dropout)]
        self.branch = nn.Sequential(*layers)
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv1d(n_in, n_out, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return (cast(Tensor, self.shortcut(x)) + cast(Tensor, self.branch(x))).relu()


class CausalConv1d(nn.Conv1d):
    """A weight-normalised causal convolution on `(batch, channels, times)`: no output depends on later samples.

    Weight normalisation (Salimans and Kingma 2016, arXiv:1602.07868, equation 2): each filter is `gain` times the
    direction of its `weight`. The initial gain is the norm of the weight. The formula is written out here because
    torch's parametrisation of it cannot be pickled.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int, dilation: int) -> None:
        super().__init__(n_in, n_out, kernel_size, dilation=dilation)
        self.gain = nn.Parameter(_norms(self.weight.detach()))

    def forward(self, input: Tensor) -> Tensor:
        before = self.dilation[0] * (self.kernel_size[0] - 1)
        weight = self.weight * (self.gain / _norms(self.weight))
        return functional.conv1d(functional.pad(input, (before, 0)), weight, self.bias, dilation=self.dilation)


def _norms(weight: Tensor) -> Tensor:
    """Return the norm of each filter of `(filters, channels, times)`: `(filters, 1, 1)`."""
    return cast(Tensor, torch.linalg.vector_norm(weight, dim=(1, 2), keepdim=True))
