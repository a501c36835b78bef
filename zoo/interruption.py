"""Ctrl-C and SIGTERM: both end in order what is under way, and the exit code says which it was."""

import signal
from types import FrameType
from typing import NoReturn

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Stopped(KeyboardInterrupt):
    """A signal that asks the process to end, heard wherever Ctrl-C is.

    Not KeyboardInterrupt itself: once that has passed through code that Python compiled from a string, as those of
    dataclasses are, Python ends by the signal, whatever exit code was asked for.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def heed_signals() -> None:
    """Have SIGINT and SIGTERM raise Stopped in the main thread, but where they were ignored when the process began."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _raise)


def exit_code(stopped: KeyboardInterrupt) -> int:
    """The exit code of a process that was stopped so: 130 by Ctrl-C, 143 by SIGTERM."""
    return stopped.exit_code if isinstance(stopped, Stopped) else INTERRUPTED


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
