"""The progress of a bench: a live bar over its cells on a terminal, and a line per run."""

import time
from collections.abc import Sequence
from datetime import datetime
from math import isnan
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID

from zoo.cli.views.bars import PlainColumn
from zoo.cli.views.pace import Pace, end_text
from zoo.cli.views.runs import interval_text
from zoo.cli.views.terminal import print_lines
from zoo.harness.reporter import UnderWay
from zoo.store.run import Run, RunStatus
from zoo.training.loop import Epoch

BAR = 20  # the width of the bar


class BenchDisplay:
    """Reports the progress of a bench on stderr. A context manager, which restores the terminal.

    also  further axes in the label of each run, see `run_label`
    """

    def __init__(self, console: Console, also: Sequence[str] = ()) -> None:
        self.console, self.also = console, also
        self.live = console.is_terminal
        self.progress = Progress(
            PlainColumn("{task.description}"),
            BarColumn(bar_width=BAR),
            PlainColumn("{task.fields[end]}"),
            PlainColumn("{task.fields[detail]}"),
            console=console,
            transient=True,
            disable=not self.live,
        )
        self.task: TaskID = self.progress.add_task("", total=None, detail="", end="")
        self.label, self.validation, self.epochs = "", "", 1
        self.several = False
        self.ended, self.total = 0, 0
        self.pace = Pace()
        self.first: tuple[float, float] | None = None  # the time and the epochs of the first batch of a run
        self.reasons: set[tuple[str, str]] = set()

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
        self.label = f"{number}/{total} {run_label(run, self.also)}"
        self.validation, self.epochs, self.first = "", epochs, None
        self.ended, self.total = number - 1, total
        self._advance(0.0, "first batches")

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        done = epoch - 1 + rows_done / rows
        detail = (
            f"fitting  {rows_done:,} of {rows:,} rows"
            if loss is None
            else f"epoch {epoch}/{self.epochs}  loss {loss:.3f}{self.validation}  {self._rate(done, rows)}"
        )
        self._advance(done / self.epochs, detail)

    def on_epoch(self, epoch: Epoch) -> None:
        self.validation = "" if isnan(epoch.macro_recall) else f"  recall {epoch.macro_recall:.3f}"
        loss = "" if epoch.train_loss is None else f"  loss {epoch.train_loss:.3f}"
        detail = f"epoch {epoch.number}/{self.epochs}{loss}{self.validation}"
        self._advance(epoch.number / self.epochs, detail)

    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None:
        if not self.several:
            self.several = True
            self.progress.reset(self.task)
        self.label = several_label(running, ended, total)
        self.ended, self.total = ended, total
        self._advance(sum(one.epoch / one.epochs for one in running), several_detail(running, self.also))

    def on_run_finished(self, run: Run) -> None:
        done, reason = run.status == RunStatus.DONE, (str(run.status), run.error)
        if done or reason not in self.reasons:
            self._line(finished_line(run, self.also))
        if not done:
            self.reasons.add(reason)  # further runs that fail for it are counted at the end of the bench
        elif not run.served:
            self.pace.trained += 1
        for difference in run.differs:
            self._line(f"  its environment differs: {difference}")
        if self.several:
            return
        self.label = ""
        self.ended += 1
        self.progress.update(self.task, completed=self.ended, description="", detail="")

    def _advance(self, running: float, detail: str) -> None:
        """Show the share of the grid that is done; `running` is the sum of the shares of the runs in progress."""
        end = end_text(self.pace.seconds_left(self.ended, running, self.total), datetime.now())
        self.progress.update(
            self.task,
            total=self.total,
            completed=self.ended + running,
            description=self.label,
            detail=self._fitting(detail, taken=len(self.label) + len(end)),
            end=end,
        )

    def _fitting(self, detail: str, taken: int) -> str:
        """Return the text cut so that a narrow terminal shows the time of the end whole, not a part of each."""
        room = self.console.width - taken - BAR - 3
        return detail if len(detail) <= room else f"{detail[: room - 1]}…" if room > 1 else ""

    def _rate(self, done: float, rows: int) -> str:
        now = time.monotonic()
        if self.first is None:
            self.first = now, done
        since, start = self.first
        return f"{(done - start) * rows / (now - since):,.0f} rows/s" if now > since and done > start else ""

    def _line(self, text: str) -> None:
        print_lines(self.console, text)


def run_label(run: Run, also: Sequence[str] = ()) -> str:
    """Return a short label of a run: the values that distinguish it within its grid.

    `also` names further axes: the data set and the protocol, where a grid has several.
    """
    loss = "" if run.loss == "cross-entropy" else run.loss
    scale = "" if run.scale == "none" else f"scale {run.scale}"
    parts = [
        *(getattr(run, axis) for axis in also),
        run.reference,
        run.block,
        run.data,
        loss,
        scale,
        f"seed {run.seed}",
    ]
    parts += [f"fold {run.fold}/{run.folds}"] if run.fold else []
    return " ".join(part for part in parts if part)


def several_label(running: Sequence[UnderWay], ended: int, total: int) -> str:
    """Return the numbers of finished and running runs as text."""
    return f"{ended}/{total} done, {len(running)} running"


def several_detail(running: Sequence[UnderWay], also: Sequence[str] = ()) -> str:
    """Return the current epoch of each running run as text."""
    return ", ".join(f"{run_label(one.run, also)} epoch {one.epoch}/{one.epochs}" for one in running)


def finished_line(run: Run, also: Sequence[str] = ()) -> str:
    """Return the outcome of a run in one line."""
    label = run_label(run, also)
    if run.status != RunStatus.DONE:
        return f"{run.status}: {label}: {run.error}"
    how = f"reused from the store, run {run.id}; --force runs it again" if run.served else f"run {run.id}"
    seconds = "" if run.served else f", {_training_text(run)}"
    return f"{run.status}: {label}: macro recall {interval_text(run.scores.macro_recall)}{seconds} ({how})"


def _training_text(run: Run) -> str:
    seconds = f"{run.cost.train_seconds or 0:.0f} s of training"
    members = run.config["training"]["members"]
    if members > 1:
        return f"{seconds}, {members} members"
    return f"{seconds}, kept epoch {run.best_epoch} of {run.epochs}" if run.epochs > 1 else seconds
