"""What commands that train missing runs and then answer have in common."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import typer

from zoo.cli.session import Session
from zoo.cli.views.table import quiet_stdout
from zoo.interruption import exit_code

if TYPE_CHECKING:
    from zoo.harness.reporter import BenchReporter

T = TypeVar("T")


def answered(session: Session, answer: Callable[["BenchReporter"], T], also: Sequence[str] = ()) -> T:
    """Return the answer, with a display of the runs that are trained for it; `also` are further columns of its lines.

    An interruption ends the command with one line.
    """
    from zoo.cli.views.bench_progress import BenchDisplay

    with BenchDisplay(session.stderr, also) as display:
        try:
            with quiet_stdout():
                return answer(display)
        except KeyboardInterrupt as stopped:
            display.progress.stop()
            session.say("interrupted; the finished runs are stored. The same command resumes")
            raise typer.Exit(exit_code(stopped)) from None
