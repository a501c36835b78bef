"""Two single runs on the same test rows: does one of them find more rows? Other seeds may order them differently."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, permutation_test

from zoo.metrics.outcome import Doubles, Outcome

RESAMPLES = 9999


@dataclass(frozen=True)
class McNemar:
    """The rows that only one of two runs predicted right.

    first, second  their numbers
    p              the probability of numbers at least as different if each row were as likely on either side
    patients       whether p counts whole patients, because rows of one patient are alike
    """

    first: int
    second: int
    p: float
    patients: bool


def mcnemar(one: Outcome, other: Outcome, number: int | None = None) -> McNemar:
    """Return the exact test of McNemar (1947), over all rows or those of the class `number`.

    Where rows are grouped, each patient's difference is as likely with the opposite sign: a permutation test with all
    2**patients signs, or with 9,999 drawn ones if those are more.
    """
    rows = np.ones(len(one.labels), bool) if number is None else one.labels == number
    right = [(each.predicted == each.labels) & rows for each in (one, other)]
    first, second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    if one.unit is None:
        p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    else:
        p = _of_signs(one.by_unit(right[0].astype(np.float64) - right[1]))
    return McNemar(first, second, p, one.unit is not None)


def _of_signs(differences: Doubles) -> float:
    """Return the p value of the sum of differences, of which each is as likely with the opposite sign."""
    apart = differences[differences != 0]
    if len(apart) < 2:
        return 1.0
    found = permutation_test(
        (apart, np.zeros(len(apart))),
        lambda x, y, axis: (x - y).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)
