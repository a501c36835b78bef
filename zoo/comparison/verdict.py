"""Verdicts of a comparison: was tuning worth it, and is one searcher better than another?

On the test set, each winner is compared with the defaults of its seed. The interval is a bootstrap over test rows and
over seeds. Grouped rows are drawn as whole groups. Each bootstrap sample takes the same rows for all runs, because all
runs are scored on the same rows. Searchers are compared on validation, seed by seed, so that the test set is not reused
to choose a searcher. That comparison has only a few seeds, and a bootstrap of a few values is too narrow. Its interval
is therefore Student's t interval for paired differences.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from zoo.comparison.comparison import Comparison, seed_of
from zoo.comparison.curve import trial_curve
from zoo.errors import StoreError, UnknownName
from zoo.metrics import (
    RESAMPLES,
    confusion_by_unit,
    drawn_units,
    interval_of,
    resampled_words,
    scores_of_confusion,
    units_of,
)
from zoo.records import Interval
from zoo.store.predictions import Predictions, predictions_of
from zoo.store.run import RunStatus
from zoo.store.study import UNFINISHED, Study, StudyStatus

if TYPE_CHECKING:
    from zoo.store.runs import Store

FEWEST_SEEDS = 5  # to rank searchers; with four, all differences have the same sign by chance in one of eight cases
WORTH_IT, WORSE, NOT_SHOWN = "worth it", "worse", "not shown"
AHEAD, TOO_FEW = "ahead", "too few seeds"

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """The verdict on one searcher: its winners against the defaults, on the test set.

    score       macro_recall, or accuracy
    seeds       the seeds whose winner and defaults are both scored
    tuned, defaults  means over these seeds; None without a seed
    difference  tuned minus defaults, with its 95 % interval
    verdict     `worth it`, `worse`, or `not shown` if the interval contains zero; "" without a seed
    resampled   what the bootstrap drew in addition to seeds: `rows`, or the number of groups
    trials, seconds  the cost of the search, over all seeds
    reasons     why the seed of a study that is done is missing
    """

    searcher: str
    score: str
    seeds: tuple[int, ...]
    tuned: float | None
    defaults: float | None
    difference: Interval
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


def verdicts(store: "Store", comparison: Comparison, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Verdict]:
    """Return the verdict on each searcher, from the runs scored so far."""
    tests = _Tests(store, comparison)
    tests.draw(resamples, seed)
    return [_verdict(comparison, searcher, tests, seed) for searcher in comparison.searchers]


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
        verdict=shown if len(seeds) >= FEWEST_SEEDS else TOO_FEW,
    )


class _Tests:
    """The test scores of the runs of a comparison; each file is read once."""

    def __init__(self, store: "Store", comparison: Comparison) -> None:
        self.store, self.score = store, comparison.score
        self.problems: dict[str, str] = {}
        self.read: dict[str, Predictions] = {}
        for study in comparison.studies:
            for identifier in (study.run, study.defaults):
                if identifier and identifier not in self.read and identifier not in self.problems:
                    self._read(identifier)
        self.values: dict[str, float] = {}
        self.draws: dict[str, Doubles] = {}
        self.resampled = ""

    def draw(self, resamples: int, seed: int) -> None:
        """Score every run on the test rows, and on each of `resamples` bootstrap samples, the same for all runs."""
        if not self.read:
            return
        some = next(iter(self.read.values()))
        unit = units_of(some.labels, some.groups)
        units = int(unit.max()) + 1
        self.resampled = resampled_words(some.groups, units)
        confusions = {
            identifier: confusion_by_unit(found.labels, found.probabilities.argmax(1), len(found.classes), unit)
            for identifier, found in self.read.items()
        }
        scores: dict[str, list[Doubles]] = {identifier: [] for identifier in confusions}
        for weights in drawn_units(np.random.default_rng(seed), units, resamples):
            for identifier, confusion in confusions.items():
                scores[identifier].append(self._scored(weights @ confusion, len(some.classes)))
        for identifier, confusion in confusions.items():
            self.values[identifier] = float(self._scored(confusion.sum(0, keepdims=True), len(some.classes))[0])
            self.draws[identifier] = np.concatenate(scores[identifier])

    def has_pair(self, study: Study) -> bool:
        """Whether both the winner and the defaults are scored."""
        return study.run in self.values and study.defaults in self.values

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

    def _scored(self, confusion: Doubles, n_classes: int) -> Doubles:
        return scores_of_confusion(confusion.reshape(-1, n_classes, n_classes))[self.score]


def _verdict(comparison: Comparison, searcher: str, tests: _Tests, seed: int) -> Verdict:
    studies = comparison.of(searcher)
    pairs = [study for study in studies if tests.has_pair(study)]
    tuned = [tests.values[study.run] for study in pairs]
    defaults = [tests.values[study.defaults] for study in pairs]
    interval = Interval()
    if pairs:
        differences = np.array([tests.draws[study.run] - tests.draws[study.defaults] for study in pairs])
        value = np.mean(tuned, keepdims=True) - np.mean(defaults, keepdims=True)
        interval = interval_of(value, _over_seeds(differences, seed))
    trials = [trial for study in studies for trial in study.trials]
    return Verdict(
        searcher=searcher,
        score=comparison.score,
        seeds=tuple(seed_of(study) for study in pairs),
        tuned=float(np.mean(tuned)) if pairs else None,
        defaults=float(np.mean(defaults)) if pairs else None,
        difference=interval,
        verdict=_word(interval) if pairs else "",
        resampled=tests.resampled,
        trials=sum(trial.status not in UNFINISHED for trial in trials),
        seconds=sum(trial.seconds for trial in trials),
        reasons=tuple(problem for study in studies for problem in tests.problems_of(study)),
    )


def _over_seeds(differences: Doubles, seed: int) -> Doubles:
    """Average the differences `(seeds, resamples)` of each bootstrap sample over seeds drawn with replacement."""
    seeds, resamples = differences.shape
    picked = np.random.default_rng([seed, 1]).integers(seeds, size=(resamples, seeds))  # not the generator of the rows
    means: Doubles = differences[picked, np.arange(resamples)[:, None]].mean(1)
    return means


def _students(differences: Doubles) -> Interval:
    """Return the mean of paired differences and its 95 % interval (Student 1908, The probable error of a mean)."""
    count, value = len(differences), float(differences.mean())
    if count < 2:
        return Interval(value)
    half = float(stdtrit(count - 1, 0.975) * differences.std(ddof=1) / np.sqrt(count))
    return Interval(value, value - half, value + half)


def _reached(comparison: Comparison, searcher: str) -> Iterator[tuple[int, float]]:
    """Yield each seed with the best value of the full budget, for the studies that are done."""
    for study in comparison.of(searcher):
        value = trial_curve(study).at(comparison.trials) if study.status == StudyStatus.DONE else None
        if value is not None:
            yield seed_of(study), value


def _word(interval: Interval) -> str:
    if not _beyond_zero(interval):
        return NOT_SHOWN
    return WORTH_IT if (interval.low or 0.0) > 0 else WORSE


def _beyond_zero(interval: Interval) -> bool:
    """Whether an interval excludes zero."""
    return (interval.low or 0.0) > 0 or (interval.high or 0.0) < 0


def _same_rows(one: Predictions, other: Predictions) -> bool:
    arrays: list[tuple[Any, Any]] = [(one.labels, other.labels), (one.index, other.index)]
    return one.classes == other.classes and all(np.array_equal(*pair) for pair in arrays)
