"""What a trial may take, and limits inside its process: of time and memory; passing them ends the trial alone."""

import contextlib
import faulthandler
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import psutil
import torch

from zoo.errors import UsageError

GRACE_SECONDS = 5.0  # after the deadline, for code that holds the interpreter's lock: then the process is ended
RING_AGAIN_SECONDS = 1.0  # where a network's own `except:` swallowed the deadline


class Deadline(BaseException):
    """The time of a trial has passed; no Exception, so that no network's code catches it as one."""


@contextlib.contextmanager
def deadline(seconds: float | None, trace: Path) -> Iterator[None]:
    """Raise Deadline after that many seconds.

    Code that lets no Python run is ended with its process a little later, and `trace` then says where it was. Works in
    the main thread alone, where Ray runs a worker's methods.
    """
    if seconds is None:
        yield
        return

    def ring(*_: Any) -> NoReturn:
        raise Deadline

    left = max(0.001, seconds)
    with trace.open("w") as file:
        before = signal.signal(signal.SIGALRM, ring)
        faulthandler.dump_traceback_later(left + GRACE_SECONDS, exit=True, file=file)
        signal.setitimer(signal.ITIMER_REAL, left, RING_AGAIN_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
            signal.signal(signal.SIGALRM, before)
            trace.unlink(missing_ok=True)


def hung(trace: Path) -> bool:
    """Whether an earlier process of the trial was ended for passing its deadline."""
    return trace.exists() and trace.stat().st_size > 0


@contextlib.contextmanager
def memory(share: int) -> Iterator[None]:
    """Let the process take that many bytes more than it has; then it gets MemoryError. 0: no limit."""
    used = getattr(psutil.Process().memory_info(), "data", 0)  # which Linux alone can limit
    if not share or not used:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = used + share if before[1] == resource.RLIM_INFINITY else min(used + share, before[1])
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def share_of_memory(jobs: int) -> int:
    """What each of so many trials may take, in bytes: an equal share of what is free."""
    return int(0.9 * psutil.virtual_memory().available / jobs)


def gpus_there(share: float) -> int:
    """The GPUs that trials may take, 0 where they ask for none. Raises UsageError where one asks for more than all."""
    if not share:
        return 0
    there = torch.cuda.device_count()
    if share > there:
        found = f"there {'is' if there == 1 else 'are'} {there or 'none'}"
        raise UsageError(f"--gpus-per-trial {share:g} asks for more GPUs than there are: {found}")
    return there


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception is Python's or torch's way to say that memory ran out."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
