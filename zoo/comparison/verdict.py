"""Verdicts of a comparison: was tuning worth it, and is one searcher better than another?

On the test set, each winner is compared with the defaults of its seed, on the same rows. From five seeds on, the
interval of the mean difference covers seeds and rows (or whole groups); `zoo.metrics.differences` has the method. Fewer
seeds have an interval over rows and no verdict. Searchers are compared on validation, seed by seed, so that the test
set is not reused to choose a searcher. Their interval is Student's for paired differences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoo.comparison.comparison import Comparison, seed_of
from zoo.comparison.curve import trial_curve
from zoo.errors import StoreError, UnknownName
from zoo.metrics.differences import difference, no_interval
from zoo.metrics.limits import students
from zoo.metrics.outcome import Outcome
from zoo.metrics.seeds import FEWEST
from zoo.records import Interval
from zoo.store.predictions import Predictions, predictions_of
from zoo.store.run import RunStatus
from zoo.store.study import UNFINISHED, Study, StudyStatus

if TYPE_CHECKING:
    from zoo.store.runs import Store

WORTH_IT, WORSE, NOT_SHOWN = "worth it", "worse", "not shown"
AHEAD, TOO_FEW, NO_INTERVAL = "ahead", "too few seeds", "no interval"

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """The verdict on one searcher: its winners against the defaults, on the test set.

    score       macro_recall, or accuracy
    seeds       the seeds whose winner and defaults are both scored
    tuned, defaults  means over these seeds; None without a seed
    difference  tuned minus defaults, with its 95 % interval over rows and, from five seeds on, over seeds
    deviation   the standard deviation of the difference over seeds; None for fewer than two
    verdict     `worth it`, `worse`, or `not shown` if the interval contains zero; `too few seeds` below five; `no
                interval` if a class has too few patients; "" without a seed
    resampled   the units of the interval in addition to seeds: `rows`, or the number of groups
    trials, seconds  the cost of the search, over all seeds
    reasons     why the seed of a study that is done is missing
    """

    searcher: str
    score: str
    seeds: tuple[int, ...]
    tuned: float | None
    defaults: float | None
    difference: Interval
    deviation: float | None
    verdict: str
    resampled: str
    trials: int
    seconds: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lead:
    """The best two searchers on validation, each with its full budget.

    values      their means over the seeds that all searchers have finished
    difference  the first minus the second, with a 95 % interval over seeds; no interval for one seed
    won         for each of the two, the number of seeds where it was better
    verdict     `ahead` for the first, `not shown` if the interval contains zero, or `too few seeds`
    """

    searchers: tuple[str, str]
    metric: str
    seeds: tuple[int, ...]
    values: tuple[float, float]
    difference: Interval
    won: tuple[int, int]
    verdict: str


def verdicts(store: "Store", comparison: Comparison) -> list[Verdict]:
    """Return the verdict on each searcher, from the runs scored so far."""
    tests = _Tests(store, comparison)
    return [_verdict(comparison, searcher, tests) for searcher in comparison.searchers]


def lead(comparison: Comparison) -> Lead | None:
    """Compare the best two searchers on validation; None if fewer than two have values, or these share no seed."""
    found = {searcher: dict(_reached(comparison, searcher)) for searcher in comparison.searchers}
    found = {searcher: values for searcher, values in found.items() if values}
    seeds = [seed for seed in comparison.seeds if all(seed in values for values in found.values())]
    if len(found) < 2 or not seeds:
        return None
    sign = 1.0 if comparison.mode == "max" else -1.0
    table = {searcher: np.array([values[seed] for seed in seeds]) for searcher, values in found.items()}
    first, second = sorted(table, key=lambda searcher: -sign * float(table[searcher].mean()))[:2]
    differences = table[first] - table[second]
    interval = _students(differences)
    shown = AHEAD if _beyond_zero(interval) else NOT_SHOWN
    return Lead(
        searchers=(first, second),
        metric=comparison.metric,
        seeds=tuple(seeds),
        values=(float(table[first].mean()), float(table[second].mean())),
        difference=interval,
        won=(int((sign * differences > 0).sum()), int((sign * differences < 0).sum())),
        verdict=shown if len(seeds) >= FEWEST else TOO_FEW,
    )


class _Tests:
    """The test scores of the runs of a comparison; each file is read once."""

    def __init__(self, store: "Store", comparison: Comparison) -> None:
        self.store, self.score = store, comparison.score
        self.problems: dict[str, str] = {}
        self.read: dict[str, Predictions] = {}
        self.noun = "group"
        for study in comparison.studies:
            for identifier in (study.run, study.defaults):
                if identifier and identifier not in self.read and identifier not in self.problems:
                    self._read(identifier)

    def pairs(self, studies: Sequence[Study]) -> list[tuple[Outcome, Outcome]]:
        """Return the winner and the defaults of each study, on the test rows."""
        return [(self._outcome(study.run), self._outcome(study.defaults)) for study in studies]

    @property
    def resampled(self) -> str:
        some = next(iter(self.read.values()), None)
        if some is None:
            return ""
        return "rows" if some.groups is None else f"{len(np.unique(some.groups))} groups"

    def reason(self) -> str:
        """Return why no difference has an interval; "" if it can have one."""
        some = next(iter(self.read.values()), None)
        if some is None:
            return ""
        outcome = Outcome.of(some.probabilities, some.labels, some.groups)
        return no_interval((outcome, outcome), some.classes, self.noun, self.score)

    def _outcome(self, identifier: str) -> Outcome:
        found = self.read[identifier]
        return Outcome.of(found.probabilities, found.labels, found.groups)

    def has_pair(self, study: Study) -> bool:
        """Whether both the winner and the defaults are scored."""
        return study.run in self.read and study.defaults in self.read

    def problems_of(self, study: Study) -> list[str]:
        """Return why a study that is done has no pair of scores; runs that are still missing are no problem."""
        if study.status == StudyStatus.DONE and not study.run:
            return [f"study {study.name} has no winner"]
        return [self.problems[name] for name in (study.run, study.defaults) if name in self.problems]

    def _read(self, identifier: str) -> None:
        try:
            run = self.store.get(identifier)
            if run.status != RunStatus.DONE:
                raise StoreError(f"run {identifier} ended as {run.status}")
            found = predictions_of(self.store, run)
        except (StoreError, UnknownName) as problem:
            self.problems[identifier] = str(problem)
            return
        if any(not _same_rows(found, other) for other in list(self.read.values())[:1]):
            self.problems[identifier] = f"run {identifier} was scored on different test rows"
            return
        self.read[identifier] = found
        self.noun = run.parts.groups_by or self.noun


def _verdict(comparison: Comparison, searcher: str, tests: _Tests) -> Verdict:
    studies = comparison.of(searcher)
    paired = [study for study in studies if tests.has_pair(study)]
    tuned, defaults = (
        [_value(tests.read[name], comparison.score) for name in names]
        for names in ([study.run for study in paired], [study.defaults for study in paired])
    )
    interval, deviation = _difference(tests, paired) if paired else (Interval(), None)
    trials = [trial for study in studies for trial in study.trials]
    return Verdict(
        searcher=searcher,
        score=comparison.score,
        seeds=tuple(seed_of(study) for study in paired),
        tuned=float(np.mean(tuned)) if paired else None,
        defaults=float(np.mean(defaults)) if paired else None,
        difference=interval,
        deviation=deviation,
        verdict=_word(interval, len(paired)) if paired else "",
        resampled=tests.resampled,
        trials=sum(trial.status not in UNFINISHED for trial in trials),
        seconds=sum(trial.seconds for trial in trials),
        reasons=tuple(problem for study in studies for problem in tests.problems_of(study)),
    )


def _difference(tests: _Tests, paired: Sequence[Study]) -> tuple[Interval, float | None]:
    """Return the mean difference with its interval, and its standard deviation over seeds."""
    found, reason = difference(tests.pairs(paired), tests.score), tests.reason()
    deviation = float(found.values.std(ddof=1)) if len(paired) > 1 else None
    return Interval(found.mean, reason=reason) if reason else Interval(found.mean, *found.limits), deviation


def _value(found: Predictions, score: str) -> float:
    return float(Outcome.of(found.probabilities, found.labels).values()[score])


def _students(differences: Doubles) -> Interval:
    """Return the mean of paired differences and its 95 % interval (Student 1908, The probable error of a mean)."""
    count, value = len(differences), float(differences.mean())
    if count < 2:
        return Interval(value)
    half = students(count - 1) * float(differences.std(ddof=1)) / float(np.sqrt(count))
    return Interval(value, value - half, value + half)


def _reached(comparison: Comparison, searcher: str) -> Iterator[tuple[int, float]]:
    """Yield each seed with the best value of the full budget, for the studies that are done."""
    for study in comparison.of(searcher):
        value = trial_curve(study).at(comparison.trials) if study.status == StudyStatus.DONE else None
        if value is not None:
            yield seed_of(study), value


def _word(interval: Interval, seeds: int) -> str:
    if seeds < FEWEST:
        return TOO_FEW
    if interval.reason:
        return NO_INTERVAL
    if not _beyond_zero(interval):
        return NOT_SHOWN
    return WORTH_IT if (interval.low or 0.0) > 0 else WORSE


def _beyond_zero(interval: Interval) -> bool:
    """Whether an interval excludes zero."""
    return (interval.low or 0.0) > 0 or (interval.high or 0.0) < 0


def _same_rows(one: Predictions, other: Predictions) -> bool:
    arrays: list[tuple[Any, Any]] = [(one.labels, other.labels), (one.index, other.index)]
    return one.classes == other.classes and all(np.array_equal(*pair) for pair in arrays)
