"""The finding of a part over several data sets, each of which counts once."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zoo.claims.answers import Answer, decided
from zoo.claims.findings import Seen
from zoo.claims.hypothesis import Part
from zoo.claims.measures import scaled_back
from zoo.claims.result import Finding
from zoo.metrics.datasets import of_median, signed_ranks
from zoo.records import Interval
from zoo.wording import count_text

FEWEST = 6  # data sets: with fewer, Wilcoxon's test never reaches 5 %


def over_datasets(part: Part, each: Sequence[Seen]) -> Finding:
    """Return the finding over the data sets: by Wilcoxon's test from six on, else the answer that all of them have."""
    first = each[0].finding
    whole = replace(
        first,
        dataset=count_text(len(each), "data set"),
        protocol="",
        answer=Answer.UNDECIDED,
        reason="",
        difference=Interval(),
        deviation=None,
        p=None,
        seeds=tuple(sorted(set.intersection(*(set(seen.finding.seeds) for seen in each)))),
        seeds_needed=max((seen.finding.seeds_needed or 0 for seen in each), default=0) or None,
        rows_bound=any(seen.finding.rows_bound for seen in each),
        missing=0,
        notes=(),
        runs=(),
    )
    means = [seen.measured.difference.mean for seen in each if seen.measured and seen.measured.difference]
    if len(each) < FEWEST:
        return _of_all(whole, each, means)
    if len(means) < len(each):
        return replace(whole, reason=f"{len(means)} of {len(each)} data sets have scores of both groups")
    return _by_ranks(part, whole, np.array(means))


def _of_all(whole: Finding, each: Sequence[Seen], means: Sequence[float]) -> Finding:
    answers = {seen.finding.answer for seen in each}
    if len(means) == len(each):
        value = Interval(float(np.mean(means)), reason=f"fewer than {FEWEST} data sets: all must have the same answer")
        whole = replace(whole, difference=scaled_back(value) if whole.ratio else value)
    if len(answers) == 1 and Answer.UNDECIDED not in answers:
        return replace(whole, answer=answers.pop())
    return replace(whole, reason=f"fewer than {FEWEST} data sets, which do not all have the same answer")


def _by_ranks(part: Part, whole: Finding, means: np.ndarray) -> Finding:
    """Return the finding by Wilcoxon's test, whose interval decides as that of one data set does."""
    margin = float(np.log(part.margin)) if part.ratio else part.margin
    low, high = of_median(means)
    answer = decided(low, high, part.direction, margin)
    sign = -1 if part.direction == "lower" else 1
    _, p = signed_ranks(sign * means - margin)
    interval = Interval(float(means.mean()), low, high)
    return replace(
        whole,
        answer=answer,
        reason="" if answer != Answer.UNDECIDED else "the data sets do not decide it",
        difference=scaled_back(interval) if part.ratio else interval,
        deviation=float(means.std(ddof=1)),
        p=None if part.direction == "equal" else p,
    )
