"""The request of a bench: the axes of the grid, and the options of its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import UsageError
from zoo.space import Value

if TYPE_CHECKING:
    from zoo.harness.in_memory import InMemory

Axis = str | Sequence[str] | None  # one value, several, or none
MOST_SEEDS = 10_000
MOST_FOLDS = 10_000


@dataclass(frozen=True, kw_only=True)
class DataRequest:
    """The options with which a data set is loaded and separated.

    `drop_class` and `merge_class` are texts that `zoo.data.classes.with_classes` reads: `F`, and `S=A,J`. `in_memory`
    holds the data sets that Python code passes, by name.
    """

    rows: int | None = None
    assignments: Mapping[str, Value] = field(default_factory=dict)
    data_dir: Path | None = None
    target: str | None = None
    group: str | None = None
    columns: str | None = None
    drop: str | None = None
    drop_class: tuple[str, ...] = ()
    merge_class: tuple[str, ...] = ()
    in_memory: "Mapping[str, InMemory]" = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request(DataRequest):
    """One call of the bench: every tuple is an axis of the grid; for an empty tuple, the defaults choose.

    `treatments` are pairs of a resampler and a loss, in place of the axes `data` and `losses`: `original/weighted`.
    `monitor` is the metric of a study. It chooses the epoch and overrides the preset; a user's own setting wins.
    `cv` is the number of folds of a cross-validation; None: no cross-validation.
    `run_timeout` is the time limit of each run in seconds, for training and scoring together; None: no limit.
    """

    architectures: tuple[str, ...]
    blocks: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    cv: int | None = None
    scales: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    epochs: int | None = None
    monitor: str | None = None
    device: str | None = None
    threads: int | None = None
    run_timeout: float | None = None
    force: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        if not self.architectures:
            raise UsageError("name an architecture to bench: `zoo list architecture` shows them all")
        if self.treatments and (self.data or self.losses):
            raise UsageError("--treatment names the resamplers and the losses: leave out --data and --loss")
        if self.force and self.resume:
            raise UsageError("--force trains again and --resume continues: choose one")
        for name, value in (("rows", self.rows), ("epochs", self.epochs), ("seeds", len(self.seeds))):
            if value is not None and value < 1:
                raise UsageError(f"--{name} must be at least 1, not {value}")
        check_folds(self.cv)
        if self.run_timeout is not None and not 0 < self.run_timeout < float("inf"):
            raise UsageError(f"--run-timeout must be a time above 0 s, not {self.run_timeout} s")
        if self.threads is not None and self.threads < 0:
            raise UsageError(f"--threads must be at least 0 (automatic), not {self.threads}")

    @classmethod
    def of(
        cls,
        architectures: Axis,
        *,
        block: Axis = None,
        data: Axis = None,
        loss: Axis = None,
        treatment: Axis = None,
        dataset: Axis = None,
        protocol: Axis = None,
        scale: Axis = None,
        drop_class: Axis = None,
        merge_class: Axis = None,
        seeds: Sequence[int] = (0,),
        data_dir: str | Path | None = None,
        **others: Any,
    ) -> "Request":
        """Return a request from axes in their short form: `block="se"`, `data=["original", "smote"]`.

        `others` are further fields of a request. Raises UsageError for values that are not valid.
        """
        check_seeds(seeds)
        return cls(
            architectures=values_of(architectures),
            blocks=values_of(block),
            data=values_of(data),
            losses=values_of(loss),
            treatments=values_of(treatment),
            datasets=values_of(dataset),
            protocols=values_of(protocol),
            scales=values_of(scale),
            drop_class=values_of(drop_class),
            merge_class=values_of(merge_class),
            seeds=tuple(seeds),
            data_dir=None if data_dir is None else Path(data_dir),
            **others,
        )


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise UsageError for more seeds than anybody can run; a typed range of them would fill the memory."""
    if len(seeds) > MOST_SEEDS:
        raise UsageError(f"--seeds must be at most {MOST_SEEDS:,}, not {len(seeds):,}")


def values_of(axis: Axis) -> tuple[str, ...]:
    """Return the values of an axis that was given as one value, as several, or not at all."""
    if axis is None:
        return ()
    return (axis,) if isinstance(axis, str) else tuple(axis)


def check_folds(folds: int | None) -> None:
    """Raise UsageError for a number of folds that no cross-validation can have."""
    if folds is not None and not 2 <= folds <= MOST_FOLDS:
        raise UsageError(f"--cv must be from 2 to {MOST_FOLDS}, not {folds}")
