"""What is asked of a study, checked before anything heavy is loaded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from zoo.errors import UsageError, unknown_name
from zoo.space import Value
from zoo.store.study import METRICS

SCHEDULERS = ("none", "asha", "median", "hyperband")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """One study: the network, its data, the search and its budget.

    The first group is as in `zoo.harness.request.Request`, with one value for each axis; None stands for the default.

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
    space            the name of one of the architecture's search spaces, or a path that ends in .toml
    overrides        keys added to the space or replaced, as typed: `data=smote,oversampled`, `hidden=8..64`
    name             the study's; chosen where it is empty
    comparison       the comparison that the study is part of, if it is
    """

    architecture: str
    block: str | None = None
    data: str | None = None
    loss: str | None = None
    dataset: str | None = None
    protocol: str | None = None
    rows: int | None = None
    epochs: int | None = None
    assignments: Mapping[str, Value] = field(default_factory=dict)
    data_dir: Path | None = None
    target: str | None = None
    group: str | None = None
    device: str | None = None
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
    seed: int = 0
    space: str = "default"
    overrides: tuple[str, ...] = ()
    name: str = ""
    comparison: str = ""

    def __post_init__(self) -> None:
        if not self.architecture:
            raise UsageError("name an architecture to tune: `zoo list architecture` shows them all")
        if any(sign in self.architecture for sign in "*?["):
            raise UsageError(f"a study is of one architecture, not of a pattern such as {self.architecture!r}")
        if self.scheduler not in SCHEDULERS:
            raise unknown_name("scheduler", self.scheduler, SCHEDULERS)
        if self.metric not in METRICS:
            raise unknown_name("metric to tune for", self.metric, METRICS)
        for name in ("trials", "jobs", "rows", "epochs"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise UsageError(f"--{name} is at least 1, not {value}")
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

    def to_json(self) -> dict[str, Any]:
        """The request as plain data, from which `from_json` makes it again."""
        record = {item.name: getattr(self, item.name) for item in fields(self)}
        data_dir = None if self.data_dir is None else str(self.data_dir.absolute())
        plain = {"assignments": dict(self.assignments), "search_params": dict(self.search_params)}
        return {**record, **plain, "data_dir": data_dir, "overrides": list(self.overrides)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "TuneRequest":
        """The request that was written down; what this version does not know is left out."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in record.items() if name in known}
        data_dir = values.get("data_dir")
        values["data_dir"] = None if data_dir is None else Path(data_dir)
        return cls(**{**values, "overrides": tuple(values.get("overrides", ()))})
