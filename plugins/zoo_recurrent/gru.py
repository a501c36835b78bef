"""The gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) on the raw samples."""

from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from zoo import ModelError
from zoo.layers import check_word, last_valid, masked_mean, trailing_lengths, valid_mask

NORMS = {"none": nn.Identity, "layer": nn.LayerNorm}
POOLS = ("last", "gap")


class GRU(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    The GRU takes one step for each sample. Two linear layers classify its output, as in `cnngru`.

    hidden   units of each of the `num_layers` layers
    dropout  between the layers; with one layer there is no dropout
    norm     `layer`: layer normalisation (Ba et al. 2016, arXiv:1607.06450) of the output of every layer, at each step.
             The gates and the input are not normalised: a single channel minus its own mean is zero. `none`: no
             normalisation
    packed   without declared lengths, the zeros after the last non-zero sample are padding. The effect is that of
             packed sequences: the GRU reads the padding only after the last valid step
    pool     `last`: the output at the last valid step is classified; `gap`: the mean over all valid steps is classified
    """

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        hidden: int = 64,
        num_layers: int = 1,
        dropout: float = 0.2,
        norm: str = "none",
        packed: bool = False,
        pool: str = "last",
    ) -> None:
        super().__init__()
        check_word("norm", norm, NORMS)
        check_word("pool", pool, POOLS)
        if min(hidden, num_layers) < 1:
            raise ModelError(f"hidden and num_layers must be at least 1, not {hidden} and {num_layers}")
        if not 0 <= dropout <= 1:  # checked here because a single layer does not use it
            raise ModelError(f"dropout must be between 0 and 1, not {dropout}")
        self.packed, self.mean_over_time = packed, pool == "gap"
        widths = [n_channels, *[hidden] * num_layers]
        self.layers = nn.ModuleList(nn.GRU(n_in, n_out, batch_first=True) for n_in, n_out in pairwise(widths))
        self.norms = nn.ModuleList(NORMS[norm](hidden) for _ in self.layers)
        self.between = nn.ModuleList([nn.Identity(), *(nn.Dropout(dropout) for _ in self.layers[1:])])
        self.head = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        # On the meta device, used to count parameters and operations, samples have no values.
        if lengths is None and self.packed and not x.is_meta:
            lengths = trailing_lengths(x)
        steps = x.transpose(1, 2)
        for dropout, layer, norm in zip(self.between, self.layers, self.norms, strict=True):
            steps = norm(layer(dropout(steps))[0])
        if self.mean_over_time:
            mask = None if lengths is None else valid_mask(lengths, x.shape[2])
            return cast(Tensor, self.head(masked_mean(steps.transpose(1, 2), mask)))
        return cast(Tensor, self.head(last_valid(steps, lengths)))
