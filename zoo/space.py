"""Search spaces: the possible values of hyperparameters, cheap to import.

A space maps the names of parameters to domains. The keys are parameters of an architecture or, with a prefix, of its
block (`block.reduction`) or of training (`training.batch_size`).
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

Value = bool | int | float | str


@dataclass(frozen=True)
class Choice:
    """One of the given values."""

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        if not values:
            raise ValueError("a Choice needs at least one value")
        object.__setattr__(self, "values", values)

    def draw(self, rng: random.Random) -> Value:
        return rng.choice(self.values)

    def __str__(self) -> str:
        return ", ".join(str(value) for value in self.values)


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included; on a log scale if `log`."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.log)

    def draw(self, rng: random.Random) -> int:
        if self.log:
            return min(self.high, round(exp(rng.uniform(log(self.low), log(self.high)))))
        return rng.randint(self.low, self.high)

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{' (log)' if self.log else ''}"


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`; on a log scale if `log`."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.log)

    def draw(self, rng: random.Random) -> float:
        if self.log:
            return exp(rng.uniform(log(self.low), log(self.high)))
        return rng.uniform(self.low, self.high)

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{' (log)' if self.log else ''}"


Domain = Choice | Int | Float
Space = Mapping[str, Domain]


def _check_bounds(low: float, high: float, log_scale: bool) -> None:
    if low > high:
        raise ValueError(f"low {low!r} is above high {high!r}")
    if log_scale and low <= 0:
        raise ValueError(f"a log scale needs low > 0, not {low!r}")
