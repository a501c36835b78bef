"""The request of a study, checked before any heavy module is imported."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from zoo.errors import DamagedRecord, UsageError, describe, unknown_name
from zoo.harness.request import Request
from zoo.records import JsonObject
from zoo.space import Value
from zoo.store.study import METRICS

SCHEDULERS = ("none", "asha", "median", "hyperband")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
# The keys of the cell in a stored request: the axes with their field of `Request`, and further fields.
_AXES: Mapping[str, str] = {
    "architecture": "architectures",
    "block": "blocks",
    "data": "data",
    "loss": "losses",
    "dataset": "datasets",
    "protocol": "protocols",
    "scale": "scales",
}
_OTHERS = ("rows", "epochs", "assignments", "data_dir", "target", "group", "device")
_LATER = ("columns", "drop")  # stored only if they are given, so that other requests are stored as before
_CLASSES = ("drop_class", "merge_class")
_SET_BY_STUDY = ("monitor", "threads", "run_timeout", "force", "resume")


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """One study: the cell that is tuned, the search and its budget.

    cell             the network, its data and its seed, as in a bench: at most one value per axis; defaults fill
                     empty axes. The study sets `monitor`, `threads`, `run_timeout`, `force` and `resume`
    search, search_params  the searcher and its parameters
    scheduler        the rule that stops trials early: none, asha, median or hyperband
    trials           the number of configurations to try
    startup          the number of random proposals at the start; 0: chosen from the number of trials
    time_budget      seconds for all trials together; None: no limit
    trial_timeout    seconds for one trial; None: no limit
    jobs             trials at a time, each in its own process with one thread
    gpus_per_trial   GPUs, or a share of one, for each trial
    address          a running Ray cluster for the trials; None: this machine
    metric           the metric to optimise on validation: macro_recall, accuracy or validation_loss
    seed             the seed of the search and of every trial, from the cell
    space            the name of a search space of the architecture, or a path that ends in .toml
    overrides        keys to add or replace in the space, as typed: `data=smote,oversampled`, `hidden=8..64`
    name             the name of the study; chosen automatically if empty
    comparison       the name of the comparison that contains the study; empty if none
    """

    cell: Request
    search: str = "random"
    search_params: Mapping[str, Value] = field(default_factory=dict)
    scheduler: str = "none"
    trials: int = 20
    startup: int = 0
    time_budget: float | None = None
    trial_timeout: float | None = None
    jobs: int = 1
    gpus_per_trial: float = 0.0
    address: str | None = None
    metric: str = "macro_recall"
    seed: int = field(init=False)
    space: str = "default"
    overrides: tuple[str, ...] = ()
    name: str = ""
    comparison: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", self.cell.seeds[0])
        self._check_cell()
        if self.scheduler not in SCHEDULERS:
            raise unknown_name("scheduler", self.scheduler, SCHEDULERS)
        if self.metric not in METRICS:
            raise unknown_name("metric to tune for", self.metric, METRICS)
        for name in ("trials", "jobs"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, not {getattr(self, name)}")
        for name in ("time_budget", "trial_timeout"):
            if (value := getattr(self, name)) is not None and not 0 < value < float("inf"):
                raise UsageError(f"--{name.replace('_', '-')} must be a time above 0 s, not {value} s")
        for name in ("seed", "startup"):
            if getattr(self, name) < 0:
                raise UsageError(f"--{name} must be at least 0, not {getattr(self, name)}")
        if not 0 <= self.gpus_per_trial < float("inf"):
            raise UsageError(f"--gpus-per-trial must be a finite number of at least 0, not {self.gpus_per_trial}")
        if self.name and not _NAME.fullmatch(self.name):
            raise UsageError(f"the name of a study may contain letters, digits, '-', '_' and '.', not {self.name!r}")

    @property
    def architecture(self) -> str:
        """The architecture, with its preset if one was requested."""
        return self.cell.architectures[0]

    def given(self, axis: str) -> str | None:
        """Return the value of an axis, such as `block`; None if the defaults choose."""
        values: tuple[str, ...] = getattr(self.cell, _AXES[axis])
        return values[0] if values else None

    def to_json(self) -> JsonObject:
        """Return the request as plain data; `from_json` restores it."""
        cell = self.cell
        others = {name: getattr(cell, name) for name in _OTHERS}
        others |= {name: value for name in _LATER if (value := getattr(cell, name)) is not None}
        others |= {
            "assignments": dict(cell.assignments),
            "data_dir": None if cell.data_dir is None else str(cell.data_dir.absolute()),
        }
        others |= {name: [*texts] for name in _CLASSES if (texts := getattr(cell, name))}
        search = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "cell"}
        search |= {"search_params": dict(self.search_params), "overrides": list(self.overrides)}
        axes = {axis: value for axis in _AXES if (value := self.given(axis)) is not None or axis != "scale"}
        return {**axes, **others, **search}

    @classmethod
    def from_json(cls, record: JsonObject) -> "TuneRequest":
        """Return the stored request; keys unknown to this version are ignored.

        Raises DamagedRecord for values that no request has.
        """
        try:
            return cls._of_record(record)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise DamagedRecord(f"the stored request of the study is damaged: {describe(error)}") from error

    @classmethod
    def _of_record(cls, record: JsonObject) -> "TuneRequest":
        axes = {axis: record.get(axis) for axis in _AXES}
        others = {name: record[name] for name in (*_OTHERS, *_LATER, *_CLASSES) if name in record}
        cell = Request.of(axes.pop("architecture"), **axes, seeds=(record.get("seed", 0),), **others)
        own = {item.name for item in fields(cls) if item.init} - {"cell"}
        search = {name: value for name, value in record.items() if name in own}
        return cls(cell=cell, **{**search, "overrides": tuple(record.get("overrides", ()))})

    def _check_cell(self) -> None:
        """Raise UsageError for more than one cell, and for options that the study sets itself."""
        from zoo.data.folds import CROSS_VALIDATION
        from zoo.registry import is_pattern  # `zoo --help` need not wait for it

        if not self.architecture:
            raise UsageError("name an architecture to tune: `zoo list architecture` shows them all")
        if is_pattern(self.architecture):
            raise UsageError(f"a study tunes one architecture, not a pattern such as {self.architecture!r}")
        for axis, name in {**_AXES, "seed": "seeds"}.items():
            if len(values := getattr(self.cell, name)) > 1:
                raise UsageError(f"a study takes one {axis}, not {', '.join(map(str, values))}")
        if CROSS_VALIDATION in self.cell.protocols or self.cell.cv is not None:
            raise UsageError(f"a study has one test set: leave out --protocol {CROSS_VALIDATION}")
        for name in _SET_BY_STUDY:
            if getattr(self.cell, name) is not getattr(Request, name):
                raise UsageError(f"the study sets {name}: remove it from the cell")


def plain_name(text: str) -> str:
    """Replace the characters that a study name must not contain."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip("-_.")
