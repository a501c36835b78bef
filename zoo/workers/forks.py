"""Forks that a network makes: a copy of the process must not come back into the work of the zoo, nor outlive it."""

import ctypes
import mmap
import os
import signal
import sys
import time
from contextlib import suppress
from functools import cache
from types import FrameType
from typing import Any

import psutil
import torch

from zoo.errors import ModelError

# The modules that call a network. A copy that returns into one of them would train and store a second time.
CALLERS = ("zoo.cost", "zoo.harness.", "zoo.inspection", "zoo.networks", "zoo.testing.", "zoo.training.", "zoo.tuning.")
MOMENT_SECONDS = 0.3  # a copy that returns does so at once
PR_SET_PDEATHSIG = 1

_forks: list[bool] = []  # of a network, since the last check
_returned = mmap.mmap(-1, 1)  # shared with every copy: 1 after one has returned
_prctl = getattr(ctypes.CDLL(None), "prctl", None)  # only Linux has it


@cache
def guard_forks() -> None:
    """From now on, end the copy of a network's `os.fork()` when it returns to the zoo, or when this process ends."""
    os.register_at_fork(after_in_parent=_count, after_in_child=_guard)


def check_forks() -> None:
    """Raise ModelError if a copy has returned since the last call; wait a moment for new copies."""
    if not _forks:
        return
    _forks.clear()
    latest = time.monotonic() + MOMENT_SECONDS
    while not _returned[0] and _copies_run() and time.monotonic() < latest:
        time.sleep(0.002)
    if _returned[0]:
        _returned[0] = 0
        raise ModelError("the network forked its process, and the copy did not end: it must call os._exit()")


def _copies_run() -> bool:
    children = psutil.Process().children()
    with suppress(psutil.Error):
        return any(child.status() != psutil.STATUS_ZOMBIE for child in children)
    return True


def die_with_parent() -> None:
    """Let the system end this process when the process that started it ends; only Linux can do that."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _count() -> None:
    if _caller() is not None:
        _forks.append(True)


def _guard() -> None:
    """Called in every copy of this process; copies that no network has made are left alone."""
    if (caller := _caller()) is not None:
        die_with_parent()
        torch.set_num_threads(1)  # the threads of this process do not exist in the copy, which would wait for them
        sys.setprofile(_ends_in(caller))


def _caller() -> FrameType | None:
    """Return the innermost frame of the zoo that has called a network, if one has."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and not str(frame.f_globals.get("__name__")).startswith(CALLERS):
        frame = frame.f_back
    return frame


def _ends_in(caller: FrameType) -> Any:
    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "return" and frame.f_back is caller:
            _returned[0] = 1
            os._exit(1)

    return profile
