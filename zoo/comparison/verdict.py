"""Was tuning worth it, and did one searcher do better than another?

On the test set, each winner is compared with the defaults of its own seed. The interval is a bootstrap of both things
that chance decides: a resample draws test rows (whole groups where they are grouped), the same for all runs, since
all were scored on the same rows, and it draws seeds. Between searchers it is validation that is compared, seed by
seed, so that the test set is not looked at again to choose one; there a few seeds are all there is to go by, for which
a bootstrap is too narrow, and the interval is Student's for paired differences.
"""

from collections.abc import Iterator, Sequence
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

FEWEST_SEEDS = 5  # to rank searchers by: four fall on one side by chance alone in one case of eight
WORTH_IT, WORSE, NOT_SHOWN = "worth it", "worse", "not shown"
AHEAD, TOO_FEW = "ahead", "too few seeds"

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """A searcher's winners against the defaults, on the test set.

    score       macro_recall, or accuracy
    seeds       those whose winner and defaults were both scored
    tuned, defaults  means over these seeds; None where there are none
    difference  tuned less defaults, with its 95 % interval
    verdict     `worth it`, `worse`, `not shown` where the interval has zero in it; "" without a seed
    resampled   what the bootstrap drew beside seeds: `rows`, or how many groups
    trials, seconds  what the search cost, over all seeds
    reasons     why a seed is missing whose study is over
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
    difference  the first less the second, with a 95 % interval over seeds, which one seed has not
    won         the seeds in which each was better than the other
    verdict     `ahead`: the first; `not shown` where the interval has zero in it; `too few seeds`
    """

    searchers: tuple[str, str]
    metric: str
    seeds: tuple[int, ...]
    values: tuple[float, float]
    difference: Interval
    won: tuple[int, int]
    verdict: str


def verdicts(store: "Store", comparison: Comparison, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Verdict]:
    """The verdict on each searcher, of what there is so far."""
    tests = _Tests(store, comparison)
    tests.draw(resamples, seed)
    return [_verdict(comparison, searcher, tests, seed) for searcher in comparison.searchers]


def lead(comparison: Comparison) -> Lead | None:
    """How the best two searchers compare on validation; None while no seed is finished by all of at least two."""
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
    """What the runs of a comparison did on the test set, each file read once."""

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
        """The score of every run on the test rows as they are, and on each of the same resamples of them."""
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
        """Whether both the winner and the defaults were scored."""
        return study.run in self.values and study.defaults in self.values

    def problems_of(self, study: Study) -> list[str]:
        """Why a study that is over has no pair of scores, beyond what is still to be run."""
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
            self.problems[identifier] = f"run {identifier} was scored on other test rows than the rest"
            return
        self.read[identifier] = found

    def _scored(self, confusion: Doubles, n_classes: int) -> Doubles:
        return scores_of_confusion(confusion.reshape(-1, n_classes, n_classes))[self.score]


def _verdict(comparison: Comparison, searcher: str, tests: _Tests, seed: int) -> Verdict:
    studies = comparison.of(searcher)
    pairs = [study for study in studies if tests.has_pair(study)]
    tuned, defaults = ([tests.values[name] for name in names] for names in _names(pairs))
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


def _names(pairs: Sequence[Study]) -> tuple[list[str], list[str]]:
    return [study.run for study in pairs], [study.defaults for study in pairs]


def _over_seeds(differences: Doubles, seed: int) -> Doubles:
    """For each resample the mean of differences `(seeds, resamples)` over seeds drawn with replacement."""
    seeds, resamples = differences.shape
    picked = np.random.default_rng([seed, 1]).integers(seeds, size=(resamples, seeds))  # apart from that of the rows
    means: Doubles = differences[picked, np.arange(resamples)[:, None]].mean(1)
    return means


def _students(differences: Doubles) -> Interval:
    """The mean of paired differences with its 95 % interval (Student 1908, The probable error of a mean)."""
    count, value = len(differences), float(differences.mean())
    if count < 2:
        return Interval(value)
    half = float(stdtrit(count - 1, 0.975) * differences.std(ddof=1) / np.sqrt(count))
    return Interval(value, value - half, value + half)


def _reached(comparison: Comparison, searcher: str) -> Iterator[tuple[int, float]]:
    """The best with the full budget by seed, of the studies that are over."""
    for study in comparison.of(searcher):
        value = trial_curve(study).at(comparison.trials) if study.status == StudyStatus.DONE else None
        if value is not None:
            yield seed_of(study), value


def _word(interval: Interval) -> str:
    if not _beyond_zero(interval):
        return NOT_SHOWN
    return WORTH_IT if (interval.low or 0.0) > 0 else WORSE


def _beyond_zero(interval: Interval) -> bool:
    """Whether zero is outside an interval."""
    return (interval.low or 0.0) > 0 or (interval.high or 0.0) < 0


def _same_rows(one: Predictions, other: Predictions) -> bool:
    arrays: list[tuple[Any, Any]] = [(one.labels, other.labels), (one.index, other.index)]
    return one.classes == other.classes and all(np.array_equal(*pair) for pair in arrays)
