"""The progress of checks: on a terminal a table per component, in a pipe a line per check."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from zoo.cli.views.bars import PlainColumn
from zoo.cli.views.table import Column, Row, count, emit, print_tsv, say
from zoo.cli.views.terminal import print_lines
from zoo.registry import Registry
from zoo.testing.check import Check
from zoo.testing.collection import Subject
from zoo.testing.representatives import declared
from zoo.testing.running import CheckStatus, Outcome, Report
from zoo.wording import count_text

COLUMNS = (
    Column("kind", "kind"),
    Column("name", "name"),
    Column("check", "check"),
    Column("status", "status"),
    Column("seconds", "seconds"),
    Column("message", "message"),
)
TABLE = (
    Column("", "status"),
    Column("check", "checks", wraps=True),
    Column("error, or reason of a known failure", "message", wraps=True, optional=True),
)
STYLES = {CheckStatus.FAILED: "red", CheckStatus.EXPECTED: "yellow"}
FEW = 8  # up to this number, each component has a table; above, one without failures is one line


class CheckDisplay:
    """Reports checks: results on stdout, progress on stderr. A context manager, which restores the terminal.

    tables  whether to show each result at once; false if JSON is written at the end
    debug   whether to show the traceback of each failure
    """

    def __init__(self, console: Console, subjects: Sequence[Subject], *, tables: bool, debug: bool) -> None:
        self.console, self.debug = console, debug
        self.terminal = tables and sys.stdout.isatty()
        self.lines = tables and not self.terminal
        self.few = len(subjects) <= FEW
        self.progress = Progress(
            PlainColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            disable=not console.is_terminal,
        )
        self.task = self.progress.add_task("", total=sum(len(subject.checks) for subject in subjects))

    def __enter__(self) -> Self:
        self.progress.start()
        if self.lines:
            print_tsv(COLUMNS, [])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def on_check(self, check: Check) -> None:
        self.progress.update(self.task, description=str(check))

    def on_outcome(self, outcome: Outcome) -> None:
        if self.lines:
            print_tsv(COLUMNS, [_row(outcome)], heading=False)
            sys.stdout.flush()
        if self.debug and outcome.status == CheckStatus.FAILED:
            print_lines(self.console, *outcome.traceback.rstrip().split("\n"), wrap=False)
        self.progress.advance(self.task)

    def on_report(self, report: Report) -> None:
        if self.terminal:
            self.progress.stop()  # both streams share the terminal: the bar would overwrite the table
            if self.few or report.failed or report.expected:
                emit(TABLE, list(_rows(report)), title=(f"{_title(report)}, {took(report)}",))
                say("")
            else:
                say(f"{_title(report)}: {tally(report.outcomes)}, {took(report)}")
            self.progress.start()


def tally(outcomes: Iterable[Outcome]) -> str:
    """Return the number of checks by outcome: `14 passed, 1 failed`."""
    counts = Counter(outcome.status for outcome in outcomes)
    words = {CheckStatus.PASSED: "passed", CheckStatus.FAILED: "failed", CheckStatus.EXPECTED: "failed as expected"}
    return ", ".join(
        f"{counts[status]} {word}" for status, word in words.items() if counts[status] or status == CheckStatus.PASSED
    )


def took(report: Report) -> str:
    """Return the size of the network and the cost of its checks: `838,469 parameters, 1.9 s, 310 MiB`."""
    parameters = "" if report.parameters is None else f"{count(report.parameters)} parameters, "
    return f"{parameters}{report.seconds:.1f} s, {report.peak_memory_mib:,.0f} MiB"


def summary(reports: Sequence[Report]) -> str:
    """Return the last line: the number of checks, their outcomes and their cost."""
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    ran = f"{count_text(len(outcomes), 'check')} ran: {tally(outcomes)}"
    if len(reports) == 1:
        return f"{ran}; {took(reports[0])}"
    sizes = [report.parameters for report in reports if report.parameters is not None]
    largest = f"up to {count(max(sizes))} parameters, " if sizes else ""
    peak = max(report.peak_memory_mib for report in reports)
    return f"{ran}; {largest}{sum(report.seconds for report in reports):.1f} s, {peak:,.0f} MiB at most"


def stand_ins(registry: Registry, subjects: Sequence[Subject]) -> Iterator[str]:
    """Yield a line for each plugin whose checked components represent all of its components."""
    checked = Counter(subject.plugin.name for subject in subjects if subject.entry)
    for plugin in registry.plugins:
        number, total = checked[plugin.name], len(plugin.components)
        if plugin.name in checked and number < total and number == len(declared(registry, plugin)):
            yield f"{plugin.name}: {number} of its {total:,} components were checked; they represent all of them"


def _title(report: Report) -> str:
    return f"{report.subject.kind} {report.subject.name}"


def _row(outcome: Outcome) -> Row:
    return {
        "kind": outcome.check.kind,
        "name": outcome.check.subject,
        "check": outcome.check.name,
        "status": outcome.status,
        "seconds": f"{outcome.seconds:.3f}",
        "message": outcome.message,
    }


def _rows(report: Report) -> Iterator[Row]:
    """Yield one row for all checks that passed, and a row for each check that did not."""
    passed = [outcome.check.name for outcome in report.outcomes if outcome.status == CheckStatus.PASSED]
    if passed:
        yield {"status": CheckStatus.PASSED, "checks": ", ".join(passed)}
    for outcome in report.outcomes:
        if outcome.status != CheckStatus.PASSED:
            style = STYLES[outcome.status]
            yield {
                "status": outcome.status,
                "checks": outcome.check.name,
                "message": outcome.message,
                "style": style,
            }
