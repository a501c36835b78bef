"""From a signal to a picture: float `(batch, channels, times)` to `(batch, channels, size, size)`.

Each channel of the signal becomes a channel of the picture.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo import ModelError

FLOOR = 1e-6  # added to powers before the logarithm: 60 dB below 1


class Fold(nn.Module):
    """The series in rows of `width` samples, zero-padded at the end, as in `cnn2d`.

    width  samples a row; 0 takes the square root of the length, which makes a square
    """

    def __init__(self, n_times: int, size: int, width: int = 12) -> None:
        super().__init__()
        self.size = size
        self.width = width or math.isqrt(n_times - 1) + 1
        self.padding = -n_times % self.width

    def forward(self, x: Tensor) -> Tensor:
        return resized(functional.pad(x, (0, self.padding)).unflatten(2, (-1, self.width)), self.size)


class Spectrogram(nn.Module):
    """The logarithm of the power in each frequency (height, lowest first) over time (width).

    A Hann window of `window` samples, or of the whole series where that is shorter, moves by an eighth of itself. Power
    is counted per window energy; the logarithm is scaled so that silence is 0 and a power of 1 is 1.
    """

    window: Tensor

    def __init__(self, n_times: int, size: int, window: int = 32) -> None:
        super().__init__()
        self.size = size
        length = min(window, n_times)
        self.hop = max(1, length // 8)
        self.register_buffer("window", torch.hann_window(length))

    def forward(self, x: Tensor) -> Tensor:
        signals = x.float().flatten(0, 1)  # there is no Fourier transform in bfloat16; autocast leaves this one alone
        window = self.window.float()
        spectrum = torch.stft(signals, len(window), self.hop, window=window, return_complex=True)
        power = (spectrum.real.square() + spectrum.imag.square()) / window.square().sum()
        return resized((1 - torch.log(power + FLOOR) / math.log(FLOOR)).unflatten(0, x.shape[:2]), self.size)


class GramianField(nn.Module):
    """The Gramian angular summation field: Wang and Oates 2015, arXiv:1506.00327, equations 1 and 3.

    Each channel of each row is rescaled to [-1, 1] and averaged to at most `size` pieces (piecewise aggregate
    approximation); the picture is the cosine of the sum of the angles of every two, where a sample is the cosine of its
    angle. A channel that does not vary counts as zero.
    """

    def __init__(self, n_times: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.pieces = min(n_times, size)

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        low, high = x.amin(2, keepdim=True), x.amax(2, keepdim=True)
        scaled = (2 * x - high - low) / (high - low).clamp(min=1e-12)
        cosine = functional.adaptive_avg_pool1d(scaled, self.pieces).clamp(-1, 1)
        sine = (1 - cosine.square()).clamp(min=1e-12).sqrt()  # at 0 its slope would be infinite
        field = cosine[..., :, None] * cosine[..., None, :] - sine[..., :, None] * sine[..., None, :]
        return resized(field, self.size)


def front_end(name: str, *, n_times: int, size: int, width: int, window: int) -> nn.Module:
    """The front end of that name. Raises ModelError for a name that is none, or a width or window that cannot be."""
    if name == "fold":
        if width < 0:
            raise ModelError(f"the fold's width is a number of samples, or 0 for a square, not {width!r}")
        return Fold(n_times, size, width)
    if name == "spectrogram":
        if window < 2:
            raise ModelError(f"the spectrogram's window is 2 samples or more, not {window!r}")
        return Spectrogram(n_times, size, window)
    if name == "gasf":
        return GramianField(n_times, size)
    raise ModelError(f"no front end {name!r}: it is fold, spectrogram or gasf")


def resized(picture: Tensor, size: int) -> Tensor:
    """Bilinear, and averaging where it shrinks, so that no sample is left out."""
    shrinks = max(picture.shape[2:]) > size
    return functional.interpolate(picture, size=(size, size), mode="bilinear", antialias=shrinks)
