"""S4D: layers of diagonal state-space models (Gu et al. 2022, arXiv:2206.11893)."""

from typing import cast

from torch import Tensor, nn

from zoo.errors import ModelError
from zoo.layers import keep_valid, masked_mean, valid_mask
from zoo_s4d.kernel import StateSpace


class S4D(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    A linear layer to `width` channels at each sample, `num_layers` residual layers, the mean over time, a linear layer.
    This is the backbone of the authors' example.py (github.com/state-spaces/s4). It is causal: no output depends on
    later samples. The defaults are small: the preset `paper` has the size of the authors' network for CIFAR-10.

    state     number of complex states of the state-space model of each channel, in conjugate pairs
    dropout   of whole channels, after the activation and after each layer; narrow networks learn faster without it
    prenorm   layer normalisation before each layer; if False, after its residual sum
    dt_min, dt_max  the range of the initial time step; a state initially decays over 2 / dt samples. The defaults suit
              series of a few hundred samples. The authors use 0.001 and 0.1 for series of thousands of samples

    The authors train the state-space parameters without weight decay and with a tenth of the learning rate of the
    other parameters. Here all parameters have the same settings. torch's count of multiply-accumulates omits the FFTs
    and their product, and it counts a complex multiply-accumulate in the kernels as one.

    Raises ModelError for an odd state, sizes below 1 and values outside their range.
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        width: int = 24,
        state: int = 16,
        num_layers: int = 3,
        dropout: float = 0.0,
        prenorm: bool = True,
        dt_min: float = 0.01,
        dt_max: float = 0.2,
    ) -> None:
        super().__init__()
        _check(width, state, num_layers, dropout, dt_min, dt_max)
        self.encoder = nn.Conv1d(n_channels, width, 1)
        self.layers = nn.ModuleList(S4DLayer(width, state, dropout, prenorm, dt_min, dt_max) for _ in range(num_layers))
        self.head = nn.Linear(width, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None if lengths is None else valid_mask(lengths, x.shape[2])
        x = self.encoder(keep_valid(x, mask))
        for layer in self.layers:
            x = layer(x)
        return cast(Tensor, self.head(masked_mean(x, mask)))


class S4DLayer(nn.Module):
    """State spaces, GELU, a gated linear unit across channels, the residual sum, layer normalisation.

    Maps `(batch, width, times)` to the same shape. Padding at the end needs no mask: no output depends on later
    samples.
    """

    def __init__(self, width: int, state: int, dropout: float, prenorm: bool, dt_min: float, dt_max: float) -> None:
        super().__init__()
        self.space = StateSpace(width, state, dt_min, dt_max)
        self.mix = nn.Sequential(
            nn.GELU(), nn.Dropout1d(dropout), nn.Conv1d(width, 2 * width, 1), nn.GLU(1), nn.Dropout1d(dropout)
        )
        self.norm = nn.LayerNorm(width)
        self.prenorm = prenorm

    def forward(self, x: Tensor) -> Tensor:
        if self.prenorm:
            return x + cast(Tensor, self.mix(self.space(self._normalised(x))))
        return self._normalised(x + cast(Tensor, self.mix(self.space(x))))

    def _normalised(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.norm(x.transpose(1, 2))).transpose(1, 2)


def _check(width: int, state: int, num_layers: int, dropout: float, dt_min: float, dt_max: float) -> None:
    for name, value in (("width", width), ("num_layers", num_layers)):
        if value < 1:
            raise ModelError(f"s4d: {name} must be at least 1, not {value!r}")
    if state < 2 or state % 2:
        raise ModelError(f"s4d: state must be even and at least 2, not {state!r}: states come in conjugate pairs")
    if not 0 <= dropout < 1:
        raise ModelError(f"s4d: dropout must be at least 0 and below 1, not {dropout!r}")
    if not 0 < dt_min <= dt_max:
        raise ModelError(f"s4d: dt_min must be above 0 and at most dt_max, not {dt_min!r} with dt_max {dt_max!r}")
