"""Configurations over several data sets, from a table of scores `(data sets, configurations)`.

Each data set counts once (Demšar 2006, Statistical comparisons of classifiers over multiple data sets, JMLR 7). Pairs
are compared by Wilcoxon's signed ranks and not by their mean ranks, which depend on the other configurations (Benavoli,
Corani and Mangili 2016, Should we really use post-hoc tests based on mean-ranks?, JMLR 17). `python
benchmarks/false_boards.py --only datasets` measures how often a difference is found by chance.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc
from scipy.stats import friedmanchisquare, rankdata, wilcoxon

from zoo.metrics.multiple import ALPHA
from zoo.metrics.outcome import Doubles

EXACT = 50  # data sets: with more, the normal approximation of Wilcoxon's test is close
ROPE = 0.01  # scores that differ by less are equal in practice, as in Benavoli et al. 2017
DRAWS = 20_000


def ranks(scores: Doubles) -> Doubles:
    """Return the rank of each configuration on each data set, 1 for the highest score; ties share their mean rank."""
    found: Doubles = rankdata(-scores, axis=1)
    return found


def friedman(scores: Doubles) -> tuple[float, float]:
    """Return the statistic of Friedman (1937), corrected for ties, and its p value; three configurations or more."""
    if (scores == scores[:, :1]).all():
        return 0.0, 1.0
    found = friedmanchisquare(*scores.T)
    return float(found.statistic), float(found.pvalue)


def friedman_possible(datasets: int, configurations: int) -> bool:
    """Return whether Friedman's p can reach 0.05: it is lowest if all data sets have the same order."""
    freedom = configurations - 1
    return freedom > 1 and float(chdtrc(freedom, datasets * freedom)) <= ALPHA


def signed_ranks(differences: Doubles) -> tuple[float, float]:
    """Return the statistic of Wilcoxon (1945), the smaller sum of ranks, and its p value.

    The ranks of zeros go half to each sign, as in Demšar 2006. The p value is exact for up to 50 data sets, also with
    ties and zeros, where that of scipy is not.
    """
    if not differences.any():
        return float(len(differences) * (len(differences) + 1) / 4), 1.0
    if len(differences) > EXACT:
        found = wilcoxon(differences, zero_method="zsplit", method="approx")
        return float(found.statistic), float(found.pvalue)
    order = rankdata(np.abs(differences))
    decided = differences != 0
    above = float(order[differences > 0].sum())
    low = min(above, float(order[decided].sum()) - above)
    chances = _of_sums(np.rint(2 * order[decided]).astype(int))
    p = min(2 * float(chances[: round(2 * low) + 1].sum()), 1.0)
    return low + float(order[~decided].sum()) / 2, p


def _of_sums(sizes: npt.NDArray[np.int64]) -> Doubles:
    """Return the probability of each sum from 0 on of whole numbers, if each is in it or not with equal chance."""
    chances = np.ones(1)
    for size in sizes:
        more = np.zeros(len(chances) + size)
        more[: len(chances)] += chances / 2
        more[size:] += chances / 2
        chances = more
    return chances


def of_median(differences: Doubles) -> tuple[float, float]:
    """Return the 95 % interval that belongs to `signed_ranks`, of six differences or more.

    Its ends are means of two differences (Walsh 1949): those at which the test would reach 5 % (Hollander and Wolfe
    1999, Nonparametric statistical methods, 3.3). Without ties it is exact.
    """
    size = len(differences)
    one, other = np.triu_indices(size)
    means = np.sort((differences[one] + differences[other]) / 2)
    below = np.cumsum(_of_sums(np.arange(1, size + 1)))
    outside = int(np.searchsorted(2 * below, ALPHA, side="right"))
    return float(means[max(outside - 1, 0)]), float(means[-max(outside, 1)])


def signed_ranks_possible(datasets: int, comparisons: int) -> bool:
    """Return whether an adjusted p can reach 0.05: it is lowest if all differences have one sign."""
    return bool(comparisons * 2.0 ** (1 - datasets) <= ALPHA)


def posterior(differences: Doubles, draws: int = DRAWS, seed: int = 0) -> tuple[float, float, float]:
    """Return the probabilities that the first is better, equal in practice, or worse on a further data set.

    It is the Bayesian signed-rank test (Benavoli, Corani, Demšar and Zaffalon 2017, Time for a change, JMLR 18): a
    Dirichlet process with a prior of half a data set without a difference.
    """
    values = np.append(differences, 0.0)
    sums = values[:, None] + values[None]
    weights = np.random.default_rng(seed).dirichlet(np.append(np.ones(len(differences)), 0.5), draws)
    sides = (sums > 2 * ROPE, np.abs(sums) <= 2 * ROPE, sums < -2 * ROPE)
    shares = np.stack([((weights @ side) * weights).sum(1) for side in sides])
    better, equal, worse = (np.bincount(shares.argmax(0), minlength=3) / draws).tolist()
    return better, equal, worse
