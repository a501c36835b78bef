"""The standard output of the command, which holds results and nothing else.

Components may write to it in many ways: `print`, the descriptor 1, `printf` of a C library, a thread, a child process,
or a function that runs when the process ends. All of that goes to stderr.
"""

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO


class _Results(io.TextIOWrapper):
    """The stream of the results, for the main thread; text of other threads goes to stderr."""

    def write(self, text: str) -> int:
        if threading.current_thread() is threading.main_thread():
            return super().write(text)
        return sys.stderr.write(text)


@contextlib.contextmanager
def results_only() -> Iterator[None]:
    """Within the context, `sys.stdout` writes to the standard output; the descriptor 1 belongs to stderr, and stays so.

    At the end `sys.stdout` is stderr, too: what the process still does after its results is no result.
    """
    before = sys.stdout
    results = _own_stream(before)
    if results is None:
        yield
        return
    sys.stdout = results
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):  # a closed pipe: the command has reported it
            results.flush()
        sys.stdout = sys.stderr


def _own_stream(stdout: TextIO | None) -> _Results | None:
    """Return a stream on a descriptor that no component knows, and point the descriptor 1 to stderr.

    None if one of the two streams is closed, or is no file.
    """
    if not isinstance(stdout, io.TextIOWrapper):
        return None
    try:
        stdout.flush()
        kept = os.dup(stdout.fileno())
        os.dup2(sys.stderr.fileno(), stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return None
    raw = io.BufferedWriter(io.FileIO(kept, "w"))
    return _Results(raw, stdout.encoding, stdout.errors, line_buffering=stdout.line_buffering)
