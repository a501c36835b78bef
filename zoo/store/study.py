"""Studies and trials, as the store keeps them and `--json` prints them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from zoo.records import JsonObject
from zoo.scores import MONITORS
from zoo.space import Choice, Domain, Float, Int, Space, Value


class StudyStatus(StrEnum):
    """The status of a study; a waiting one belongs to a comparison and has not started."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    WAITING = "waiting"


class TrialStatus(StrEnum):
    """The status of a trial; a pruned one was ended early by the scheduler."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    PRUNED = "pruned"
    FAILED = "failed"
    DIVERGED = "diverged"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    DIED = "died"


SCORED = (TrialStatus.DONE, TrialStatus.PRUNED)  # the winner is chosen from these trials
UNFINISHED = (TrialStatus.RUNNING, TrialStatus.INTERRUPTED)  # a resumed study resumes these trials
METRICS = MONITORS  # training can monitor each of them, so the winner's epoch is chosen by the metric of the study


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One configuration and its result.

    number    counted from 1, in the order of the proposals
    config    the proposed values, by key of the space
    value     the best value of the study's metric so far, on the validation set; None before the first epoch
    seconds   time spent on its epochs
    reason    why the trial failed or ended early; for a trial that finished, a note on it
    history   (epoch, metric) of each epoch
    started, finished  UTC, ISO 8601; "" before the trial has started or finished
    """

    number: int
    config: Mapping[str, Value]
    status: TrialStatus = TrialStatus.RUNNING
    value: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""
    history: tuple[tuple[int, float], ...] = ()
    started: str = ""
    finished: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", TrialStatus(self.status))

    @property
    def is_candidate(self) -> bool:
        """Whether this trial can be the winner: it finished or was pruned, and has a value."""
        return self.status in SCORED and self.value is not None

    def to_json(self) -> JsonObject:
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Study:
    """A search: the request, the trials and the winner.

    request  the full request as plain data, enough to resume the study
    space    the search space
    winner   the number of the retrained trial, None until all trials have ended
    run      the id of the winner's run, scored on the test set; "" until then
    scored   the ids of the runs of all winners; a study resumed with more trials may have several
    defaults the id of the run without tuning that a comparison uses as the baseline; "" if there is none
    """

    name: str
    status: StudyStatus = StudyStatus.RUNNING
    request: JsonObject
    space: Space
    created: str = ""
    finished: str = ""
    trials: tuple[Trial, ...] = ()
    winner: int | None = None
    run: str = ""
    scored: tuple[str, ...] = ()
    defaults: str = ""
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Convert the status, and a space that `space_to_json` wrote."""
        object.__setattr__(self, "status", StudyStatus(self.status))
        object.__setattr__(self, "space", space_from_json(self.space))

    @property
    def metric(self) -> str:
        return str(self.request["metric"])

    @property
    def mode(self) -> str:
        """`max` if a higher value of the metric is better, else `min`."""
        return METRICS[self.metric]

    @property
    def architecture(self) -> str:
        """The architecture, with its preset if one was named."""
        return str(self.request["architecture"])

    @property
    def searcher(self) -> str:
        return str(self.request["search"])

    @property
    def scheduler(self) -> str:
        return str(self.request["scheduler"])

    @property
    def comparison(self) -> str:
        """The comparison that the study belongs to; "" for a single study."""
        return str(self.request.get("comparison", ""))

    @property
    def wanted(self) -> int:
        """The requested number of trials."""
        return int(self.request["trials"])

    @property
    def best(self) -> Trial | None:
        """The best of the trials that finished or were pruned; of equals the earliest."""
        return best_of(self.trials, self.mode)

    @property
    def ended(self) -> tuple[Trial, ...]:
        """The trials that will not be resumed, however they ended."""
        return tuple(trial for trial in self.trials if trial.status not in UNFINISHED)

    @property
    def candidates(self) -> tuple[Trial, ...]:
        """The trials from which the winner is chosen."""
        return tuple(trial for trial in self.trials if trial.is_candidate)

    @property
    def winning_trial(self) -> Trial | None:
        """The retrained trial; the best so far if none was retrained."""
        return next((trial for trial in self.trials if trial.number == self.winner), self.best)

    def to_json(self) -> JsonObject:
        """Return the study as plain data: the documented form of `zoo studies --json`."""
        record = {item.name: getattr(self, item.name) for item in fields(self)}
        trials = [trial.to_json() for trial in self.trials]
        return {**record, "space": space_to_json(self.space), "trials": trials}


def best_of(trials: Iterable[Trial], mode: str) -> Trial | None:
    """Return the trial with the best value among those that finished or were pruned; of equals the earliest."""
    return next((trial for trial in ranked(trials, mode) if trial.is_candidate), None)


def ranked(trials: Iterable[Trial], mode: str) -> list[Trial]:
    """Return the trials in order, the best first, of equals the earliest; trials that are no candidates come last."""
    sign = -1.0 if mode == "max" else 1.0

    def order(trial: Trial) -> tuple[bool, float, int]:
        value = sign * (trial.value or 0.0) if trial.is_candidate else 0.0
        return not trial.is_candidate, value, trial.number

    return sorted(trials, key=order)


def best_value(values: Iterable[float], mode: str) -> float:
    """Return the best of the values of a metric. Raises ValueError if there are none."""
    return max(values) if mode == "max" else min(values)


def space_to_json(space: Space) -> JsonObject:
    """Return a search space as plain data."""
    return {key: _domain_to_json(domain) for key, domain in space.items()}


def space_from_json(record: Mapping[str, JsonObject | Domain]) -> dict[str, Domain]:
    """Return the search space that `space_to_json` wrote; domains are kept."""
    return {key: _domain_from_json(domain) for key, domain in record.items()}


def _domain_to_json(domain: Domain) -> JsonObject:
    if isinstance(domain, Choice):
        return {"kind": "choice", "values": list(domain.values)}
    kind = "int" if isinstance(domain, Int) else "float"
    return {"kind": kind, "low": domain.low, "high": domain.high, "log": domain.log}


def _domain_from_json(record: JsonObject | Domain) -> Domain:
    if isinstance(record, Choice | Int | Float):
        return record
    if record["kind"] == "choice":
        return Choice(*record["values"])
    kind = Int if record["kind"] == "int" else Float
    return kind(record["low"], record["high"], record["log"])
