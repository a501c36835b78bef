"""The command `zoo`, also as `python -m zoo`."""

import io
import os
import sys
import threading
from contextlib import suppress

from zoo.interruption import exit_code, heed_signals

SIZES = {"COLUMNS": range(20, 10_000), "LINES": range(1, 10_000)}  # of a terminal that can be used


def main() -> None:
    """Run the command line."""
    try:
        _run()
    except SystemExit as end:
        _leave_threads(end)
        raise


def _run() -> None:
    try:
        heed_signals()
        open_streams()
        ignore_wrong_sizes()
        from zoo.cli.app import app
        from zoo.cli.output import results_only

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 still shows the numbers

        with results_only():
            app(prog_name="zoo")
    except (KeyboardInterrupt, RuntimeError) as error:
        stopped = error if isinstance(error, KeyboardInterrupt) else error.__cause__  # Python 3.11 may wrap it
        if not isinstance(stopped, KeyboardInterrupt):
            raise
        print("interrupted", file=sys.stderr)  # noqa: T201 - Rich may not be imported yet
        sys.exit(exit_code(stopped))


def open_streams() -> None:
    """Connect standard streams that are closed (`zoo list >&-`) to the null device.

    Otherwise the next file that is opened, such as the database, gets the number of the stream and its output.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def ignore_wrong_sizes() -> None:
    """Remove COLUMNS and LINES that are no size of a terminal; with COLUMNS=0, Rich would print nothing."""
    for name, sizes in SIZES.items():
        text = os.environ.get(name, "")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) in sizes):
            del os.environ[name]


def _leave_threads(end: SystemExit) -> None:
    """End the process at once if a component has left threads behind: Python would wait for them, perhaps for ever."""
    if all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()):
        return
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))


if __name__ == "__main__":
    main()
