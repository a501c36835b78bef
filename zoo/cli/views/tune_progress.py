"""The progress of a study: a live table of its trials on a terminal, otherwise one line per trial."""

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from zoo.cli.views.bench_progress import BenchDisplay
from zoo.cli.views.pace import clock_text
from zoo.cli.views.terminal import plain
from zoo.cli.views.trials import number_text, trial_line
from zoo.scores import metric_words
from zoo.store.study import UNFINISHED, Study, Trial, TrialStatus
from zoo.visible import visible
from zoo.wording import config_text

SHOWN = 8  # trials in the live table, fewer on a short terminal
COLUMNS = ("trial", "status", "value", "epochs", "seconds")  # a narrow terminal leaves out the last ones first
CONFIGURATION = "configuration"
LEAST, GAP = 3, 2  # columns that are always shown, and the space between two
AROUND = 6  # lines besides the trials: the summary, the heading, the bar and the prompt


class PatientConsole(Console):
    """A console that is silent after its stream was closed. Rich would end the program, and with it the study."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class TuneDisplay(BenchDisplay):
    """Reports a study and then the run of its winner on stderr. No method raises, since this would end the study.

    study  the latest state; None before the study starts
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.study: Study | None = None
        self._summary = Group()
        self._told: set[int] = set()
        self._noted: set[str] = set()
        self._live = Live(get_renderable=self._renderable, console=console, transient=True, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self.live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Remove the live table before the next message."""
        with contextlib.suppress(Exception):
            self._live.stop()

    def on_study(self, study: Study) -> None:
        with contextlib.suppress(Exception):
            self.study = study
            self._told = {trial.number for trial in study.ended}
            self._line(starting_line(study))
            self.progress.reset(
                self.task, total=study.wanted, completed=len(self._told), description="trials", detail="", end=""
            )

    def on_trials(self, study: Study, seconds_left: float | None) -> None:
        with contextlib.suppress(Exception):
            self.study = study
            if self.live:
                ended = len(study.ended)
                self.progress.update(self.task, completed=ended, description="trials", detail=f"{ended}/{study.wanted}")
                self._summary = self._drawn(study, seconds_left)
                return
            for trial in study.trials:
                if trial.status not in UNFINISHED and trial.number not in self._told:
                    self._told.add(trial.number)
                    self._line(trial_line(study, trial))

    def on_note(self, text: str) -> None:
        """Show a note once: the trials, and the run of the winner, report the same on their data."""
        if text not in self._noted:
            self._noted.add(text)
            super().on_note(text)

    def on_phase(self, text: str) -> None:
        with contextlib.suppress(Exception):
            super().on_phase(text)

    def _line(self, text: str) -> None:
        with contextlib.suppress(Exception):
            super()._line(text)

    def _renderable(self) -> Group:
        return Group(self._summary, self.progress.get_renderable())

    def _drawn(self, study: Study, seconds_left: float | None) -> Group:
        lines = [_shortened(text) for text in summary_lines(study, seconds_left)]
        trials = shown_trials(study, max(1, min(SHOWN, self.console.height - AROUND)))
        return Group(*lines, _table(study, trials, self.console.width))


def starting_line(study: Study) -> str:
    """Return a line for the start of a study, with the number of finished trials if it is resumed."""
    search = study.searcher if study.scheduler == "none" else f"{study.searcher}, {study.scheduler}"
    ended = len(study.ended)
    far = f", {ended} already finished" if ended else ""
    return f"study {study.name}: {study.architecture}, {search}, {study.wanted} trials{far}"


def summary_lines(study: Study, seconds_left: float | None) -> list[str]:
    """Return two lines: the progress of the study, and the best trial so far."""
    number = Counter(trial.status for trial in study.trials)
    failed = sum(number.values()) - sum(
        number[status]
        for status in (TrialStatus.DONE, TrialStatus.PRUNED, TrialStatus.RUNNING, TrialStatus.INTERRUPTED)
    )
    parts = [f"{number[TrialStatus.DONE] + number[TrialStatus.PRUNED] + failed} of {study.wanted} ended"]
    parts += [f"{clock_text(seconds_left)} left"] if seconds_left is not None else []
    counts = ((number[TrialStatus.RUNNING], "running"), (number[TrialStatus.PRUNED], "pruned"), (failed, "failed"))
    parts += [f"{many} {word}" for many, word in counts if many]
    best = study.best
    so_far = (
        "-"
        if best is None
        else f"{number_text(best.value)} (trial {best.number}: {config_text(best.config, short=True)})"
    )
    return [f"{study.name}: {', '.join(parts)}", f"best {metric_words(study.metric)}: {so_far}"]


def shown_trials(study: Study, room: int) -> list[Trial]:
    """Return the running trials and the last finished trials, at most `room`, sorted by number."""
    running = [trial for trial in study.trials if trial.status == TrialStatus.RUNNING][-room:]
    ended = sorted(study.ended, key=lambda trial: (trial.finished, trial.number))
    last = ended[max(0, len(ended) - (room - len(running))) :]
    return sorted([*last, *running], key=lambda trial: trial.number)


def _table(study: Study, trials: Sequence[Trial], width: int) -> Table:
    """Return the table of trials. Columns that do not fit into `width` are left out or truncated."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    columns = [_column(study, title, trials) for title in COLUMNS]
    while sum(map(_width, columns)) > width and len(columns) > LEAST:
        columns.pop()
    for column in columns:
        table.add_column(plain(column[0]), no_wrap=True, justify="left" if column[0] == "status" else "right")
    room = width - sum(map(_width, columns))
    if room >= len(CONFIGURATION):
        table.add_column(CONFIGURATION, no_wrap=True, overflow="ellipsis", max_width=room)
        columns.append([CONFIGURATION, *(config_text(trial.config, short=True) for trial in trials)])
    best = study.best.number if study.best else None
    for place, trial in enumerate(trials, start=1):
        cells = [plain(column[place]) for column in columns]
        table.add_row(*cells, style="green" if trial.number == best else "")
    return table


def _shortened(text: str) -> Text:
    """Return a line that a narrow terminal truncates."""
    line = plain(text)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _column(study: Study, title: str, trials: Sequence[Trial]) -> list[str]:
    """Return the heading and a cell for each trial."""
    texts: Mapping[str, Callable[[Trial], str]] = {
        "trial": lambda trial: str(trial.number),
        "status": lambda trial: trial.status,
        "value": lambda trial: number_text(trial.value),
        "epochs": lambda trial: str(trial.epochs),
        "seconds": lambda trial: f"{trial.seconds:.1f}",
    }
    heading = study.metric.replace("_", " ") if title == "value" else title
    return [heading, *(texts[title](trial) for trial in trials)]


def _width(column: Sequence[str]) -> int:
    return max(map(len, map(visible, column))) + GAP
