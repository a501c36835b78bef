"""The results of a comparison so far: the scores of its studies, the verdicts, and the JSON of both."""

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

    trials, wanted  number of trials that ended, and the requested number
    metric          the metric of the search
    validation_25, validation_50, validation_100  the best value on validation after that percentage of the trials
    seconds         training time of all trials
    dataset, protocol  from the winner's run; None without a run
    score           the name of the score on the test set
    run, test, test_low, test_high  the winner's run, and its score with a 95 % interval; None if it was not scored
    defaults_run, defaults  the run and the score of the architecture without tuning
    difference      the winner's score minus the score of the defaults
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
    verdicts  for each searcher, whether tuning improved on the defaults
    lead      the comparison of the best two searchers on validation; None if they have no seed in common
    """

    comparison: Comparison
    runs: Mapping[str, Run | None]
    verdicts: tuple[Verdict, ...]
    lead: Lead | None

    @classmethod
    def of(cls, store: Store, comparison: Comparison) -> "ComparisonResult":
        """Read the runs of a comparison from the store, and compute the verdicts."""
        runs = {name: store.find(name) for study in comparison.studies for name in (study.run, study.defaults) if name}
        return cls(comparison, runs, tuple(verdicts(store, comparison)), lead(comparison))

    @property
    def first_run(self) -> Run | None:
        return next((run for run in self.runs.values() if run is not None), None)

    @property
    def notes(self) -> list[str]:
        """The notes of the studies and runs, without duplicates."""
        notes = [note for study in self.comparison.studies for note in study.notes]
        notes += [note for run in self.runs.values() if run is not None for note in run.remarks]
        return list(dict.fromkeys(notes))

    @property
    def defaults(self) -> list[Run]:
        """The scored runs of the defaults, without duplicates."""
        return self._scored(dict.fromkeys(study.defaults for study in self.comparison.studies))

    def winners(self, searcher: str) -> list[Run]:
        """Return the scored runs of the winners of a searcher, in the order of the seeds."""
        return self._scored(study.run for study in self.comparison.of(searcher))

    def mean(self, runs: Iterable[Run]) -> float | None:
        """Return the mean score of the runs on the test set; None without scores."""
        scores = [score for run in runs if (score := run.score(self.comparison.score)) is not None]
        return mean(scores) if scores else None

    def studies(self) -> list[StudyResult]:
        """Return one result for each searcher and seed."""
        comparison = self.comparison
        return [self._study(study) for searcher in comparison.searchers for study in comparison.of(searcher)]

    def to_json(self, studies: StudyStore) -> JsonObject:
        """Return the documented JSON of a comparison; `studies` has the seconds of each epoch."""
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
        """Return the score of a run; an empty interval if the run was not scored."""
        return next((run.scores.of_all(self.comparison.score) for run in self._scored([name])), Interval())
