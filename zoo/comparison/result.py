"""The result of a comparison so far: scores of its studies, verdicts, and all of it as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import mean

from zoo.comparison.comparison import Comparison, seed_of
from zoo.comparison.curve import second_band, trial_band, trial_curve
from zoo.comparison.verdict import Lead, Verdict, lead, verdicts
from zoo.records import Interval, JsonObject
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """One study of a comparison: one searcher and seed, with the scores of its winner and of the defaults.

    trials, wanted  trials that ended, and those asked for
    metric          what was searched for; `validation_25` and its like: the best after that share of the trials
    seconds         spent on training in all trials
    dataset, protocol  of the winner's run; None where there is none
    score           by which the test set is compared
    run, test       the winner's run and its score with its 95 % interval; None where it was not scored
    defaults_run, defaults  the same of the architecture without tuning
    difference      the winner's score less that of the defaults
    """

    searcher: str
    seed: int
    study: str
    status: str
    trials: int
    wanted: int
    metric: str
    validation_25: float | None
    validation_50: float | None
    validation_100: float | None
    seconds: float
    dataset: str | None
    protocol: str | None
    score: str
    run: str
    test: float | None
    test_low: float | None
    test_high: float | None
    defaults_run: str
    defaults: float | None
    difference: float | None


@dataclass(frozen=True)
class ComparisonResult:
    """A comparison with its runs and the verdicts on them.

    runs      the runs of winners and defaults by id; None for a run that was deleted
    verdicts  for each searcher, whether tuning was worth it
    lead      how the best two searchers compare on validation; None while no seed has both
    """

    comparison: Comparison
    runs: Mapping[str, Run | None]
    verdicts: tuple[Verdict, ...]
    lead: Lead | None

    @classmethod
    def of(cls, store: Store, comparison: Comparison) -> "ComparisonResult":
        """Read the runs of a comparison from the store, and judge it."""
        runs = {name: store.find(name) for study in comparison.studies for name in (study.run, study.defaults) if name}
        return cls(comparison, runs, tuple(verdicts(store, comparison)), lead(comparison))

    @property
    def first_run(self) -> Run | None:
        return next((run for run in self.runs.values() if run is not None), None)

    @property
    def notes(self) -> list[str]:
        """The notes of its studies and runs, each once."""
        notes = [note for study in self.comparison.studies for note in study.notes]
        notes += [note for run in self.runs.values() if run is not None for note in run.remarks]
        return list(dict.fromkeys(notes))

    @property
    def defaults(self) -> list[Run]:
        """The runs of the defaults that were scored, each once."""
        return self._scored(dict.fromkeys(study.defaults for study in self.comparison.studies))

    def winners(self, searcher: str) -> list[Run]:
        """The runs of a searcher's winners that were scored, by seed."""
        return self._scored(study.run for study in self.comparison.of(searcher))

    def mean(self, runs: Iterable[Run]) -> float | None:
        """The mean of the runs' scores on the test set; None where there are none."""
        scores = [score for run in runs if (score := run.score(self.comparison.score)) is not None]
        return mean(scores) if scores else None

    def studies(self) -> list[StudyResult]:
        """A result for each searcher and seed."""
        comparison = self.comparison
        return [self._study(study) for searcher in comparison.searchers for study in comparison.of(searcher)]

    def to_json(self, studies: StudyStore) -> JsonObject:
        """The documented form of a comparison in JSON; `studies` has the seconds of each epoch."""
        curves = {
            searcher: {
                "trials": trial_band(self.comparison, searcher).to_json(),
                "seconds": second_band(self.comparison, searcher, studies).to_json(),
            }
            for searcher in self.comparison.searchers
        }
        return {
            **self.comparison.to_json(),
            "studies": [asdict(study) for study in self.studies()],
            "curves": curves,
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "lead": None if self.lead is None else asdict(self.lead),
            "notes": self.notes,
        }

    def _scored(self, names: Iterable[str]) -> list[Run]:
        found = [self.runs.get(name) for name in names]
        return [run for run in found if run is not None and run.status == RunStatus.DONE]

    def _study(self, study: Study) -> StudyResult:
        score, marks, curve = self.comparison.score, self.comparison.marks(), trial_curve(study)
        run, (winner, plain) = self.runs.get(study.run), map(self._interval, (study.run, study.defaults))
        return StudyResult(
            searcher=study.searcher,
            seed=seed_of(study),
            study=study.name,
            status=study.status,
            trials=len(study.ended),
            wanted=study.wanted,
            metric=study.metric,
            validation_25=curve.at(marks[0.25]),
            validation_50=curve.at(marks[0.5]),
            validation_100=curve.at(marks[1.0]),
            seconds=sum(trial.seconds for trial in study.trials),
            dataset=run.dataset_label if run else None,
            protocol=run.protocol if run else None,
            score=score,
            run=study.run,
            test=winner.value,
            test_low=winner.low,
            test_high=winner.high,
            defaults_run=study.defaults,
            defaults=plain.value,
            difference=None if winner.value is None or plain.value is None else winner.value - plain.value,
        )

    def _interval(self, name: str) -> Interval:
        """The score of a run that was scored; one of no value for any other."""
        return next((run.scores.of_all(self.comparison.score) for run in self._scored([name])), Interval())
