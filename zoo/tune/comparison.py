"""Comparisons of searchers: the same search by each of them, with equal budgets, from several seeds.

A curve is the best on validation so far: against the number of trials, or against the seconds that training took, added
up over all epochs of all trials in the order in which they ended. These are seconds of compute, not of the clock, so
that neither an interruption nor several jobs at a time change them. Over seeds a band has the mean, lowest and highest.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from zoo.errors import unknown_name
from zoo.tune.records import DONE, INTERRUPTED, RUNNING, SCORED, UNFINISHED, Study

if TYPE_CHECKING:
    from zoo.tune.store import StudyStore

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
        """The score on the test part by which winners and the defaults are compared."""
        return "accuracy" if self.metric == "accuracy" else "macro_recall"

    @property
    def trials(self) -> int:
        """The budget of each study that all of them have."""
        return min(study.wanted for study in self.studies)

    @property
    def done(self) -> int:
        """How many of the studies are over."""
        return sum(study.status == DONE for study in self.studies)

    @property
    def status(self) -> str:
        """`done` when all studies are, else `running` where one is, else `interrupted`."""
        if self.done == len(self.studies):
            return DONE
        return RUNNING if any(study.status == RUNNING for study in self.studies) else INTERRUPTED

    def of(self, searcher: str) -> tuple[Study, ...]:
        """The studies of one searcher, by seed."""
        return tuple(sorted((study for study in self.studies if study.searcher == searcher), key=seed_of))

    def marks(self) -> dict[float, int]:
        """The number of trials at each of `SHARES`."""
        return {share: math.ceil(share * self.trials) for share in SHARES}

    def to_json(self) -> dict[str, Any]:
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


@dataclass(frozen=True)
class Curve:
    """The best so far of one study: where it got better, `(place, best)` each, and up to where it is known."""

    steps: tuple[tuple[float, float], ...]
    end: float

    def at(self, place: float) -> float | None:
        """The best so far at a place; None before the first value and past the end."""
        found = [best for start, best in self.steps if start <= place]
        return found[-1] if found and place <= self.end else None


@dataclass(frozen=True)
class Point:
    """Over seeds, what was best at a place."""

    at: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Band:
    """The curves of several seeds as one: points where any of them got better, and where the shortest ends."""

    seeds: int
    points: tuple[Point, ...]

    def at(self, place: float) -> Point | None:
        """The point that holds at a place; None before the first and past the end."""
        if not self.points or place > self.points[-1].at:
            return None
        return next((point for point in reversed(self.points) if point.at <= place), None)

    def to_json(self) -> dict[str, Any]:
        return {"seeds": self.seeds, "points": [asdict(point) for point in self.points]}


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


def trial_curve(study: Study) -> Curve:
    """The best so far against the number of trials; one that did not end as it should changes nothing.

    Up to the last trial that ended; a study that is over keeps its best up to the trials that were asked for.
    """
    ended = [trial for trial in study.trials if trial.status not in UNFINISHED]
    values = [(trial.number, trial.value) for trial in ended if trial.status in SCORED and trial.value is not None]
    last = max((trial.number for trial in ended), default=0)
    return Curve(_better(values, study.mode), max(last, study.wanted) if study.status == DONE else last)


def second_curve(study: Study, spent: Iterable[tuple[int, int, float, float]]) -> Curve:
    """The best so far against seconds of training. `spent` is what the store says of every epoch.

    Every epoch takes its time, and those count that are of trials which ended as they should.
    """
    epochs = list(spent)
    times = list(accumulate(seconds for *_, seconds in epochs))
    scored = {trial.number for trial in study.trials if trial.status in SCORED}
    values = [(time, value) for time, (number, _, value, _) in zip(times, epochs, strict=True) if number in scored]
    return Curve(_better(values, study.mode), times[-1] if times else 0.0)


def trial_band(comparison: Comparison, searcher: str) -> Band:
    """A searcher's curves over its seeds, against the number of trials."""
    return band([trial_curve(study) for study in _shown(comparison.of(searcher))])


def second_band(comparison: Comparison, searcher: str, studies: "StudyStore") -> Band:
    """A searcher's curves over its seeds, against seconds of training."""
    return band([second_curve(study, studies.spent(study.name)) for study in _shown(comparison.of(searcher))])


def band(curves: Iterable[Curve]) -> Band:
    """Curves as one, from where all have a value to where the first of them ends; those without a value left out."""
    known = [curve for curve in curves if curve.steps]
    start = max((curve.steps[0][0] for curve in known), default=0.0)
    end = min((curve.end for curve in known), default=0.0)
    if not known or start > end:
        return Band(len(known), ())
    inside = {place for curve in known for place, _ in curve.steps if start <= place <= end}
    return Band(len(known), tuple(_point(known, place) for place in sorted({start, end, *inside})))


def _point(curves: Sequence[Curve], place: float) -> Point:
    values = [value for curve in curves if (value := curve.at(place)) is not None]
    return Point(place, sum(values) / len(values), min(values), max(values))


def _shown(studies: Sequence[Study]) -> list[Study]:
    """The studies that are over; while none is, those that have begun."""
    return [study for study in studies if study.status == DONE] or [study for study in studies if study.trials]


def _better(values: Iterable[tuple[float, float]], mode: str) -> tuple[tuple[float, float], ...]:
    """Of values in order those that were better than all before."""
    steps: list[tuple[float, float]] = []
    for place, value in values:
        if not steps or (value < steps[-1][1] if mode == "min" else value > steps[-1][1]):
            steps.append((place, value))
    return tuple(steps)
