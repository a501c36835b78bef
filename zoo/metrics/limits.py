"""95 % intervals: from counts, from draws, from variances. All are functions of numbers, and know no classes by name.

`python benchmarks/coverage.py` measures how often each contains the true score. Limits are arrays of the shape of the
values, or floats.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betaincinv, ndtri, stdtrit

Doubles = npt.NDArray[np.float64]
Limits = tuple[Doubles, Doubles]
Found = tuple[float, float] | str  # an interval, or the reason for which there is none

Z = float(ndtri(0.975))
FEW_ROWS = 5  # a mean of recalls uses exact limits for classes with so few rows: with Wilson's it covers 87 %


def wilson(shares: npt.ArrayLike, sizes: npt.ArrayLike) -> Limits:
    """Return the interval of shares of `sizes` rows (Wilson 1927, Probable inference).

    With one hit, the lower limit is that of a Poisson count, and with one miss the upper limit (Brown, Cai and DasGupta
    2001, Interval estimation for a binomial proportion, 4.1.1): there, Wilson's limits cover only 83 %.
    """
    share, size = np.asarray(shares, np.float64), np.asarray(sizes, np.float64)
    centre = (share + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z * np.sqrt(share * (1 - share) / size + (Z / (2 * size)) ** 2) / (1 + Z**2 / size)
    low, high = np.where(share <= 0, 0.0, centre - half), np.where(share >= 1, 1.0, centre + half)
    poisson = -np.log(0.95) / size
    low = np.where(np.isclose(share * size, 1), np.minimum(low, poisson), low)
    high = np.where(np.isclose((1 - share) * size, 1), np.maximum(high, 1 - poisson), high)
    return low, high


def exact(hits: npt.ArrayLike, sizes: npt.ArrayLike) -> Limits:
    """Return the exact interval of `hits` of `sizes` rows (Clopper and Pearson 1934)."""
    hit, size = np.asarray(hits, np.float64), np.asarray(sizes, np.float64)
    low = np.where(hit > 0, betaincinv(np.maximum(hit, 1), size - hit + 1, 0.025), 0.0)
    high = np.where(hit < size, betaincinv(hit + 1, np.maximum(size - hit, 1), 0.975), 1.0)
    return low, high


def of_mean(values: Doubles, limits: Limits, correlation: Doubles | None = None) -> tuple[float, float]:
    """Return the interval of the mean of values from their limits, `(values,)`: MOVER.

    The values are independent, or have the `correlation` `(values, values)` (Zou and Donner 2008, Construction of
    confidence limits about effect measures).
    """
    related = np.eye(len(values)) if correlation is None else correlation
    below, above = values - limits[0], limits[1] - values
    down, up = (np.sqrt(max(float(side @ related @ side), 0.0)) / len(values) for side in (below, above))
    return float(values.mean()) - down, float(values.mean()) + up


def of_mean_share(hits: Doubles, sizes: Doubles) -> tuple[float, float]:
    """Return the interval of the mean of independent shares, such as macro recall, from `hits` of `sizes` rows.

    It is MOVER from Wilson's limits, but from exact limits for classes of up to `FEW_ROWS` rows, and never narrower
    than the mean with 1.96 standard errors: without these, it covers 87 % (few rows) and 82 % (many small classes).
    """
    shares = hits / sizes
    few = sizes <= FEW_ROWS
    limits = [np.where(few, *pair) for pair in zip(exact(hits, sizes), wilson(shares, sizes), strict=True)]
    low, high = of_mean(shares, (limits[0], limits[1]))
    variance = np.where(sizes > 1, shares * (1 - shares) / np.maximum(sizes - 1, 1), 0.25)
    half, mean = Z * float(np.sqrt(variance.sum())) / len(shares), float(shares.mean())
    return max(min(low, mean - half), 0.0), min(max(high, mean + half), 1.0)


def of_draws(value: Doubles, draws: Doubles) -> Limits:
    """Return the interval of scores `(scores,)` from draws of their posterior, `(draws, scores)`.

    It is the wider of two intervals at each end: the middle 95 % of the draws, and these moved so that their median is
    the observed score. The prior moves the draws, which matters where it is many pseudo-rows for few rows.
    """
    low, middle, high = np.percentile(draws, [2.5, 50, 97.5], axis=0)
    moved = value - middle
    return np.minimum(low, low + moved), np.maximum(high, high + moved)


def of_auroc(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """Return the interval of an area under the ROC curve.

    It solves for areas whose distance from the observed one is 1.96 of their own standard errors (Newcombe 2006,
    Confidence intervals for an effect size measure based on the Mann-Whitney statistic, method 5).
    """
    weight = (positives + negatives) / 2 - 1

    def beyond(true: float) -> float:
        spread = 1 + weight * ((1 - true) / (2 - true) + true / (1 + true))
        return (true - area) ** 2 - Z**2 * true * (1 - true) * spread / (positives * negatives)

    inside = min(max(area, 1e-9), 1 - 1e-9)  # at 0 and 1 every variance is zero
    low = 0.0 if area <= 0 else brentq(beyond, 0.0, inside)
    high = 1.0 if area >= 1 else brentq(beyond, inside, 1.0)
    return float(low), float(high)


def of_units(value: float, variance: float, units: float) -> tuple[float, float]:
    """Return the interval of a score in [0, 1] whose variance was estimated between `units` patients.

    It is Wilson's for the number of independent rows with this variance, reduced for the few patients by Student's
    quantile (Korn and Graubard 1998, Confidence intervals for proportions with small expected number of positive
    counts). That number is less than 2 * units**1.5: where a few patients have most of the misses, the variance is
    often too small, and the interval would cover 83 %. Without any variance, it is the number of patients.
    """
    size = 1 / (variance / (value * (1 - value)) + 0.5 / units**1.5) if variance > 0 else units
    low, high = wilson(value, max(size, 1.0) * (Z / students(units - 1)) ** 2)
    return float(low), float(high)


def of_loss(mean: float, variance: float, freedom: float) -> tuple[float, float]:
    """Return the interval of a mean loss, which is never negative and has a long upper tail.

    Student's quantile is applied to the loss for the lower limit, and to its logarithm for the upper limit.
    """
    half = students(freedom) * float(np.sqrt(variance))
    return max(mean - half, 0.0), mean * float(np.exp(half / mean)) if mean > 0 else half


def students(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t distribution."""
    return float(stdtrit(freedom, 0.975))


def satterthwaite(variances: npt.ArrayLike, freedoms: npt.ArrayLike) -> float:
    """Return the degrees of freedom of a sum of variances (Satterthwaite 1946)."""
    variance, freedom = np.asarray(variances, np.float64), np.asarray(freedoms, np.float64)
    parts = (variance**2 / freedom).sum()
    return float(variance.sum() ** 2 / parts) if parts > 0 else float(freedom.max())


def effective(counts: npt.ArrayLike) -> float:
    """Return the effective number of patients with these numbers of rows, 1 / sum(p²); 0 without rows (Kish 1965)."""
    count = np.asarray(counts, np.float64)
    return float(count.sum() ** 2 / (count**2).sum()) if count.any() else 0.0
