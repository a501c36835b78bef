"""Limits of the work of a network: time and memory. Exceeding a limit ends only the trial or the run."""

import contextlib
import faulthandler
import os
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psutil
import torch

from zoo.errors import UsageError, describe
from zoo.wording import count_text

GRACE_SECONDS = 5.0  # after the deadline; then the process is ended, for code that holds the interpreter lock
IMPORTING_SECONDS = 0.05  # until the deadline rings again if a module is just imported
RING_AGAIN_SECONDS = 1.0  # in case an `except:` in the network caught the deadline


_rung: list[bool] = []  # one item for each time that the deadline of this process has rung


class Deadline(BaseException):
    """A time limit has passed. It is no Exception, so that `except Exception` in a network misses it."""


@contextlib.contextmanager
def deadline(seconds: float | None, trace: Path | None, *, grace: float = GRACE_SECONDS) -> Iterator[None]:
    """Raise Deadline after this number of seconds, also if other code has caught it; None: no limit.

    If Python code cannot run then, the process is ended with exit code 1 `grace` seconds later, and its stack is
    written to `trace`, if there is one. This works only in the main thread, where Ray runs the methods of a worker.
    """
    if seconds is None:
        yield
        return
    left = max(0.001, seconds)
    _rung.clear()
    with open(trace or os.devnull, "w") as file:
        before = signal.signal(signal.SIGALRM, _ring)
        faulthandler.dump_traceback_later(left + grace, exit=True, file=file)
        signal.setitimer(signal.ITIMER_REAL, left, RING_AGAIN_SECONDS)
        try:
            yield
        except BaseException as error:
            if _rung and not isinstance(error, Deadline):
                raise Deadline from error
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
            signal.signal(signal.SIGALRM, before)
            if trace is not None:
                with contextlib.suppress(OSError):  # its folder may be gone
                    trace.unlink(missing_ok=True)
    if _rung:
        raise Deadline


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def import_slow_modules() -> None:
    """Import what the first optimiser imports, before a time limit counts."""
    import torch._dynamo  # noqa: F401


def has_deadlines() -> bool:
    """Whether `deadline` works in this thread: only the main thread receives signals."""
    return threading.current_thread() is threading.main_thread()


def _ring(number: int, frame: FrameType | None) -> None:
    if _is_importing(frame):  # a module that is half imported would stay so
        signal.setitimer(signal.ITIMER_REAL, IMPORTING_SECONDS, RING_AGAIN_SECONDS)
        return
    _rung.append(True)
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
    text = describe(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
