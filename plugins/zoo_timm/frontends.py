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
    """The series folded into rows of `width` samples, zero-padded at the end, as in `cnn2d`.

    width  samples per row; 0 uses the square root of the length, for a square picture
    """

    def __init__(self, n_times: int, size: int, width: int = 12) -> None:
        super().__init__()
        self.size = size
        self.width = width or math.isqrt(n_times - 1) + 1
        self.padding = -n_times % self.width

    def forward(self, x: Tensor) -> Tensor:
        return resized(functional.pad(x, (0, self.padding)).unflatten(2, (-1, self.width)), self.size)


class Spectrogram(nn.Module):
    """The logarithm of the power at each frequency (height, lowest first) over time (width).

    A Hann window of `window` samples, or of the whole series if that is shorter, moves by an eighth of its length. The
    power is divided by the energy of the window. The logarithm is scaled so that silence is 0 and a power of 1 is 1.
    """

    window: Tensor

    def __init__(self, n_times: int, size: int, window: int = 32) -> None:
        super().__init__()
        self.size = size
        length = min(window, n_times)
        self.hop = max(1, length // 8)
        self.register_buffer("window", torch.hann_window(length))

    def forward(self, x: Tensor) -> Tensor:
        signals = x.float().flatten(0, 1)  # the Fourier transform needs float32; autocast does not change it
        window = self.window.float()
        spectrum = torch.stft(signals, len(window), self.hop, window=window, return_complex=True)
        power = (spectrum.real.square() + spectrum.imag.square()) / window.square().sum()
        return resized((1 - torch.log(power + FLOOR) / math.log(FLOOR)).unflatten(0, x.shape[:2]), self.size)


class GramianField(nn.Module):
    """The Gramian angular summation field: Wang and Oates 2015, arXiv:1506.00327, equations 1 and 3.

    Each channel of each row is rescaled to [-1, 1] and averaged to at most `size` pieces (piecewise aggregate
    approximation). Each piece is the cosine of an angle. The picture contains the cosine of the sum of the angles for
    every pair of pieces. A constant channel counts as zero.
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
        sine = (1 - cosine.square()).clamp(min=1e-12).sqrt()  # the square root has an infinite gradient at 0
        field = cosine[..., :, None] * cosine[..., None, :] - sine[..., :, None] * sine[..., None, :]
        return resized(field, self.size)


def front_end(name: str, *, n_times: int, size: int, width: int, window: int) -> nn.Module:
    """Return the front end of that name. Raises ModelError for an unknown name, or an invalid width or window."""
    if name == "fold":
        if width < 0:
            raise ModelError(f"the fold's width must be a number of samples, or 0 for a square, not {width!r}")
        return Fold(n_times, size, width)
    if name == "spectrogram":
        if window < 2:
            raise ModelError(f"the spectrogram's window must be at least 2 samples, not {window!r}")
        return Spectrogram(n_times, size, window)
    if name == "gasf":
        return GramianField(n_times, size)
    raise ModelError(f"no front end named {name!r}. Available: fold, spectrogram, gasf")


def resized(picture: Tensor, size: int) -> Tensor:
    """Resize bilinearly; average where the picture shrinks, so that no sample is left out."""
    shrinks = max(picture.shape[2:]) > size
    return functional.interpolate(picture, size=(size, size), mode="bilinear", antialias=shrinks)
