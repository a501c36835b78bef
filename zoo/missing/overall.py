"""A reporter that counts the runs of all rounds as those of one bench."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.harness.reporter import BenchReporter, UnderWay
from zoo.tuning.reporter import SilentTuneReporter

if TYPE_CHECKING:
    from zoo.store.run import Run
    from zoo.training.loop import Epoch


class Overall(SilentTuneReporter):
    """Forwards all events to the reporter of a bench. `total` is the number of runs of all rounds."""

    def __init__(self, reporter: BenchReporter, total: int) -> None:
        self.reporter, self.total, self.ended = reporter, total, 0
        self.noted: set[str] = set()

    def on_note(self, text: str) -> None:
        if text not in self.noted:  # each round loads its data, with the same notes
            self.noted.add(text)
            self.reporter.on_note(text)

    def on_phase(self, text: str) -> None:
        self.reporter.on_phase(text)

    def on_run_started(self, run: "Run", number: int, total: int, epochs: int) -> None:
        self.reporter.on_run_started(run, self.ended + 1, max(self.total, self.ended + 1), epochs)

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.reporter.on_batch(epoch, rows_done, rows, loss)

    def on_epoch(self, epoch: "Epoch") -> None:
        self.reporter.on_epoch(epoch)

    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None:
        self.reporter.on_runs(running, self.ended, max(self.total, self.ended + len(running)))

    def on_run_finished(self, run: "Run") -> None:
        self.ended += 1
        self.reporter.on_run_finished(run)
