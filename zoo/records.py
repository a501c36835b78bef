"""The typed parts of a run: how its data were separated, where it ran, how it scored and what it cost.

Each is a frozen dataclass and a read-only mapping at once: `run.scores.macro_recall.value` and
`run.scores["macro_recall"]["value"]` are the same number. The mapping has the names that `--json` prints.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Self

import msgspec

JsonObject = Mapping[str, Any]  # an object as JSON has it


class Record(Mapping[str, Any]):
    """A frozen dataclass that can also be read as a mapping of its fields; equal to any mapping of the same items."""

    @classmethod
    def of(cls, items: Mapping[str, Any]) -> Self:
        """The record with these items; unknown names are left out. Raises msgspec.ValidationError for a wrong type."""
        return items if isinstance(items, cls) else msgspec.convert(items, cls)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names():
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> tuple[str, ...]:
        return _fields_of(type(self))


@dataclass(frozen=True, eq=False)
class Interval(Record):
    """A score with the ends of its 95 % interval; None where there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores(Record):
    """All scores of the test set, as `zoo.metrics.score` computes them; an empty mapping until a run is scored.

    recall, precision, f1  by class
    confusion  test rows by true class (outer) and predicted class (inner)
    support    test rows by class
    absent     the classes without test rows, which the macro means leave out
    resampled  what the bootstrap drew: `rows`, or how many groups
    """

    macro_recall: Interval = field(default_factory=Interval)
    macro_f1: Interval = field(default_factory=Interval)
    accuracy: Interval = field(default_factory=Interval)
    mcc: Interval = field(default_factory=Interval)
    auroc: Interval = field(default_factory=Interval)
    log_loss: Interval = field(default_factory=Interval)
    ece: Interval = field(default_factory=Interval)
    recall: Mapping[str, Interval] = field(default_factory=dict)
    precision: Mapping[str, Interval] = field(default_factory=dict)
    f1: Mapping[str, Interval] = field(default_factory=dict)
    confusion: Sequence[Sequence[int]] = field(default_factory=list)
    support: Mapping[str, int] = field(default_factory=dict)
    absent: Sequence[str] = field(default_factory=list)
    resampled: str = ""

    def of_all(self, name: str) -> Interval:
        """One of `zoo.scores.MACRO_SCORES` by its name."""
        interval: Interval = getattr(self, name)
        return interval

    def over_classes(self) -> str:
        """How many classes the macro means go over, where that is not all: "over 4 of 5 classes (F absent)"."""
        absent, total = len(self.absent), len(self.support)
        return f"over {total - absent} of {total} classes ({', '.join(self.absent)} absent)" if absent else ""

    def by_class(self, name: str) -> Mapping[str, Interval]:
        """One of `zoo.scores.CLASS_SCORES` by its name."""
        intervals: Mapping[str, Interval] = getattr(self, name)
        return intervals

    def _names(self) -> tuple[str, ...]:
        return () if _is_blank(self) else super()._names()


@dataclass(frozen=True, eq=False, kw_only=True)
class Cost(Record):
    """What a model costs; None where it was not measured, an empty mapping where nothing was.

    parameters       trained numbers, over all members of an ensemble
    macs             multiply-accumulate operations for one row
    train_seconds    time in training epochs, in seconds
    peak_memory_mib  the most memory during training, in MiB
    latency_ms       the median time to classify one row, in milliseconds
    rows_per_second  test rows classified in a second
    """

    parameters: int | None = None
    macs: int | None = None
    train_seconds: float | None = None
    peak_memory_mib: float | None = None
    latency_ms: float | None = None
    rows_per_second: float | None = None

    def _names(self) -> tuple[str, ...]:
        return () if _is_blank(self) else super()._names()


@dataclass(frozen=True, eq=False, kw_only=True)
class SplitSummary(Record):
    """How data were separated, and not a row of them. Parts are named `train`, `validation` and `test`.

    by_group       whether no group (patient) is in two parts
    classes        the scored classes, in the order of their labels
    shape          n_channels, n_times, n_classes
    rows           by part
    class_counts   rows of each class, by part
    fingerprints   hashes of the rows, by part; `pool` is of training and validation rows together
    shared_rows    equal rows in two parts, by pair: `train/test`
    groups_by      what a group is called; None without groups, as below
    shared_groups  groups with rows in two parts, by pair
    """

    protocol: str = ""
    by_group: bool = False
    classes: Sequence[str] = field(default_factory=list)
    shape: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    class_counts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    shared_rows: Mapping[str, int] = field(default_factory=dict)
    groups_by: str | None = None
    shared_groups: Mapping[str, Sequence[Any]] | None = None

    def _names(self) -> tuple[str, ...]:
        return () if _is_blank(self) else tuple(name for name in super()._names() if getattr(self, name) is not None)


@dataclass(frozen=True, eq=False, kw_only=True)
class Environment(Record):
    """What the bits of a result depend on beside what was asked for.

    As a mapping it is flat: the libraries' versions stand beside the rest.

    threads           CPU threads of PyTorch
    bf16              whether training computed in bfloat16
    evaluation_batch  rows that are predicted at a time
    channels_last     whether images lie in memory with channels last
    cpu               the instruction set that PyTorch uses, such as `AVX2`
    libraries         versions by name: PyTorch, and what else the run computed with
    """

    device: str = ""
    device_name: str = ""
    threads: int = 1
    bf16: bool = False
    evaluation_batch: int = 0
    channels_last: bool = False
    cpu: str = ""
    machine: str = ""
    python: str = ""
    cuda: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Mapping[str, Any]) -> Self:
        """The record of flat items: what is no field is the version of a library."""
        if isinstance(items, cls):
            return items
        own = {name: value for name, value in items.items() if name in _fields_of(cls)}
        libraries = {name: value for name, value in items.items() if name not in own}
        return msgspec.convert({**own, "libraries": libraries}, cls)

    def __getitem__(self, name: str) -> Any:
        return self.libraries[name] if name in self.libraries else super().__getitem__(name)

    def _names(self) -> tuple[str, ...]:
        own = () if _is_blank(self) else super()._names()
        return tuple(name for name in (*own, *self.libraries) if name != "libraries")


def plain(value: Any) -> Any:
    """The value with records, and all other mappings in it, as dicts: what JSON can hold."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return type(value)(map(plain, value)) if isinstance(value, list | tuple) else value


@cache
def _fields_of(kind: type[Record]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))  # type: ignore[arg-type]


def _is_blank(record: Record) -> bool:
    """Whether nothing in a record is known yet."""
    blank = type(record)()
    return all(getattr(record, name) == getattr(blank, name) for name in _fields_of(type(record)))
