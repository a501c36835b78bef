"""Ctrl-C and SIGTERM: both end the running work in order, and the exit code shows which one it was."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
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


@contextlib.contextmanager
def noticed() -> Iterator[list[BaseException]]:
    """Collect what the handlers of SIGINT and SIGTERM raise within the context.

    This distinguishes a real signal from an exception of the network itself, and no signal is lost if the network
    catches it. Only the main thread receives signals; in other threads nothing is collected.
    """
    raised: list[BaseException] = []
    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                if callable(before):
                    ours = _listener(before, raised)
                    signal.signal(number, ours)
                    stack.callback(_restore, number, ours, before)
        yield raised


def _listener(handler: Callable[[int, FrameType | None], object], raised: list[BaseException]) -> Callable[..., None]:
    def listen(number: int, frame: FrameType | None) -> None:
        try:
            handler(number, frame)
        except BaseException as error:
            raised.append(error)
            raise

    return listen


def _restore(number: int, ours: object, before: Callable[[int, FrameType | None], object]) -> None:
    if signal.getsignal(number) is ours:
        signal.signal(number, before)


def exit_code(stopped: KeyboardInterrupt) -> int:
    """Return the exit code of a stopped process: 130 after Ctrl-C, 143 after SIGTERM."""
    return stopped.exit_code if isinstance(stopped, Stopped) else INTERRUPTED


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
