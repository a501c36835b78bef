"""A run: one trained and evaluated cell, as the store keeps it and `--json` prints it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from zoo.specs import full_name

RUNNING, STALE, DONE = "running", "stale", "done"
FAILED, DIVERGED, INTERRUPTED = "failed", "diverged", "interrupted"
RESUMABLE = (STALE, INTERRUPTED, FAILED)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One cell with what came of it.

    key          what was asked, hashed; the store serves by it
    configuration  what was asked but for the seed, hashed: the leaderboard averages over it
    code         the code that ran, hashed: the plugins' and the zoo's
    fingerprint  the key and all else the bits of the result depend on, hashed
    status       running, done, failed, diverged, interrupted, or stale: its process is gone
    data, loss   the resampler and the objective, as `--data` and `--loss` name them; no loss where a network is fitted
    config       the cell in full: parameters, training settings, seeds
    environment  device, threads, precision, versions
    parts        how the data was separated: sizes, class counts, fingerprints, shared rows and groups
    scores       of the test part, `{}` until it was scored: see `zoo.metrics.score`
    cost         parameters, macs, train_seconds, peak_memory_mib, latency_ms, rows_per_second
    served       came from the store, not run now
    differs      what of the environment differs from the one here, for a served run
    """

    id: str
    key: str
    configuration: str = ""
    code: str = ""
    fingerprint: str = ""
    status: str = RUNNING
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
    config: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    scores: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 0
    best_epoch: int = 0
    error: str = ""
    created: str = ""
    finished: str = ""
    served: bool = False
    differs: tuple[str, ...] = ()

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
        return dict(self.parts["shape"])

    def score(self, name: str) -> float | None:
        """The value of one macro score, None where there is none."""
        value = self.scores.get(name, {}).get("value")
        return None if value is None else float(value)

    def to_json(self) -> dict[str, Any]:
        """The run as plain data: the documented form of `zoo bench --json`."""
        return {item.name: getattr(self, item.name) for item in fields(self)}
