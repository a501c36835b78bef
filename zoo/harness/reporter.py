"""Reporters of a bench: the interface for a live display, and a silent reporter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zoo.store.run import Run
    from zoo.training.loop import Epoch


@dataclass(frozen=True)
class UnderWay:
    """One of several runs in progress, and the number of its epochs that are done."""

    run: "Run"
    epoch: int
    epochs: int


class BenchReporter(Protocol):
    """Receives the events of a bench while it runs."""

    def on_note(self, text: str) -> None:
        """A note of one line: how a file was read, an incompatible cell, an observer that raised an error."""

    def on_phase(self, text: str) -> None:
        """The phase before or between runs: loading, resampling, scoring."""

    def on_run_started(self, run: "Run", number: int, total: int, epochs: int) -> None: ...

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None: ...

    def on_epoch(self, epoch: "Epoch") -> None: ...

    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None:
        """Several runs at a time, in place of the three methods above: all runs in progress, after each change."""

    def on_run_finished(self, run: "Run") -> None: ...


class SilentReporter:
    """A reporter that ignores every event."""

    def on_note(self, text: str) -> None: ...
    def on_phase(self, text: str) -> None: ...
    def on_run_started(self, run: "Run", number: int, total: int, epochs: int) -> None: ...
    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None: ...
    def on_epoch(self, epoch: "Epoch") -> None: ...
    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None: ...
    def on_run_finished(self, run: "Run") -> None: ...
