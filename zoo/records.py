"""The typed records of a run: its split, its environment, its scores and its cost.

Each is both a frozen dataclass and a read-only mapping: `run.scores.macro_recall.value` and
`run.scores["macro_recall"]["value"]` are the same number. The mapping has the names that `--json` prints.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Self, TypeVar

JsonObject = Mapping[str, Any]  # a JSON object
T = TypeVar("T")


class Record(Mapping[str, Any]):
    """A frozen dataclass that is also a mapping of its fields, and equal to any mapping with the same items."""

    @classmethod
    def of(cls, items: Mapping[str, Any]) -> Self:
        """Return the record with these items. Unknown names are ignored, wrong types raise msgspec.ValidationError."""
        return items if isinstance(items, cls) else converted(items, cls)

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
    """A score with the ends of its 95 % interval; None for a number that does not exist.

    reason  why the score has no interval; the mapping has this name only where there is a reason
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def _names(self) -> tuple[str, ...]:
        return tuple(name for name in super()._names() if name != "reason" or self.reason)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores(Record):
    """All scores on the test set, as `zoo.metrics.score` computes them; an empty mapping until the run is scored.

    recall, precision, f1  by class
    confusion  test rows by true class (outer) and predicted class (inner)
    support    test rows by class
    absent     the classes without test rows, which the macro means leave out
    resampled  the units of the intervals: `rows`, or the number of groups
    groups     groups with test rows by class; empty if rows are not grouped
    effective_groups  their effective number by class, 1 / sum(p²) with the share p of the rows of each group
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
    groups: Mapping[str, int] = field(default_factory=dict)
    effective_groups: Mapping[str, float] = field(default_factory=dict)

    def of_all(self, name: str) -> Interval:
        """Return one of `zoo.scores.MACRO_SCORES` by its name, or that of a class, such as `recall:F`."""
        score, _, label = name.partition(":")
        found: Interval | Mapping[str, Interval] = getattr(self, score)
        return found if isinstance(found, Interval) else found.get(label, Interval())

    def over_classes(self) -> str:
        """How many classes the macro means go over, where that is not all: "over 4 of 5 classes (F absent)"."""
        absent, total = len(self.absent), len(self.support)
        return f"over {total - absent} of {total} classes ({', '.join(self.absent)} absent)" if absent else ""

    @property
    def bootstrapped(self) -> bool:
        """Whether an earlier release computed the intervals, by a bootstrap that is too narrow for small classes."""
        return self.ece.low is not None

    def reasons(self, *names: str) -> list[str]:
        """Return the reasons, each once, for which these scores have no interval."""
        found: list[Interval] = []
        for name in names:
            score = getattr(self, name)
            found += [score] if isinstance(score, Interval) else score.values()
        parts = [part for interval in found for part in interval.reason.split("; ") if part]
        return list(dict.fromkeys(parts))

    def by_class(self, name: str) -> Mapping[str, Interval]:
        """Return one of `zoo.scores.CLASS_SCORES` by its name."""
        intervals: Mapping[str, Interval] = getattr(self, name)
        return intervals

    def _names(self) -> tuple[str, ...]:
        return () if _is_blank(self) else super()._names()


@dataclass(frozen=True, eq=False, kw_only=True)
class Cost(Record):
    """The cost of a model; None for a number that was not measured, an empty mapping if none was.

    parameters       number of trained parameters, over all members of an ensemble
    macs             multiply-accumulate operations for one row
    train_seconds    time in training epochs, in seconds
    peak_memory_mib  the most memory during training, in MiB
    latency_ms       the median time to classify one row, in milliseconds
    rows_per_second  test rows classified per second
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
    """The summary of a split, without the rows. The sets are named `train`, `validation` and `test`.

    by_group       whether the split is by group (patient)
    classes        the scored classes, in the order of their labels
    shape          n_channels, n_times, n_classes
    rows           number of rows, by set
    class_counts   number of rows of each class, by set
    fingerprints   hashes of the rows, by set; `pool` is the hash of all training and validation rows
    shared_rows    number of equal rows in two sets, by pair: `train/test`
    groups_by      the word for a group; None without groups
    shared_groups  groups with rows in two sets, by pair; None without groups
    published_validation  True if the data set was published with its validation rows; None if they were drawn
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
    published_validation: bool | None = None

    def _names(self) -> tuple[str, ...]:
        return () if _is_blank(self) else tuple(name for name in super()._names() if getattr(self, name) is not None)


@dataclass(frozen=True, eq=False, kw_only=True)
class Environment(Record):
    """Everything that can change the bits of a result, apart from the request.

    As a mapping it is flat: each version of a library is an item.

    threads           CPU threads of PyTorch
    bf16              whether training computed in bfloat16
    evaluation_batch  number of rows that are predicted at a time
    channels_last     whether the memory layout of images is channels last
    cpu               the instruction set that PyTorch uses, such as `AVX2`
    processor         the model of the CPU
    variables         environment variables that change how libraries compute, if they are set
    libraries         versions by name, of PyTorch and of the other libraries that the run computed with
    """

    device: str = ""
    device_name: str = ""
    threads: int = 1
    bf16: bool = False
    evaluation_batch: int = 0
    channels_last: bool = False
    cpu: str = ""
    processor: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    python: str = ""
    cuda: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Mapping[str, Any]) -> Self:
        """Return the record of flat items; an item that is not a field is the version of a library."""
        return items if isinstance(items, cls) else converted(cls.nested(items), cls)

    @classmethod
    def nested(cls, items: Mapping[str, Any]) -> JsonObject:
        """Return the flat items by field."""
        own = {name: value for name, value in items.items() if name in _fields_of(cls)}
        return {**own, "libraries": {name: value for name, value in items.items() if name not in own}}

    def __getitem__(self, name: str) -> Any:
        return self.libraries[name] if name in self.libraries else super().__getitem__(name)

    def _names(self) -> tuple[str, ...]:
        own = () if _is_blank(self) else super()._names()
        return tuple(name for name in (*own, *self.libraries) if name != "libraries")


def converted(items: Mapping[str, Any], kind: type[T]) -> T:
    """Return a dataclass made from plain items. Raises msgspec.ValidationError for a value of a wrong type."""
    import msgspec  # takes milliseconds that `zoo list` need not wait for

    return msgspec.convert(items, kind)


def plain(value: Any) -> Any:
    """Return the value with records and all other mappings as dicts, for JSON."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return type(value)(map(plain, value)) if isinstance(value, list | tuple) else value


@cache
def _fields_of(kind: type[Record]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))  # type: ignore[arg-type]


@cache
def _blank(kind: type[Record]) -> Record:
    return kind()


def _is_blank(record: Record) -> bool:
    """Return whether a record has no values yet."""
    kind = type(record)
    return all(getattr(record, name) == getattr(_blank(kind), name) for name in _fields_of(kind))
