"""A search algorithm of Ray Tune that stores every proposal and every reported value.

Only the store holds the state of a study, and Ray Tune always starts fresh. When a study resumes, the search algorithm
(with its seed) and the scheduler are replayed from the stored events. Nothing is ever unpickled.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import ASHAScheduler, MedianStoppingRule, TrialScheduler
from ray.tune.search import SearchAlgorithm

from zoo.space import Value
from zoo.store.studies import PROPOSED, StudyStore
from zoo.store.study import SCORED, UNFINISHED, Study, Trial, TrialStatus, best_value
from zoo.tuning.ray_schedulers import EPOCH, last_epoch
from zoo.tuning.worker import NUMBER, SCORE, WORST, Result, Task
from zoo.workers.limits import hung
from zoo.workers.process import cause_of_death

Config = dict[str, Value]


class Replay(SearchAlgorithm):
    """Wraps a search algorithm; `limit` is the number of trials that may run at a time, None for no limit."""

    def __init__(
        self, inner: SearchAlgorithm, scheduler: TrialScheduler, studies: StudyStore, study: Study, task: Task
    ) -> None:
        self.inner, self.scheduler, self.studies, self.task = inner, scheduler, studies, task
        self.study, self.name, self.total, self.mode = study, study.name, study.wanted, study.mode
        self.limit = task.request.jobs if study.scheduler != "hyperband" else None  # it must fill its brackets first
        self.made = len(study.trials)
        self.configs: Mapping[int, Config] = {trial.number: dict(trial.config) for trial in study.trials}
        self.trials: dict[str, TuneTrial] = {}
        self.live: set[str] = set()
        self.waiting: list[TuneTrial] = []
        self.heard: dict[str, int] = {}
        self.last: dict[str, float] = {}
        self.otherwise = 0  # proposals that differ from the stored ones

    def __reduce__(self) -> Any:
        return SearchAlgorithm, ()  # Tune pickles it at the start; the pickle is never read

    @property
    def metric(self) -> str:
        return SCORE

    def set_search_properties(self, metric: str | None, mode: str | None, config: Result, **spec: Any) -> bool:
        return bool(self.inner.set_search_properties(metric, mode, config, **spec))

    @property
    def total_samples(self) -> int:
        return self.total

    def add_configurations(self, experiments: Any) -> None:
        self.inner.add_configurations(experiments)
        self._replay()

    def next_trial(self) -> TuneTrial | None:
        if self.is_finished() or (self.limit is not None and len(self.live) >= self.limit):
            return None
        if self.waiting:
            trial = self.waiting.pop(0)
        else:
            proposed = self._proposal(self.made + 1)
            if proposed is None:
                return None
            trial = proposed
            self.studies.propose(self.name, self.made + 1, plain(trial.config))
            self.made += 1
        self.live.add(trial.trial_id)
        return trial

    def is_finished(self) -> bool:
        return not self.waiting and (self.made >= self.total or self._finished)

    def set_finished(self) -> None:
        self._finished = True
        self.inner.set_finished()  # type: ignore[no-untyped-call]

    def on_trial_result(self, trial_id: str, result: Result) -> None:
        """Report each epoch to the searcher once; a trial that resumes from its checkpoint repeats its last epoch."""
        self.last[trial_id] = result[SCORE]
        if result[EPOCH] > self.heard.get(trial_id, 0):
            self.heard[trial_id] = result[EPOCH]
            self.inner.on_trial_result(trial_id, _without_list(result))

    def on_trial_complete(self, trial_id: str, result: Result | None = None, error: bool = False) -> None:
        """Report the end to the searcher: a failed trial with the worst value, a pruned trial with its best value."""
        trial = self.trials[trial_id]
        result = dict(result or {})
        status, reason = result.get("status") or TrialStatus.PRUNED, result.get("reason", "")
        if error:
            status, reason = self._death(trial)
        known = self.studies.trial(self.name, trial.config[NUMBER])
        told = self.last.get(trial_id, WORST[self.mode]) if SCORE not in result else result[SCORE]
        told = told if status in SCORED else WORST[self.mode]
        self.inner.on_trial_complete(trial_id, result={**_without_list(result), SCORE: told})
        self.live.discard(trial_id)
        value = result.get("value") if result.get("value") is not None else known.value
        self._end(replace(known, status=status, reason=reason, value=value), told)

    def _end(self, trial: Trial, told: float) -> None:
        self.studies.end(self.name, trial, told)
        for path in (self.task.checkpoint(trial.number), self.task.trace(trial.number)):
            path.unlink(missing_ok=True)

    def _death(self, trial: TuneTrial) -> tuple[str, str]:
        if hung(self.task.trace(trial.config[NUMBER])):
            return (
                TrialStatus.TIMEOUT,
                f"exceeded its limit of {self.task.request.trial_timeout:g} s in code that could not be interrupted",
            )
        return TrialStatus.DIED, death_of(trial)

    def _proposal(self, number: int) -> TuneTrial | None:
        trial = self.inner.next_trial()
        if trial is not None:
            trial.config[NUMBER] = number
            self.trials[trial.trial_id] = trial
        return trial

    def _replay(self) -> None:
        """Replay all proposals and results in the searcher; unfinished trials are the first to run."""
        unfinished: dict[int, TuneTrial] = {}
        everyone: dict[int, TuneTrial] = {}
        for event in self.studies.events(self.name):
            if event.kind == PROPOSED:
                trial = self._proposal(event.number)
                assert trial is not None
                unfinished[event.number] = everyone[event.number] = trial
                if plain(trial.config) != self.configs[event.number]:  # a library has a different version
                    self.otherwise += 1
                    trial.config.update(self.configs[event.number])
            else:
                trial = unfinished.pop(event.number)
                result = {SCORE: event.value, "training_iteration": 1}
                self.inner.on_trial_complete(trial.trial_id, result=result)
        self.waiting = [unfinished[number] for number in sorted(unfinished)]
        if isinstance(self.scheduler, ASHAScheduler | MedianStoppingRule):
            self._replay_scheduler(everyone)

    def _replay_scheduler(self, everyone: Mapping[int, TuneTrial]) -> None:
        """Replay the recorded epochs, in their order, in the scheduler; a trial that it stops is stored as pruned."""
        scheduler: Any = self.scheduler  # there is no controller yet; these two schedulers do not use it
        unfinished = {trial.number for trial in self.study.trials if trial.status in UNFINISHED}
        best: dict[int, float] = {}
        results: dict[int, Result] = {}
        for number, epoch, value in self.studies.epochs(self.name):
            trial = everyone[number]
            if number not in best:
                scheduler.on_trial_add(None, trial)
            best[number] = best_value((best.get(number, value), value), self.mode)
            results[number] = {EPOCH: epoch, SCORE: best[number], "training_iteration": epoch}
            stopped = scheduler.on_trial_result(None, trial, results[number]) == TrialScheduler.STOP
            if stopped and number in unfinished and epoch < last_epoch(self.scheduler):
                unfinished.discard(number)
                self.waiting.remove(trial)
                self.inner.on_trial_complete(trial.trial_id, result=results[number])
                known = self.studies.trial(self.name, number)
                self._end(replace(known, status=TrialStatus.PRUNED, value=best[number]), best[number])
        for number in best.keys() - unfinished:
            scheduler.on_trial_complete(None, everyone[number], results[number])


def plain(config: Result) -> Config:
    """Return a configuration without the key of the harness."""
    return {key: value for key, value in config.items() if key != NUMBER}


def death_of(trial: TuneTrial) -> str:
    """Return why a worker died, in one line; Tune writes the failure to a file before it notifies the searcher."""
    try:
        text = Path(trial.error_file).read_text().split("Failure # ")[-1]
    except (OSError, TypeError, RuntimeError):  # the file does not exist
        return "its process died"
    return f"its process died: {cause_of_death(text)}".rstrip()[:300]


def _without_list(result: Result) -> Result:
    return {key: value for key, value in result.items() if key != "new"}
