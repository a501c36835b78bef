"""A line of signs whose heights are values."""

from collections.abc import Sequence
from math import isfinite
from statistics import fmean

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.-=+*#@"
WIDEST = 60  # signs in a line of a terminal


def sparkline(values: Sequence[float], width: int, encoding: str = "utf-8") -> str:
    """Draw values in `width` signs or fewer, each the mean of its values, between the lowest and the highest mean.

    Where no value is finite, the sign is a space. `encoding` is that of the stream: if it has no blocks, the signs are
    ASCII.
    """
    signs = BLOCKS if _can_write(BLOCKS, encoding) else ASCII
    means = [_mean(stretch) for stretch in _stretches(values, width)]
    known = [value for value in means if value is not None]
    low, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    return "".join(
        " " if value is None else signs[round((len(signs) - 1) * (value - low) / span) if span > 0 else 0]
        for value in means
    )


def _stretches(values: Sequence[float], width: int) -> list[Sequence[float]]:
    number = min(len(values), max(1, width))
    return [values[len(values) * place // number : len(values) * (place + 1) // number] for place in range(number)]


def _mean(values: Sequence[float]) -> float | None:
    finite = [value for value in values if isfinite(value)]
    return fmean(finite) if finite else None


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
