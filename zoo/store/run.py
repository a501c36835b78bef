"""A run: one trained and evaluated cell, as the store keeps it and `--json` prints it."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

import msgspec

from zoo.records import Cost, Environment, JsonObject, Scores, SplitSummary, plain
from zoo.specs import full_name


class RunStatus(StrEnum):
    """How a run stands; the process of a stale one is gone."""

    RUNNING = "running"
    STALE = "stale"
    DONE = "done"
    FAILED = "failed"
    DIVERGED = "diverged"
    INTERRUPTED = "interrupted"


RESUMABLE = (RunStatus.STALE, RunStatus.INTERRUPTED, RunStatus.FAILED)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One cell with what came of it.

    key          what was asked, hashed; the store serves by it
    configuration  what was asked but for the seed, hashed: the leaderboard averages over it
    code         the code that ran, hashed: the plugins' and the zoo's
    fingerprint  the key and all else the bits of the result depend on, hashed
    status       running, done, failed, diverged, interrupted, or stale: its process has ended
    data, loss   the resampler and the objective, as `--data` and `--loss` name them; no loss where a network is fitted
    config       the cell in full: parameters, training settings, seeds
    environment  device, threads, precision, versions
    parts        how the data was separated: sizes, class counts, fingerprints, shared rows and groups
    scores       of the test set, empty until it was scored
    cost         of training and of answering
    served       came from the store, not run now
    differs      what of the environment differs from the one here, for a served run
    """

    id: str
    key: str
    configuration: str = ""
    code: str = ""
    fingerprint: str = ""
    status: RunStatus = RunStatus.RUNNING
    architecture: str
    preset: str = ""
    block: str = ""
    dataset: str
    synthetic: bool = False
    protocol: str
    data: str
    loss: str
    seed: int
    rows: int | None = None
    config: JsonObject = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    parts: SplitSummary = field(default_factory=SplitSummary)
    notes: tuple[str, ...] = ()
    scores: Scores = field(default_factory=Scores)
    cost: Cost = field(default_factory=Cost)
    epochs: int = 0
    best_epoch: int = 0
    error: str = ""
    created: str = ""
    finished: str = ""
    served: bool = False
    differs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Plain mappings are taken for the records too. Raises msgspec.ValidationError for a value of a wrong type."""
        object.__setattr__(self, "status", RunStatus(self.status))
        for name, record in _records(vars(self)).items():
            object.__setattr__(self, name, record)

    @classmethod
    def from_json(cls, record: JsonObject) -> "Run":
        """The run that `to_json` wrote; unknown names are left out. Raises msgspec.ValidationError for a wrong type."""
        records = _records(record)
        rest = {name: value for name, value in record.items() if name not in records}
        return replace(msgspec.convert(rest, cls), **records)

    @property
    def reference(self) -> str:
        """The architecture with its preset, as the command line names it."""
        return full_name(self.architecture, self.preset)

    @property
    def dataset_label(self) -> str:
        """The data set's name, with the word synthetic wherever a score on it is shown."""
        return f"{self.dataset} (synthetic)" if self.synthetic else self.dataset

    @property
    def shape(self) -> dict[str, int]:
        """The shapes the network was built for, by its factory's argument names."""
        return dict(self.parts.shape)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Its notes, and which classes its macro scores leave out, where they do."""
        over = self.scores.over_classes()
        return (*self.notes, f"macro scores go {over}") if over else self.notes

    def score(self, name: str) -> float | None:
        """The value of one macro score, None where there is none."""
        return self.scores.of_all(name).value

    def to_json(self) -> JsonObject:
        """The run as plain data: the documented form of `zoo bench --json`."""
        return {item.name: plain(getattr(self, item.name)) for item in fields(self)}


def _records(values: JsonObject) -> JsonObject:
    """Those fields of a run that are records."""
    return {
        "environment": Environment.of(values.get("environment", {})),
        "parts": SplitSummary.of(values.get("parts", {})),
        "scores": Scores.of(values.get("scores", {})),
        "cost": Cost.of(values.get("cost", {})),
    }
