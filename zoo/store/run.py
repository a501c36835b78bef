"""A run: one trained and scored cell, as the store keeps it and `--json` prints it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from zoo.records import Cost, Environment, JsonObject, Record, Scores, SplitSummary, converted, plain
from zoo.specs import full_name


class RunStatus(StrEnum):
    """The status of a run.

    The process of a stale run has ended without a result. The record of a damaged one cannot be read.
    """

    RUNNING = "running"
    STALE = "stale"
    DONE = "done"
    FAILED = "failed"
    DIVERGED = "diverged"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"


RESUMABLE = (RunStatus.STALE, RunStatus.INTERRUPTED, RunStatus.FAILED, RunStatus.TIMEOUT)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One cell with its results.

    key          hash of the request; a finished run with the same key is reused
    configuration  hash of the request without the seed; the leaderboard averages the runs of one configuration
    besides_loss  hash of the configuration without the loss; empty for a fitted network and runs of earlier versions
    code         hash of the code that ran: the plugins' and the zoo's
    fingerprint  hash of the key and of everything else that can change the bits of the result
    status       running, done, failed, diverged, timeout, interrupted, stale: its process has ended, or damaged: its
                 record cannot be read
    fold, folds  in a cross-validation, the number of the fold, counted from 1, and the number of all; else 0
    scale        how the rows are scaled: none, standard, standard-per-series or minmax-per-series
    data, loss   the resampler and the objective, as `--data` and `--loss` name them; a fitted network has no loss
    data_notes   those of the notes that describe the data, as this request read them
    config       the full cell: parameters, training settings, seeds
    environment  device, threads, precision, versions
    plugins      the versions of the distributions that provide the components and the data set, by name
    parts        the split of the data: sizes, class counts, fingerprints, shared rows and groups
    scores       scores on the test set, empty until it is scored
    cost         cost of training and of inference
    epochs, best_epoch  the epochs of training, and the one whose weights were kept, counted from 1
    steps        gradient steps of all epochs; None for runs of earlier versions
    loss_gradients  derivatives of the loss for fixed random logits: runs with equal ones and equal `besides_loss` are
                 the same training
    train_macro_recall  macro recall of the kept weights on the training rows before resampling; None for runs of
                 earlier versions
    served       whether the run was reused from the store
    differs      for a reused run, the differences between its environment and the current one
    """

    id: str
    key: str
    configuration: str = ""
    besides_loss: str = ""
    code: str = ""
    fingerprint: str = ""
    status: RunStatus = RunStatus.RUNNING
    architecture: str
    preset: str = ""
    block: str = ""
    dataset: str
    synthetic: bool = False
    protocol: str
    fold: int = 0
    folds: int = 0
    scale: str = "none"
    data: str
    loss: str
    seed: int
    rows: int | None = None
    config: JsonObject = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    plugins: Mapping[str, str] = field(default_factory=dict)
    parts: SplitSummary = field(default_factory=SplitSummary)
    notes: tuple[str, ...] = ()
    data_notes: tuple[str, ...] = ()
    scores: Scores = field(default_factory=Scores)
    cost: Cost = field(default_factory=Cost)
    epochs: int = 0
    best_epoch: int = 0
    steps: int | None = None
    loss_gradients: tuple[float, ...] = ()
    train_macro_recall: float | None = None
    error: str = ""
    created: str = ""
    finished: str = ""
    served: bool = False
    differs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Convert plain mappings to records. Raises msgspec.ValidationError for a value of a wrong type."""
        object.__setattr__(self, "status", RunStatus(self.status))
        for name, kind in _RECORDS.items():
            object.__setattr__(self, name, kind.of(getattr(self, name)))

    @classmethod
    def from_json(cls, record: JsonObject) -> "Run":
        """Return the run of a `to_json` record. Ignores unknown names; a wrong type raises msgspec.ValidationError."""
        return converted({**record, "environment": Environment.nested(record.get("environment", {}))}, cls)

    @classmethod
    def damaged(cls, identifier: str, reason: str) -> "Run":
        """Return a run of which the store knows only the id."""
        blank = cls(id=identifier, key="", architecture="", dataset="", protocol="", data="", loss="", seed=0)
        return replace(blank, status=RunStatus.DAMAGED, error=reason)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the stored runs that this one consists of: its own."""
        return (self.id,)

    @property
    def reference(self) -> str:
        """The architecture with its preset, as the command line names it."""
        return full_name(self.architecture, self.preset)

    @property
    def protocol_text(self) -> str:
        """The protocol, in a cross-validation with its fold: `cross-validation (fold 2 of 5)`."""
        part = f"fold {self.fold} of {self.folds}" if self.fold else f"{self.folds} folds"
        return f"{self.protocol} ({part})" if self.folds else self.protocol

    @property
    def precision(self) -> str:
        """How the run computed in training: `fp32` or `bf16`; empty for a fitted network."""
        return ("bf16" if self.environment.bf16 else "fp32") if self.loss else ""

    @property
    def dataset_label(self) -> str:
        """The data set's name, marked as synthetic if its rows are simulated."""
        return f"{self.dataset} (synthetic)" if self.synthetic else self.dataset

    @property
    def shape(self) -> dict[str, int]:
        """The input and output sizes of the network, by the argument names of its factory."""
        return dict(self.parts.shape)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes of the run, with the classes that its macro scores leave out, if any."""
        over = self.scores.over_classes()
        return (*self.notes, f"macro scores are averaged {over}") if over else self.notes

    def score(self, name: str) -> float | None:
        """Return the value of a score, `macro_recall` or `recall:F`; None if there is none."""
        return self.scores.of_all(name).value

    def to_json(self) -> JsonObject:
        """Return the run as plain data: the documented form of `zoo bench --json`, except its hints."""
        return {item.name: plain(getattr(self, item.name)) for item in fields(self)}


@dataclass(frozen=True, kw_only=True)
class PooledRun(Run):
    """All folds of one configuration and seed as one result; `members` are the ids of their runs, in their order.

    The store does not keep it. Its test set is that of all folds together, and its costs and steps are their means.
    """

    members: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return self.members


_RECORDS: Mapping[str, type[Record]] = {
    "environment": Environment,
    "parts": SplitSummary,
    "scores": Scores,
    "cost": Cost,
}
