"""Who follows a bench: the command line's live display, or nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zoo.store.run import Run
    from zoo.training.loop import Epoch


@dataclass(frozen=True)
class UnderWay:
    """A run among several that are trained at a time, and how many of its epochs are done."""

    run: "Run"
    epoch: int
    epochs: int


class BenchReporter(Protocol):
    """Told what happens, as it happens."""

    def on_note(self, text: str) -> None:
        """Something worth a line: an incompatible cell, an observer that raised."""

    def on_phase(self, text: str) -> None:
        """What is being done before and between runs: loading, resampling, scoring."""

    def on_run_started(self, run: "Run", number: int, total: int, epochs: int) -> None: ...

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None: ...

    def on_epoch(self, epoch: "Epoch") -> None: ...

    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None:
        """With several at a time, in place of the three above: all that are under way, whenever one has come on."""

    def on_run_finished(self, run: "Run") -> None: ...


class SilentReporter:
    """A watch that looks away."""

    def on_note(self, text: str) -> None: ...
    def on_phase(self, text: str) -> None: ...
    def on_run_started(self, run: "Run", number: int, total: int, epochs: int) -> None: ...
    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None: ...
    def on_epoch(self, epoch: "Epoch") -> None: ...
    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None: ...
    def on_run_finished(self, run: "Run") -> None: ...
