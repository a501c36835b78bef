"""Configurations compared over several data sets: mean ranks, and tests that take each data set as one observation."""

from collections.abc import Mapping, Sequence

import numpy as np

from zoo.metrics.datasets import (
    friedman,
    friedman_possible,
    posterior,
    ranks,
    signed_ranks,
    signed_ranks_possible,
)
from zoo.metrics.multiple import ALPHA, holm, pairs_of
from zoo.metrics.outcome import Doubles
from zoo.versus.result import DatasetComparison, DatasetPair, Verdict

FEWEST = 6  # data sets: for fewer, the Bayesian test was not simulated


def over_datasets(
    table: Mapping[str, Mapping[str, float]], metric: str, baseline: str = "", *, all_pairs: bool = False, sign: int = 1
) -> DatasetComparison | None:
    """Compare configurations over data sets, from their scores by data set and configuration.

    Only configurations with a score on every data set are compared; None if there are fewer than two. `baseline` is one
    of them, or "" for the one with the lowest mean rank. `sign` is -1 for a score of which lower is better.
    """
    names = list(dict.fromkeys(name for scores in table.values() for name in scores))
    kept = [name for name in names if all(name in scores for scores in table.values())]
    if len(kept) < 2 or len(table) < 2 or (baseline and baseline not in kept):
        return None
    scores = sign * np.array([[row[name] for name in kept] for row in table.values()])
    mean_ranks = ranks(scores).mean(0)
    order = [int(each) for each in np.argsort(mean_ranks, kind="stable")]
    kept, scores, mean_ranks = [kept[number] for number in order], scores[:, order], mean_ranks[order]
    first = kept.index(baseline) if baseline else 0
    every = [(low, high) for high, low in pairs_of(len(kept))]
    one = [(number, first) for number in range(len(kept)) if number != first]
    family = one if baseline and not all_pairs else every
    found = dict(zip(family, _pairs(scores, kept, family, sign), strict=True))
    possible = friedman_possible(*scores.shape)
    statistic, p = friedman(scores) if possible else (None, None)
    return DatasetComparison(
        metric=metric,
        datasets=tuple(table),
        mean_ranks=dict(zip(kept, mean_ranks.tolist(), strict=True)),
        scores={dataset: {name: row[name] for name in kept} for dataset, row in table.items()},
        friedman=statistic,
        friedman_p=p,
        baseline="" if all_pairs else kept[first],
        chosen=bool(baseline),
        comparisons=len(family),
        pairs=tuple(found[pair] for pair in (every if all_pairs else one)),
        left_out=tuple(name for name in names if name not in kept),
    )


def _pairs(scores: Doubles, names: Sequence[str], family: Sequence[tuple[int, int]], sign: int) -> list[DatasetPair]:
    """Return the comparisons, with p adjusted for their number."""
    possible = signed_ranks_possible(len(scores), len(family))
    differences = [scores[:, one] - scores[:, other] for one, other in family]
    tests = [signed_ranks(each) if possible else (None, None) for each in differences]
    adjusted = holm([np.nan if p is None else p for _, p in tests])
    pairs = []
    for (one, other), apart, (statistic, p), value in zip(family, differences, tests, adjusted, strict=True):
        better, equal, worse = posterior(apart) if len(scores) >= FEWEST else (None, None, None)
        pairs.append(
            DatasetPair(
                configuration=names[one],
                baseline=names[other],
                wins=int((apart > 0).sum()),
                ties=int((apart == 0).sum()),
                losses=int((apart < 0).sum()),
                difference=sign * float(apart.mean()),
                statistic=statistic,
                p=p,
                adjusted=None if p is None else value,
                verdict=_verdict(apart, value),
                better=better,
                equal=equal,
                worse=worse,
            )
        )
    return pairs


def _verdict(differences: Doubles, adjusted: float) -> Verdict:
    if np.isnan(adjusted):
        return Verdict.TOO_FEW_DATASETS
    if adjusted > ALPHA:
        return Verdict.TIED
    above = (ranks(-np.abs(differences)[None])[0] * np.sign(differences)).sum()
    return Verdict.BETTER if above > 0 else Verdict.WORSE
