"""What is asked of a study, checked before anything heavy is loaded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from zoo.errors import UsageError, unknown_name
from zoo.harness.request import Request
from zoo.records import JsonObject
from zoo.registry import is_pattern
from zoo.space import Value
from zoo.store.study import METRICS

SCHEDULERS = ("none", "asha", "median", "hyperband")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
# The cell in a stored request: the axes, each with the field of a `Request` that it fills, and other fields.
_AXES: Mapping[str, str] = {
    "architecture": "architectures",
    "block": "blocks",
    "data": "data",
    "loss": "losses",
    "dataset": "datasets",
    "protocol": "protocols",
}
_OTHERS = ("rows", "epochs", "assignments", "data_dir", "target", "group", "device")
_SET_BY_STUDY = ("monitor", "threads", "force", "resume")


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """One study: the cell that is tuned, the search and its budget.

    cell             the network, its data and its seed, as a request to the bench: at most one value for each axis.
                     The study itself sets `monitor`, `threads`, `force` and `resume`
    search, search_params  the searcher and its own parameters
    scheduler        what ends trials early: none, asha, median or hyperband
    trials           how many configurations are tried
    startup          how many of them the searcher draws at random first; 0: chosen by the number of trials
    time_budget      seconds for all trials together; None: as long as they take
    trial_timeout    seconds for one trial; None: as long as it takes
    jobs             trials at a time, each in a process of its own with one thread
    gpus_per_trial   GPUs, or a share of one, that each trial takes
    address          of a running Ray cluster to run the trials on; None: this machine
    metric           what is searched for on validation: macro_recall, accuracy or validation_loss
    seed             of the search and of every trial: the cell's
    space            the name of one of the architecture's search spaces, or a path that ends in .toml
    overrides        keys added to the space or replaced, as typed: `data=smote,oversampled`, `hidden=8..64`
    name             the study's; chosen where it is empty
    comparison       the comparison that the study is part of, if it is
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
                raise UsageError(f"--{name.replace('_', '-')} is a time above 0 s, not {value} s")
        for name in ("seed", "startup"):
            if getattr(self, name) < 0:
                raise UsageError(f"--{name} is 0 or more, not {getattr(self, name)}")
        if not 0 <= self.gpus_per_trial < float("inf"):
            raise UsageError(f"--gpus-per-trial is 0 or more, not {self.gpus_per_trial}")
        if self.name and not _NAME.fullmatch(self.name):
            raise UsageError(f"a study's name is made of letters, digits, '-', '_' and '.', not {self.name!r}")

    @property
    def architecture(self) -> str:
        """The architecture, with its preset where one was named."""
        return self.cell.architectures[0]

    def given(self, axis: str) -> str | None:
        """The value of an axis, such as `block`; None where the defaults decide."""
        values: tuple[str, ...] = getattr(self.cell, _AXES[axis])
        return values[0] if values else None

    def to_json(self) -> JsonObject:
        """The request as plain data, from which `from_json` makes it again."""
        cell = self.cell
        others = {name: getattr(cell, name) for name in _OTHERS}
        others |= {
            "assignments": dict(cell.assignments),
            "data_dir": None if cell.data_dir is None else str(cell.data_dir.absolute()),
        }
        search = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "cell"}
        search |= {"search_params": dict(self.search_params), "overrides": list(self.overrides)}
        return {**{axis: self.given(axis) for axis in _AXES}, **others, **search}

    @classmethod
    def from_json(cls, record: JsonObject) -> "TuneRequest":
        """The request that was written down; what this version does not know is left out."""
        axes = {axis: record.get(axis) for axis in _AXES}
        others = {name: record[name] for name in _OTHERS if name in record}
        cell = Request.of(axes.pop("architecture"), **axes, seeds=(record.get("seed", 0),), **others)
        own = {item.name for item in fields(cls) if item.init} - {"cell"}
        search = {name: value for name, value in record.items() if name in own}
        return cls(cell=cell, **{**search, "overrides": tuple(record.get("overrides", ()))})

    def _check_cell(self) -> None:
        """Raise UsageError unless this is one cell, and leaves to the study what the study sets."""
        if not self.architecture:
            raise UsageError("name an architecture to tune: `zoo list architecture` shows them all")
        if is_pattern(self.architecture):
            raise UsageError(f"a study is of one architecture, not of a pattern such as {self.architecture!r}")
        for axis, name in {**_AXES, "seed": "seeds"}.items():
            if len(values := getattr(self.cell, name)) > 1:
                raise UsageError(f"a study is of one {axis}, not of {', '.join(map(str, values))}")
        for name in _SET_BY_STUDY:
            if getattr(self.cell, name) is not getattr(Request, name):
                raise UsageError(f"a study sets {name} itself: leave it out")


def plain_name(text: str) -> str:
    """Text with nothing in it that a study's name may not have."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip("-_.")
