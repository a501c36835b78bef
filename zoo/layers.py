"""Layers and functions that plugins share; most of them keep the padding of short series out of a network."""

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn

from zoo.errors import ModelError


class BlockFactory(Protocol):
    """The type of an architecture's `block` argument: called with a channel count, it returns a layer."""

    def __call__(self, channels: int) -> nn.Module: ...


def check_word(name: str, value: str, known: Collection[str]) -> None:
    """Raise ModelError, in one line, if `value` is not one of the known words."""
    if value not in known:
        raise ModelError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def valid_mask(lengths: Tensor, n_times: int) -> Tensor:
    """Return bool `(batch, 1, n_times)`: true for the positions before the end of their row."""
    return (torch.arange(n_times, device=lengths.device) < lengths[:, None])[:, None]


def trailing_lengths(x: Tensor) -> Tensor:
    """Return int64 `(batch,)`: lengths of rows `(batch, channels, times)` without zeros at their end; at least 1."""
    positions = torch.arange(1, x.shape[2] + 1, device=x.device)
    return (positions * (x != 0).any(1)).amax(1).clamp(min=1)


def keep_valid(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return `(batch, channels, times)` with zeros where the mask is false; unchanged without a mask."""
    return x if mask is None else x.masked_fill(~mask, 0.0)


def last_valid(steps: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the last valid step of `(batch, times, features)`: `(batch, features)`."""
    if lengths is None:
        return steps[:, -1]
    return steps[torch.arange(len(steps), device=steps.device), lengths - 1]


def masked_mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean of `(batch, channels, *positions)` over the valid positions: `(batch, channels)`."""
    if mask is None:
        return x.flatten(2).mean(2)
    return keep_valid(x, mask).sum(2) / mask.sum(2)


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return a context without autocast, for operations such as an FFT that need float32."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of `(batch, channels, times)` that counts valid positions only.

    With a mask, invalid positions become zero, so that the next convolution sees the same values as beyond the end of a
    series.
    """

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().forward(input)
        valid = mask[:, 0]
        output = input.new_zeros(input.shape).transpose(1, 2)
        output[valid] = super().forward(input.transpose(1, 2)[valid]).to(output.dtype)
        return output.transpose(1, 2)


def convolution(dims: int, n_in: int, n_out: int, kernel_size: int = 3, dilation: int = 1) -> nn.Module:
    """Return a convolution that keeps the size of its input, in one or two dimensions; the kernel size is odd."""
    conv = {1: nn.Conv1d, 2: nn.Conv2d}[dims]
    return conv(n_in, n_out, kernel_size, padding=dilation * (kernel_size // 2), dilation=dilation)


def batch_norm(dims: int, channels: int) -> nn.Module:
    """Return batch normalisation in one or two dimensions."""
    return MaskedBatchNorm1d(channels) if dims == 1 else nn.BatchNorm2d(channels)


class Layers(nn.ModuleList):
    """Layers in sequence that keep the number of times; layers other than torch's own also receive the mask.

    With a mask, a 1-D convolution sees zeros beyond the end of each series, whatever the previous layer left there.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        output: Tensor = x
        for layer in self:
            if mask is None or isinstance(layer, nn.Conv1d):
                output = layer(keep_valid(output, mask))
            elif type(layer).__module__.startswith("torch."):
                output = layer(output)
            else:
                output = layer(output, mask)
        return output
