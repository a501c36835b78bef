"""Curves of the best value so far, against trials or seconds, and bands over several seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from zoo.comparison.comparison import Comparison
from zoo.records import JsonObject
from zoo.store.study import SCORED, Study, StudyStatus, best_value

if TYPE_CHECKING:
    from zoo.store.studies import StudyStore


@dataclass(frozen=True)
class Curve:
    """The best value so far of one study: a step `(place, best)` at each improvement, and the end of the curve."""

    steps: tuple[tuple[float, float], ...]
    end: float

    def at(self, place: float) -> float | None:
        """Return the best value so far at a place; None before the first value and after the end."""
        found = [best for start, best in self.steps if start <= place]
        return found[-1] if found and place <= self.end else None


@dataclass(frozen=True)
class Point:
    """The best values at one place, over seeds."""

    at: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Band:
    """The curves of several seeds as one: a point at each improvement of any curve, and at the end of the shortest."""

    seeds: int
    points: tuple[Point, ...]

    def at(self, place: float) -> Point | None:
        """Return the latest point up to a place; None before the first point and after the end."""
        if not self.points or place > self.points[-1].at:
            return None
        return next((point for point in reversed(self.points) if point.at <= place), None)

    def to_json(self) -> JsonObject:
        return {"seeds": self.seeds, "points": [asdict(point) for point in self.points]}


def trial_curve(study: Study) -> Curve:
    """Return the best value so far against the number of trials; failed trials change nothing.

    The curve ends at the last ended trial. For a study that is done, it ends at the requested number of trials.
    """
    values = [(trial.number, trial.value or 0.0) for trial in study.candidates]
    last = max((trial.number for trial in study.ended), default=0)
    return Curve(_better(values, study.mode), max(last, study.wanted) if study.status == StudyStatus.DONE else last)


def second_curve(study: Study, spent: Iterable[tuple[int, int, float, float]]) -> Curve:
    """Return the best value so far against seconds of training; `spent` are the stored epochs of all trials.

    The seconds of every epoch count, but only the values of scored trials.
    """
    epochs = list(spent)
    times = list(accumulate(seconds for *_, seconds in epochs))
    scored = {trial.number for trial in study.trials if trial.status in SCORED}
    values = [(time, value) for time, (number, _, value, _) in zip(times, epochs, strict=True) if number in scored]
    return Curve(_better(values, study.mode), times[-1] if times else 0.0)


def trial_band(comparison: Comparison, searcher: str) -> Band:
    """Return the band of a searcher over its seeds, against the number of trials."""
    return band([trial_curve(study) for study in _shown(comparison.of(searcher))])


def second_band(comparison: Comparison, searcher: str, studies: "StudyStore") -> Band:
    """Return the band of a searcher over its seeds, against seconds of training."""
    return band([second_curve(study, studies.spent(study.name)) for study in _shown(comparison.of(searcher))])


def band(curves: Iterable[Curve]) -> Band:
    """Join curves into a band, from the first place where all have a value to the earliest end; skip empty curves."""
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
    """Return the studies that are done; if none is done, those that have trials."""
    return [study for study in studies if study.status == StudyStatus.DONE] or [
        study for study in studies if study.trials
    ]


def _better(values: Iterable[tuple[float, float]], mode: str) -> tuple[tuple[float, float], ...]:
    """Return the values that are better than all values before them."""
    steps: list[tuple[float, float]] = []
    for place, value in values:
        if not steps or best_value((steps[-1][1], value), mode) != steps[-1][1]:
            steps.append((place, value))
    return tuple(steps)
