"""Ctrl-C and SIGTERM: both end the running work in order, and the exit code shows which one it was."""

import signal
from types import FrameType
from typing import NoReturn

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Stopped(KeyboardInterrupt):
    """A signal that asks the process to end; code that catches Ctrl-C catches it too.

    Not KeyboardInterrupt itself: once that has passed through code that Python compiled from a string, such as the
    methods of dataclasses, Python ends by the signal and ignores the requested exit code.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def heed_signals() -> None:
    """Make SIGINT and SIGTERM raise Stopped in the main thread, unless they were ignored when the process started."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _raise)


def exit_code(stopped: KeyboardInterrupt) -> int:
    """Return the exit code of a stopped process: 130 after Ctrl-C, 143 after SIGTERM."""
    return stopped.exit_code if isinstance(stopped, Stopped) else INTERRUPTED


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
