"""Heartbeats: a process regularly marks its runs and studies as alive; without a heartbeat they are stale."""

import contextlib
import os
import socket
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from zoo.store.opening import connect_to_existing

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0  # swapping can delay a heartbeat; a dead process on this host is noticed at once
SAME_SECONDS = 1.0  # two measurements of the start of one process differ by less


class Heartbeat:
    """A thread that marks runs, or a study, as alive every few seconds. It never creates a database."""

    def __init__(self, database: Path, *identifiers: str, study: bool = False) -> None:
        self._database = database
        self._identifiers = frozenset(identifiers)
        table, column = ("studies", "name") if study else ("runs", "id")
        self._update = f"UPDATE {table} SET heartbeat = ? WHERE {column} = ?"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="zoo-heartbeat")

    def add(self, identifier: str) -> None:
        self._identifiers |= {identifier}

    def drop(self, identifier: str) -> None:
        self._identifiers -= {identifier}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with contextlib.suppress(sqlite3.Error):  # the next heartbeat makes up for a missed one
                self._say_alive()

    def _say_alive(self) -> None:
        with contextlib.closing(connect_to_existing(self._database)) as connection, connection:
            connection.executemany(self._update, [(clock(), identifier) for identifier in self._identifiers])


def this_process() -> tuple[float, str, int, float]:
    """Return what a row stores about the process that works on it: heartbeat, host, process and its start."""
    return clock(), socket.gethostname(), os.getpid(), start_of(os.getpid()) or 0.0


def alive(heartbeat: float, host: str, process: int, start: float = 0.0) -> bool:
    """Return whether a process is alive: its last heartbeat is recent and, on this host, the process exists.

    A heartbeat from the future is not recent. `start` distinguishes the process from a later one with the same number,
    such as process 1 of a restarted container; 0 if it is not known.
    """
    if host == socket.gethostname():
        found = start_of(process)
        if found is None or (start and found and abs(found - start) > SAME_SECONDS):
            return False
    return -BEAT_SECONDS <= clock() - heartbeat < STALE_SECONDS


def start_of(process: int) -> float | None:
    """Return when a process started, in seconds since the machine did, so that a changed clock changes nothing.

    None: there is no such process, or it has ended. 0: its start cannot be known.
    """
    try:
        found = psutil.Process(process)
        if found.status() == psutil.STATUS_ZOMBIE:
            return None
        return max(float(found.create_time()) - float(psutil.boot_time()), 0.0)
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:  # of another user
        return 0.0


def clock() -> float:
    """Return the time of a heartbeat: seconds since 1970."""
    return datetime.now(UTC).timestamp()


def now() -> str:
    """Return the current time in the form of the records: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
