"""Layers that plugins share: what it takes to keep the padding of short series out of a network."""

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn

from zoo.errors import ModelError


class BlockFactory(Protocol):
    """What an architecture's `block` argument is: call it with a channel count to get a layer."""

    def __call__(self, channels: int) -> nn.Module: ...


def check_word(name: str, value: str, known: Collection[str]) -> None:
    """Raise ModelError, in one line, for a parameter that is none of the known words."""
    if value not in known:
        raise ModelError(f"{name} is {' or '.join(known)}, not {value!r}")


def valid_mask(lengths: Tensor, n_times: int) -> Tensor:
    """Bool `(batch, 1, n_times)`, true where a position is before its row's length."""
    return (torch.arange(n_times, device=lengths.device) < lengths[:, None])[:, None]


def trailing_lengths(x: Tensor) -> Tensor:
    """int64 `(batch,)`: where rows of `(batch, channels, times)` end if zeros at their end are padding; at least 1."""
    positions = torch.arange(1, x.shape[2] + 1, device=x.device)
    return (positions * (x != 0).any(1)).amax(1).clamp(min=1)


def keep_valid(x: Tensor, mask: Tensor | None) -> Tensor:
    """`(batch, channels, times)` with zeros where the mask is false; as it is where there is no mask."""
    return x if mask is None else x.masked_fill(~mask, 0.0)


def last_valid(steps: Tensor, lengths: Tensor | None) -> Tensor:
    """The last valid step of `(batch, times, features)`: `(batch, features)`."""
    if lengths is None:
        return steps[:, -1]
    return steps[torch.arange(len(steps), device=steps.device), lengths - 1]


def masked_mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """The mean of `(batch, channels, *positions)` over its positions, valid ones only: `(batch, channels)`."""
    if mask is None:
        return x.flatten(2).mean(2)
    return keep_valid(x, mask).sum(2) / mask.sum(2)


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """A context without autocast, for what needs float32 such as an FFT; nothing where the device knows no autocast."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of `(batch, channels, times)` that counts valid positions only.

    With a mask, invalid positions come out as zero, so that a convolution after it sees what it would see
    beyond the end of a series.
    """

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().forward(input)
        valid = mask[:, 0]
        output = input.new_zeros(input.shape).transpose(1, 2)
        output[valid] = super().forward(input.transpose(1, 2)[valid]).to(output.dtype)
        return output.transpose(1, 2)


def convolution(dims: int, n_in: int, n_out: int, kernel_size: int = 3, dilation: int = 1) -> nn.Module:
    """A convolution that keeps the size of its input, in one or two dimensions; the kernel's size is odd."""
    conv = {1: nn.Conv1d, 2: nn.Conv2d}[dims]
    return conv(n_in, n_out, kernel_size, padding=dilation * (kernel_size // 2), dilation=dilation)


def batch_norm(dims: int, channels: int) -> nn.Module:
    """Batch normalisation in one or two dimensions."""
    return MaskedBatchNorm1d(channels) if dims == 1 else nn.BatchNorm2d(channels)


class Layers(nn.ModuleList):
    """Layers one after the other, each of which keeps the times; the mask goes to those that are not torch's own.

    With a mask, a 1-D convolution sees zeros beyond the end of each series, whatever the layer before it left there.
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
