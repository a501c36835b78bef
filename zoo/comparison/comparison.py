"""Comparisons of searchers: the same search by each of them, with equal budgets, from several seeds.

A curve is the best on validation so far: against the number of trials, or against the seconds that training took, added
up over all epochs of all trials in the order in which they ended. These are seconds of compute, not of the clock, so
that neither an interruption nor several jobs at a time change them. Over seeds a band has the mean, lowest and highest.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.errors import unknown_name
from zoo.records import JsonObject
from zoo.store.study import Study, StudyStatus

if TYPE_CHECKING:
    from zoo.store.studies import StudyStore


SHARES = (0.25, 0.5, 1.0)  # of the trials, after which tables say what was best
AS_IT_IS = "as it is"  # what a comparison calls the architecture without tuning


@dataclass(frozen=True)
class Comparison:
    """The studies of one comparison, one for each searcher and seed, in the order in which they were planned."""

    name: str
    studies: tuple[Study, ...]

    @property
    def searchers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(study.searcher for study in self.studies))

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({seed_of(study) for study in self.studies}))

    @property
    def architecture(self) -> str:
        return self.studies[0].architecture

    @property
    def metric(self) -> str:
        """What was searched for on validation."""
        return self.studies[0].metric

    @property
    def mode(self) -> str:
        return self.studies[0].mode

    @property
    def score(self) -> str:
        """The score on the test set by which winners and the defaults are compared."""
        return "accuracy" if self.metric == "accuracy" else "macro_recall"

    @property
    def trials(self) -> int:
        """The budget of each study that all of them have."""
        return min(study.wanted for study in self.studies)

    @property
    def done(self) -> int:
        """How many of the studies are over."""
        return sum(study.status == StudyStatus.DONE for study in self.studies)

    @property
    def status(self) -> str:
        """`done` when all studies are, else `running` where one is, else `interrupted`."""
        if self.done == len(self.studies):
            return StudyStatus.DONE
        return (
            StudyStatus.RUNNING
            if any(study.status == StudyStatus.RUNNING for study in self.studies)
            else StudyStatus.INTERRUPTED
        )

    def of(self, searcher: str) -> tuple[Study, ...]:
        """The studies of one searcher, by seed."""
        return tuple(sorted((study for study in self.studies if study.searcher == searcher), key=seed_of))

    def marks(self) -> dict[float, int]:
        """The number of trials at each of `SHARES`."""
        return {share: math.ceil(share * self.trials) for share in SHARES}

    def to_json(self) -> JsonObject:
        """What was compared, as plain data."""
        return {
            "name": self.name,
            "status": self.status,
            "architecture": self.architecture,
            "metric": self.metric,
            "mode": self.mode,
            "score": self.score,
            "searchers": list(self.searchers),
            "seeds": list(self.seeds),
            "trials": self.trials,
        }


def comparisons(studies: "StudyStore") -> list[Comparison]:
    """All comparisons in the store, oldest first."""
    return grouped(studies.studies())


def comparison_of(studies: "StudyStore", name: str) -> Comparison:
    """The comparison of that name. Raises UnknownName, with the nearest, where there is none."""
    found = comparisons(studies)
    for comparison in found:
        if comparison.name == name:
            return comparison
    names = [comparison.name for comparison in found]
    raise unknown_name("comparison", name, names, "`zoo studies` shows them all.")


def grouped(studies: Iterable[Study]) -> list[Comparison]:
    """The comparisons that studies are part of."""
    groups: dict[str, list[Study]] = {}
    for study in studies:
        if study.comparison:
            groups.setdefault(study.comparison, []).append(study)
    return [Comparison(name, tuple(group)) for name, group in groups.items()]


def seed_of(study: Study) -> int:
    return int(study.request["seed"])
