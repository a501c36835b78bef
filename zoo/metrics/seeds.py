"""Intervals of the expected score of a configuration, over seeds and over test rows, for one training pool.

The variance is s²/S over the S seeds, plus the variance over rows (or patients) of the mean score of the seeds, since
all seeds are scored on the same rows. The degrees of freedom of the sum are Satterthwaite's (1946). With fewer than
`FEWEST` seeds, the interval is over rows only.
"""

from collections.abc import Sequence

import numpy as np

from zoo.metrics import limits
from zoo.metrics.outcome import Doubles, Outcome
from zoo.metrics.patients import variance_of

FEWEST = 5  # seeds: the variance of fewer is too uncertain


def of_expected(values: Doubles, rows: tuple[float, float], freedom: float) -> tuple[float, float]:
    """Return the interval of a mean of seeds, from their values and the interval `rows` over rows of that mean.

    `freedom` is that of the variance over rows.
    """
    mean = float(values.mean())
    between = float(values.var(ddof=1)) / len(values) if len(values) >= FEWEST else 0.0
    halves = []
    for end in rows:
        within = ((end - mean) / limits.Z) ** 2
        free = limits.satterthwaite([between, within], [len(values) - 1, freedom]) if between else np.inf
        halves.append(limits.students(free) * float(np.sqrt(between + within)))
    return mean - halves[0], mean + halves[1]


def over_rows_of_mean(
    tests: Sequence[Outcome], name: str, found: Sequence[tuple[float, float]], number: int | None = None
) -> tuple[float, float]:
    """Return by how much the interval over rows of the mean of seeds goes below and above it.

    `found` has for each seed how much its own interval goes below and above its score. Their mean would be right if all
    seeds were wrong on the same rows. It is reduced by how much the mean of the seeds varies less from row to row.
    `number` is the position of the class, for a score by class.
    """
    every = [test.influence(name) for test in tests]
    influences = every if number is None else [each[:, number] for each in every]
    own = float(np.mean([np.sqrt(variance_of(test, each)) for test, each in zip(tests, influences, strict=True)]))
    joint = float(np.sqrt(variance_of(tests[0], np.mean(influences, axis=0))))
    ratio = min(joint / own, 1.0) if own > 0 else 1.0
    below, above = np.mean(found, axis=0)
    return float(below) * ratio, float(above) * ratio
