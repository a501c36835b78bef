"""A network behind the scaling of its run: it takes rows in the units of the data set."""

import torch
from torch import Tensor, nn

from zoo.data.scaling import Scaling


class Scaled(nn.Module):
    """A trained network that scales its input first, as the rows of its training were scaled.

    It maps `(batch, n_channels, n_times)`, in the units of the data set, to logits `(batch, n_classes)`; padding after
    `lengths` `(batch,)` stays zero. The weights of the network have the prefix `network.`. With the scale `standard`,
    the buffers `mean` and `std` `(n_channels,)` hold the statistics of the training rows. Samples are scaled in float64
    where the device has it, as NumPy scales the training rows. Raises UnknownName for an unknown scale.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, scale: str, n_channels: int) -> None:
        super().__init__()
        self.network, self.scale = network, Scaling(scale).scale
        if scale == "standard":
            self.register_buffer("mean", torch.zeros(n_channels))
            self.register_buffer("std", torch.ones(n_channels))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        scaled = self._scaled(x, lengths)
        logits: Tensor = self.network(scaled) if lengths is None else self.network(scaled, lengths)
        return logits

    def _scaled(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        samples = x.to(torch.float32 if x.device.type == "mps" else torch.float64)
        inside = None if lengths is None else _within(lengths, x.shape[2])
        centre, spread = self._centre_and_spread(samples, inside)
        scaled = _valid((samples - centre) / spread, inside, 0.0)
        return scaled.to(x.dtype if x.is_floating_point() else torch.float32)

    def _centre_and_spread(self, samples: Tensor, inside: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what is subtracted from the samples, and what divides them; as `zoo.data.scaling` does in NumPy."""
        if self.scale == "standard":
            return self.mean.to(samples.dtype)[:, None], self.std.to(samples.dtype)[:, None]
        low = _valid(samples, inside, torch.inf).amin(dim=2, keepdim=True)
        high = _valid(samples, inside, -torch.inf).amax(dim=2, keepdim=True)
        if self.scale == "minmax-per-series":
            centre, spread = low, high - low
        else:
            centre = _mean(samples, inside)
            spread = _mean((samples - centre) ** 2, inside).sqrt()
        flat = low == high
        return torch.where(flat, low, centre), torch.where(flat, 1.0, spread)


def behind(scaling: Scaling, network: nn.Module) -> nn.Module:
    """Return the network behind a scaling; the network itself if that scales nothing."""
    if scaling.scale == "none":
        return network
    if scaling.mean is None or scaling.std is None:
        return Scaled(network, scaling.scale, n_channels=0)
    module = Scaled(network, scaling.scale, len(scaling.mean))
    module.mean.copy_(torch.from_numpy(scaling.mean))
    module.std.copy_(torch.from_numpy(scaling.std))
    return module


def _within(lengths: Tensor, times: int) -> Tensor:
    """Return bool `(batch, 1, times)`: true for the samples before the end of their row."""
    return torch.arange(times, device=lengths.device) < lengths[:, None, None]


def _valid(samples: Tensor, inside: Tensor | None, instead: float) -> Tensor:
    return samples if inside is None else torch.where(inside, samples, instead)


def _mean(samples: Tensor, inside: Tensor | None) -> Tensor:
    count = samples.shape[2] if inside is None else inside.sum(dim=2, keepdim=True)
    return _valid(samples, inside, 0.0).sum(dim=2, keepdim=True) / count
