"""Scaling: the rows of a run in units that a network can learn from, whatever the units of the data set.

- `none`: the rows as they are
- `standard`: each channel minus its mean, divided by its standard deviation, both of the training rows
- `standard-per-series`: the same, with the mean and the standard deviation of each channel of each series
- `minmax-per-series`: each channel of each series from 0 to 1

Statistics are computed in float64, from valid samples only. Padding stays zero. Where all samples are equal, there is
nothing to divide by, and the samples become 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.lengths import within
from zoo.data.rows import Rows
from zoo.data.series import Floats, Ints
from zoo.data.unread import Unread, Values, changed
from zoo.errors import unknown_name
from zoo.specs import SCALES

SLICE = 2**20  # samples in float64 at a time
# Networks are made for samples around 0 of about this size; a data set outside is scaled by default.
LARGEST_MEAN, SMALLEST_STD, LARGEST_STD = 1.0, 0.1, 10.0

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scaling:
    """The scaling of all rows of a run. Raises UnknownName for a scale that is not one of `zoo.specs.SCALES`.

    mean, std  of `standard`: float32 `(channels,)`, learnt from the training rows; else None
    """

    scale: str = "none"
    mean: Floats | None = None
    std: Floats | None = None

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise unknown_name("scale", self.scale, SCALES)

    @classmethod
    def learnt(cls, scale: str, train: Rows) -> "Scaling":
        """Return a scaling with the statistics of the training rows, which must not be resampled."""
        if scale != "standard":
            return cls(scale)
        found = moments(train.values, train.lengths)
        std = found.std.astype(np.float32)
        return cls(scale, found.mean.astype(np.float32), np.where(std > 0, std, np.float32(1)))

    def applied(self, rows: Rows) -> Rows:
        """Return the scaled rows, as new values; with the scale `none` the same rows."""
        if self.scale == "none":
            return rows
        lengths = rows.lengths
        if isinstance(rows.values, Unread):
            scaled = changed(
                rows.values, lambda values, places: self._scaled(values, None if lengths is None else lengths[places])
            )
            return replace(rows, values=scaled)
        return replace(rows, values=self._scaled(rows.values, lengths))

    def _scaled(self, values: Floats, lengths: Ints | None) -> Floats:
        scaled = np.empty_like(values)
        for part, samples, inside in _slices(values, lengths):
            centre, spread = self._centre_and_spread(samples, inside)
            scaled[part] = _valid((samples - centre) / spread, inside, 0.0)
        return scaled

    def _centre_and_spread(self, samples: Doubles, inside: Mask | None) -> tuple[Any, Any]:
        """Return what is subtracted from the samples, and what divides them."""
        if self.mean is not None and self.std is not None:
            return self.mean.astype(np.float64)[:, np.newaxis], self.std.astype(np.float64)[:, np.newaxis]
        low, high = _extremes(samples, inside, axes=(2,))
        if self.scale == "minmax-per-series":
            centre, spread = low, high - low
        else:
            centre = _mean(samples, inside)
            spread = np.sqrt(_mean((samples - centre) ** 2, inside))
        flat = low == high
        return np.where(flat, low, centre), np.where(flat, 1.0, spread)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of the valid samples of each channel, float64 `(channels,)`.

    The deviation of a channel whose samples are all equal is exactly 0.
    """

    mean: Doubles
    std: Doubles

    def pooled(self) -> tuple[float, float]:
        """Return the mean and the standard deviation of the samples of all channels together."""
        mean = self.mean.mean()
        return float(mean), float(np.sqrt((self.std**2 + (self.mean - mean) ** 2).mean()))

    def why_scaled(self) -> str:
        """Return why a network cannot learn from such samples as they are; "" if it can."""
        mean, std = self.pooled()
        if abs(mean) > LARGEST_MEAN or (std > 0 and not SMALLEST_STD <= std <= LARGEST_STD):
            return f"their mean is {mean:.4g} and their standard deviation {std:.4g}"
        spreads = self.std[self.std > 0]
        if spreads.size and spreads.max() * SMALLEST_STD > spreads.min() * LARGEST_STD:
            return f"the standard deviations of their channels are from {spreads.min():.4g} to {spreads.max():.4g}"
        return ""


def moments(values: Values, lengths: Ints | None, index: Ints | None = None) -> Moments:
    """Return the moments of rows `(rows, channels, times)`, or of those at the positions `index`."""
    channels = values.shape[1]
    count = 0
    total, low, high = np.zeros(channels), np.full(channels, np.inf), np.full(channels, -np.inf)
    for _, samples, inside in _slices(values, lengths, index):
        count += len(samples) * samples.shape[2] if inside is None else int(inside.sum())
        total += _valid(samples, inside, 0.0).sum(axis=(0, 2))
        lowest, highest = _extremes(samples, inside, axes=(0, 2))
        low, high = np.minimum(low, lowest.reshape(-1)), np.maximum(high, highest.reshape(-1))
    mean = np.where(low == high, low, total / count)
    squares = np.zeros(channels)
    for _, samples, inside in _slices(values, lengths, index):
        squares += _valid((samples - mean[:, np.newaxis]) ** 2, inside, 0.0).sum(axis=(0, 2))
    return Moments(mean, np.sqrt(squares / count))


def _slices(
    values: Values, lengths: Ints | None, index: Ints | None = None
) -> Iterator[tuple[Any, Doubles, Mask | None]]:
    """Yield some rows at a time: their positions, their samples in float64, and which of these are valid, if known."""
    rows = len(values) if index is None else len(index)
    step = max(1, SLICE // (values.shape[1] * values.shape[2]))
    for start in range(0, rows, step):
        part = slice(start, start + step) if index is None else index[start : start + step]
        inside = None if lengths is None else within(lengths[part], values.shape[2])
        yield part, values[part].astype(np.float64), inside


def _valid(samples: Doubles, inside: Mask | None, instead: float) -> Doubles:
    return samples if inside is None else np.where(inside, samples, instead)


def _mean(samples: Doubles, inside: Mask | None) -> Doubles:
    """Return the mean of each channel of each series, `(rows, channels, 1)`."""
    count = samples.shape[2] if inside is None else inside.sum(axis=2, keepdims=True)
    return np.asarray(_valid(samples, inside, 0.0).sum(axis=2, keepdims=True) / count)


def _extremes(samples: Doubles, inside: Mask | None, axes: tuple[int, ...]) -> tuple[Doubles, Doubles]:
    """Return the lowest and the highest valid sample along the axes, which are kept with length 1."""
    low = _valid(samples, inside, np.inf).min(axis=axes, keepdims=True)
    return low, _valid(samples, inside, -np.inf).max(axis=axes, keepdims=True)
