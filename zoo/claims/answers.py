"""The answer to a hypothesis, and the number of seeds that would decide it.

The claim is that the difference is on one side of the margin. It is confirmed if the whole 95 % interval of the
difference is on this side, and refuted if the whole interval is on the other side. Else it is undecided. Each error
has a probability of at most 2.5 %, and at the margin both together of at most 5 %.
`python benchmarks/false_answers.py` measures it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.special import ndtr

from zoo.claims.hypothesis import Direction
from zoo.claims.measures import Measured
from zoo.metrics.differences import Difference
from zoo.metrics.seeds import FEWEST

MOST_SEEDS = 1_000


class Answer(StrEnum):
    """The answer to a hypothesis."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Needed:
    """The seeds that would decide a hypothesis if its effect and variances are those seen so far.

    seeds    None if more than `MOST_SEEDS` are needed, or if nothing is known yet
    by_rows  whether no number of seeds decides it, because the test rows are too few
    """

    seeds: int | None = None
    by_rows: bool = False


def answer_of(found: Measured, direction: Direction, margin: float) -> Answer:
    """Return the answer for a claim with a margin; for a ratio, both are logarithms."""
    if found.difference is None or found.reason or too_few(found.difference):
        return Answer.UNDECIDED
    low, high = found.difference.limits
    low, high = -np.inf if found.at_most else low, np.inf if found.at_least else high
    return decided(low, high, direction, margin)


def decided(low: float, high: float, direction: Direction, margin: float) -> Answer:
    """Return the answer for the interval of a difference."""
    if direction == Direction.LOWER:
        low, high = -high, -low
    if direction == Direction.EQUAL:
        inside, outside = -margin < low and high < margin, low > margin or high < -margin
    else:
        inside, outside = low > margin, high < margin
    return Answer.CONFIRMED if inside else Answer.REFUTED if outside else Answer.UNDECIDED


def too_few(found: Difference) -> bool:
    """Whether the seeds are too few for an answer."""
    return found.folds is None and len(found.values) < FEWEST


def p_of(found: Difference, direction: Direction, margin: float) -> float | None:
    """Return the probability of a difference at least as far from the margin if it is at the margin; None if unknown.

    The margin of a claim of equality has two sides: the nearer one counts.
    """
    if too_few(found):
        return None
    sign = -1 if direction == Direction.LOWER else 1
    distance = sign * found.mean - margin
    if direction == Direction.EQUAL:
        distance = abs(found.mean) - margin
    return replace(found, values=np.full_like(found.values, distance)).p if distance else 1.0


def needed(found: Measured, direction: Direction, margin: float) -> Needed:
    """Return the number of seeds that would decide a claim, from the effect and the variances seen so far."""
    if found.difference is None or found.reason or len(found.difference.values) < 2 or found.at_least or found.at_most:
        return Needed()
    parts = _Parts.of(found)
    mean = found.difference.mean
    for seeds in range(FEWEST, MOST_SEEDS + 1):
        half = parts.half(seeds)
        if decided(mean - half, mean + half, direction, margin) != Answer.UNDECIDED:
            return Needed(seeds)
    half = parts.half(10**9)
    bounded = decided(mean - half, mean + half, direction, margin) == Answer.UNDECIDED and parts.rows > 0
    return Needed(by_rows=bounded)


def chance(found: Measured, direction: Direction, margin: float, seeds: int) -> float:
    """Return a rough probability that this number of seeds in all decides a claim; 0.5 if too little is known."""
    if found.difference is None or found.reason or len(found.difference.values) < 2:
        return 0.5
    parts, mean, known = _Parts.of(found), found.difference.mean, len(found.difference.values)
    half, spread = parts.half(seeds), np.sqrt(parts.seed * max(1 / known - 1 / max(seeds, known + 1), 1e-12))
    edges = (
        (margin, -margin) if direction == Direction.EQUAL else (-margin if direction == Direction.LOWER else margin,)
    )
    near = min(edges, key=lambda edge: abs(mean - edge))
    return float(ndtr((abs(mean - near) - half) / max(spread, 1e-12)))


@dataclass(frozen=True)
class _Parts:
    """The variances of one seed: over seeds, over rows in all seeds alike (`rows`), and over rows of one seed alone."""

    seed: float
    rows: float
    own: float
    freedom: float

    @classmethod
    def of(cls, found: Measured) -> "_Parts":
        assert found.difference is not None
        values, within = found.difference.values, found.difference.variances[1]
        own = max((found.one_seed - within) * len(values) / (len(values) - 1), 0.0)
        seed = float(values.var(ddof=1))
        if found.difference.variances[0]:
            seed = max(seed, found.difference.variances[0] * len(values))
        return cls(seed, max(found.one_seed - own, 0.0), own, found.difference.freedoms[1])

    def half(self, seeds: int) -> float:
        """Return half the width of the interval of a mean of this number of seeds."""
        from zoo.metrics.limits import students

        over_seeds = students(seeds - 1) ** 2 * self.seed / seeds
        return float(np.sqrt(over_seeds + students(self.freedom) ** 2 * (self.rows + self.own / seeds)))


def refutes(p: float | None, parts: int) -> bool:
    """Whether one refuted part of several refutes the hypothesis: the chance of any false one stays at 5 %."""
    return p is None or parts < 3 or p <= 0.1 / parts
