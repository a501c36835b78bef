"""The scaling of pictures for pretrained weights: to the values that the weights were trained with.

A picture of a signal has the signal's mean and spread, whatever they are. Pretrained weights expect photographs with
pixels in [0, 1], from which the mean of the pretrained configuration was subtracted, and which were divided by its
standard deviation.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo_timm.library import IMAGENET_MEAN, IMAGENET_STD, PretrainedCfg

MOMENTUM = 0.1  # of the running statistics, after the first ten batches, which are averaged
TINY = 1e-10  # added to variances: a dead channel stays constant, and a signal in volts is scaled


class PretrainedScaling(nn.Module):
    """Scales pictures `(batch, channels, height, width)`; without a configuration, returns them unchanged.

    Each channel is standardised, with the statistics of the batch in training, and with their running mean in
    evaluation, as in batch normalisation. It then has the mean and the standard deviation of a colour of ImageNet's
    photographs after the normalisation of the configuration. They are constants, not parameters.

    timm adapts the first convolution to other numbers of channels, and the colours follow it: with one channel, the
    filters of the three colours are added, so it has their mean; otherwise the three are repeated.
    """

    mean: Tensor
    deviation: Tensor
    running_mean: Tensor
    running_variance: Tensor
    batches: Tensor

    def __init__(self, config: PretrainedCfg | None, channels: int) -> None:
        super().__init__()
        if config is not None:
            self._register(*expected(config, channels))

    def forward(self, pictures: Tensor) -> Tensor:
        if not self._buffers:
            return pictures
        if self.training:
            self._follow(pictures)
            return functional.batch_norm(pictures, None, None, self.deviation, self.mean, training=True, eps=TINY)
        known = self.running_mean, self.running_variance
        return functional.batch_norm(pictures, *known, self.deviation, self.mean, eps=TINY)

    @torch.no_grad()
    def _follow(self, pictures: Tensor) -> None:
        """Update the running statistics."""
        variance, mean = torch.var_mean(pictures.float(), (0, 2, 3))
        self.batches += 1
        weight = (1 / self.batches).clamp(min=MOMENTUM)
        self.running_mean.lerp_(mean, weight)
        self.running_variance.lerp_(variance, weight)

    def _register(self, mean: Tensor, deviation: Tensor) -> None:
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.register_buffer("running_mean", torch.zeros_like(mean))
        self.register_buffer("running_variance", torch.ones_like(mean))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Scale if the stored network did. Its weights came from a file or not, and only its state tells which."""
        stored = state_dict.get(f"{prefix}mean")
        if stored is None:
            self._buffers.clear()
        elif not self._buffers:
            self._register(torch.zeros_like(stored), torch.ones_like(stored))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def expected(config: PretrainedCfg, channels: int) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation `(channels,)` that pretrained weights expect of each channel."""
    photographs = torch.tensor([IMAGENET_MEAN, IMAGENET_STD])
    mean, deviation = torch.tensor([config.mean, config.std])
    colours = torch.stack([(photographs[0] - mean) / deviation, photographs[1] / deviation])
    if channels == 1:
        colours = colours.mean(1, keepdim=True)
    means, deviations = colours[:, torch.arange(channels) % colours.shape[1]]
    return means, deviations
