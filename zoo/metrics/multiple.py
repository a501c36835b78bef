"""Several comparisons at once: adjusted p values, and which ranks are possible.

Each comparison by itself finds a difference between equal configurations in up to 5 % of cases. Holm's procedure (1979)
keeps the chance of any false finding among all of them below 5 %. `python benchmarks/false_boards.py` measures it.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

ALPHA = 0.05


def holm(values: npt.ArrayLike) -> list[float]:
    """Return p values adjusted for their number (Holm 1979, A simple sequentially rejective multiple test procedure).

    NaN is a comparison that was not possible: it stays NaN and does not count.
    """
    found = np.asarray(values, np.float64)
    order = np.argsort(found, kind="stable")[: int((~np.isnan(found)).sum())]
    steps = found[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(len(found), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(each) for each in adjusted]


def rank_intervals(beaten: Sequence[Sequence[bool]]) -> list[tuple[int, int]]:
    """Return the ranks that each of k configurations can have: 1 + those above it, to k - those below it.

    `beaten[i][j]` is whether i is significantly better than j, from all pairs.
    """
    above, below = np.sum(beaten, axis=0), np.sum(beaten, axis=1)
    return [(1 + int(high), len(beaten) - int(low)) for high, low in zip(above, below, strict=True)]


def pairs_of(size: int) -> list[tuple[int, int]]:
    """Return all pairs of positions, the smaller first."""
    return list(combinations(range(size), 2))
