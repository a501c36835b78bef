"""Heartbeats: a process regularly marks its runs and studies as alive; without a heartbeat they are stale."""

import contextlib
import socket
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0  # swapping can delay a heartbeat; a dead process on this host is noticed at once


class Heartbeat:
    """A thread that marks runs, or a study, as alive every few seconds."""

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
        with contextlib.closing(sqlite3.connect(self._database, timeout=30)) as connection, connection:
            connection.executemany(self._update, [(clock(), identifier) for identifier in self._identifiers])


def alive(heartbeat: float, host: str, process: int) -> bool:
    """Return whether a process is alive: its last heartbeat is recent and, on this host, the process exists."""
    if host == socket.gethostname() and not psutil.pid_exists(process):
        return False
    return clock() - heartbeat < STALE_SECONDS


def clock() -> float:
    """Return the time of a heartbeat: seconds since 1970."""
    return datetime.now(UTC).timestamp()


def now() -> str:
    """Return the current time in the form of the records: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
