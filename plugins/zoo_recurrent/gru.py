"""The gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) on the samples as they are."""

from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from zoo import ModelError
from zoo.layers import check_word, last_valid, masked_mean, trailing_lengths, valid_mask

NORMS = {"none": nn.Identity, "layer": nn.LayerNorm}
POOLS = ("last", "gap")


class GRU(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`.

    One step of the GRU for each sample; its output goes through two linear layers, as behind the convolutions
    of `cnngru`.

    hidden   units of each of the `num_layers` layers
    dropout  between the layers; one layer has none
    norm     `layer`: layer normalisation (Ba et al. 2016, arXiv:1607.06450) of every layer's output at each step,
             so of what the next layer or the classifier reads; the gates inside stay as they are, and so does the
             input, since a single channel less its own mean is nothing. `none`
    packed   where no lengths are declared, a series ends at its last non-zero sample and the rest is padding.
             As packing does, this keeps the padding out: the GRU steps through it only after every step that is
             classified
    pool     what is classified: the output at the `last` valid step, or the mean over all of them (`gap`)
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
            raise ModelError(f"hidden and num_layers are 1 or more, not {hidden} and {num_layers}")
        if not 0 <= dropout <= 1:  # a single layer would not look at it
            raise ModelError(f"dropout is from 0 to 1, not {dropout}")
        self.packed, self.mean_over_time = packed, pool == "gap"
        widths = [n_channels, *[hidden] * num_layers]
        self.layers = nn.ModuleList(nn.GRU(n_in, n_out, batch_first=True) for n_in, n_out in pairwise(widths))
        self.norms = nn.ModuleList(NORMS[norm](hidden) for _ in self.layers)
        self.between = nn.ModuleList([nn.Identity(), *(nn.Dropout(dropout) for _ in self.layers[1:])])
        self.head = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        # On the meta device, where networks are measured, there are no samples to look for an end in.
        if lengths is None and self.packed and not x.is_meta:
            lengths = trailing_lengths(x)
        steps = x.transpose(1, 2)
        for dropout, layer, norm in zip(self.between, self.layers, self.norms, strict=True):
            steps = norm(layer(dropout(steps))[0])
        if self.mean_over_time:
            mask = None if lengths is None else valid_mask(lengths, x.shape[2])
            return cast(Tensor, self.head(masked_mean(steps.transpose(1, 2), mask)))
        return cast(Tensor, self.head(last_valid(steps, lengths)))
