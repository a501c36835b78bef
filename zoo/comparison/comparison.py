"""Comparisons of searchers: each runs the same search with an equal budget, from several seeds.

A curve shows the best validation value so far, against the number of trials or against seconds of training. These
seconds are the sum over all epochs of all trials, in the order of their end. They are compute time, not wall-clock
time, so interruptions and parallel jobs do not change them. A band shows the mean, minimum and maximum over seeds.
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


SHARES = (0.25, 0.5, 1.0)  # of the trials, at which tables show the best value
DEFAULTS = "defaults"  # the name of the untuned architecture in a comparison


@dataclass(frozen=True)
class Comparison:
    """The studies of one comparison, one per searcher and seed, in the order of their plan."""

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
        """The metric on validation that the studies optimise."""
        return self.studies[0].metric

    @property
    def mode(self) -> str:
        return self.studies[0].mode

    @property
    def score(self) -> str:
        """The score on the test set that compares winners with the defaults."""
        return "accuracy" if self.metric == "accuracy" else "macro_recall"

    @property
    def trials(self) -> int:
        """The number of trials that every study has at least."""
        return min(study.wanted for study in self.studies)

    @property
    def done(self) -> int:
        """The number of studies that are done."""
        return sum(study.status == StudyStatus.DONE for study in self.studies)

    @property
    def status(self) -> str:
        """`done` if all studies are done, otherwise `running` if one runs, otherwise `interrupted`."""
        if self.done == len(self.studies):
            return StudyStatus.DONE
        return (
            StudyStatus.RUNNING
            if any(study.status == StudyStatus.RUNNING for study in self.studies)
            else StudyStatus.INTERRUPTED
        )

    def of(self, searcher: str) -> tuple[Study, ...]:
        """Return the studies of one searcher, ordered by seed."""
        return tuple(sorted((study for study in self.studies if study.searcher == searcher), key=seed_of))

    def marks(self) -> dict[float, int]:
        """Return the number of trials at each of `SHARES`."""
        return {share: math.ceil(share * self.trials) for share in SHARES}

    def to_json(self) -> JsonObject:
        """Return the comparison as plain data."""
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
    """Return all comparisons in the store, oldest first."""
    return grouped(studies.studies())


def comparison_of(studies: "StudyStore", name: str) -> Comparison:
    """Return the comparison with this name. Raises UnknownName, with the nearest name, if there is none."""
    found = comparisons(studies)
    for comparison in found:
        if comparison.name == name:
            return comparison
    names = [comparison.name for comparison in found]
    raise unknown_name("comparison", name, names, "`zoo studies` shows them all.")


def grouped(studies: Iterable[Study]) -> list[Comparison]:
    """Group studies into their comparisons."""
    groups: dict[str, list[Study]] = {}
    for study in studies:
        if study.comparison:
            groups.setdefault(study.comparison, []).append(study)
    return [Comparison(name, tuple(group)) for name, group in groups.items()]


def seed_of(study: Study) -> int:
    return int(study.request["seed"])
