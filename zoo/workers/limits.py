"""Limits of a worker process: time and memory. Exceeding a limit ends only the trial, not the study."""

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
from zoo.wording import count_text

GRACE_SECONDS = 5.0  # after the deadline; then the process is ended, for code that holds the interpreter lock
RING_AGAIN_SECONDS = 1.0  # in case an `except:` in the network caught the deadline


class Deadline(BaseException):
    """The time limit of a trial has passed. It is no Exception, so that `except Exception` in a network misses it."""


@contextlib.contextmanager
def deadline(seconds: float | None, trace: Path) -> Iterator[None]:
    """Raise Deadline after this number of seconds; None: no limit.

    If Python code cannot run then, the process is ended a little later, and its stack is written to `trace`. This works
    only in the main thread, where Ray runs the methods of a worker.
    """
    if seconds is None:
        yield
        return

    left = max(0.001, seconds)
    with trace.open("w") as file:
        before = signal.signal(signal.SIGALRM, _ring)
        faulthandler.dump_traceback_later(left + GRACE_SECONDS, exit=True, file=file)
        signal.setitimer(signal.ITIMER_REAL, left, RING_AGAIN_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
            signal.signal(signal.SIGALRM, before)
            trace.unlink(missing_ok=True)


def _ring(*_: Any) -> NoReturn:
    raise Deadline


def hung(trace: Path) -> bool:
    """Whether an earlier process of the trial was ended because it passed the deadline."""
    return trace.exists() and trace.stat().st_size > 0


@contextlib.contextmanager
def memory(share: int) -> Iterator[None]:
    """Allow the process `share` more bytes than it uses now; beyond that, MemoryError is raised. 0: no limit."""
    used = getattr(psutil.Process().memory_info(), "data", 0)  # only Linux can limit this
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
    """Return the memory limit of each of `jobs` processes, in bytes: an equal share of the free memory."""
    return int(0.9 * psutil.virtual_memory().available / jobs)


def gpus_there(share: float) -> int:
    """Return the number of GPUs for trials; 0 if `share` is 0. Raises UsageError if `share` exceeds that number."""
    if not share:
        return 0
    there = torch.cuda.device_count()
    if share > there:
        raise UsageError(f"--gpus-per-trial {share:g} is more than this machine has: {count_text(there, 'GPU')}")
    return there


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception reports that Python or torch ran out of memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
