"""The progress of a bench: a live bar on a terminal, otherwise one line per run."""

from collections.abc import Sequence
from math import isnan
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TimeRemainingColumn

from zoo.cli.views.bars import PlainColumn
from zoo.cli.views.runs import interval_text
from zoo.cli.views.terminal import print_lines
from zoo.harness.reporter import UnderWay
from zoo.store.run import Run, RunStatus
from zoo.training.loop import Epoch


class BenchDisplay:
    """Reports the progress of a bench on stderr. A context manager, which restores the terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = console.is_terminal
        self.progress = Progress(
            PlainColumn("{task.description}"),
            BarColumn(bar_width=20),
            PlainColumn("{task.fields[detail]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not self.live,
        )
        self.task: TaskID = self.progress.add_task("", total=None, detail="")
        self.label, self.validation, self.epochs = "", "", 1
        self.several = False

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def on_note(self, text: str) -> None:
        self._line(text)

    def on_phase(self, text: str) -> None:
        self.progress.update(self.task, description=f"{self.label} {text}".strip(), detail="")

    def on_run_started(self, run: Run, number: int, total: int, epochs: int) -> None:
        self.label = f"{number}/{total} {run_label(run)}"
        self.validation, self.epochs = "", epochs
        self.progress.reset(self.task, total=epochs, description=self.label, detail="first batches")

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        done = epoch - 1 + rows_done / rows
        detail = (
            f"fitting  {rows_done:,} of {rows:,} rows"
            if loss is None
            else f"epoch {epoch}/{self.epochs}  loss {loss:.3f}{self.validation}  {self._rate(rows)}"
        )
        self.progress.update(self.task, description=self.label, completed=done, detail=detail)

    def on_epoch(self, epoch: Epoch) -> None:
        self.validation = "" if isnan(epoch.macro_recall) else f"  recall {epoch.macro_recall:.3f}"
        loss = "" if epoch.train_loss is None else f"  loss {epoch.train_loss:.3f}"
        detail = f"epoch {epoch.number}/{self.epochs}{loss}{self.validation}"
        self.progress.update(self.task, completed=epoch.number, detail=detail)

    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None:
        if not self.several:
            self.several = True
            self.progress.reset(self.task)
        self.label = several_label(running, ended, total)
        done = ended + sum(one.epoch / one.epochs for one in running)
        self.progress.update(
            self.task, total=total, completed=done, description=self.label, detail=several_detail(running)
        )

    def on_run_finished(self, run: Run) -> None:
        self._line(finished_line(run))
        for difference in run.differs:
            self._line(f"  its environment differs: {difference}")
        if self.several:
            return
        self.label = ""
        self.progress.reset(self.task, total=None, description="", detail="")

    def _rate(self, rows: int) -> str:
        speed = self.progress.tasks[0].speed
        return f"{speed * rows:,.0f} rows/s" if speed else ""

    def _line(self, text: str) -> None:
        print_lines(self.console, text)


def run_label(run: Run) -> str:
    """Return a short label of a run: the values that distinguish it within its grid."""
    loss = "" if run.loss == "cross-entropy" else run.loss
    scale = "" if run.scale == "none" else f"scale {run.scale}"
    parts = [run.reference, run.block, run.data, loss, scale, f"seed {run.seed}"]
    return " ".join(part for part in parts if part)


def several_label(running: Sequence[UnderWay], ended: int, total: int) -> str:
    """Return the numbers of finished and running runs as text."""
    return f"{ended}/{total} done, {len(running)} running"


def several_detail(running: Sequence[UnderWay]) -> str:
    """Return the current epoch of each running run as text."""
    return ", ".join(f"{run_label(one.run)} epoch {one.epoch}/{one.epochs}" for one in running)


def finished_line(run: Run) -> str:
    """Return the outcome of a run in one line."""
    if run.status != RunStatus.DONE:
        return f"{run.status}: {run_label(run)}: {run.error}"
    how = f"reused from the store, run {run.id}; --force runs it again" if run.served else f"run {run.id}"
    seconds = "" if run.served else f", {_training_text(run)}"
    return f"{run.status}: {run_label(run)}: macro recall {interval_text(run.scores.macro_recall)}{seconds} ({how})"


def _training_text(run: Run) -> str:
    seconds = f"{run.cost.train_seconds or 0:.0f} s of training"
    members = run.config["training"]["members"]
    if members > 1:
        return f"{seconds}, {members} members"
    return f"{seconds}, best of {run.epochs} epochs: {run.best_epoch}" if run.epochs > 1 else seconds
