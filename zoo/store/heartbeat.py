"""Signs of life: a process beats for its runs and studies, and what no longer beats is stale."""

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
STALE_SECONDS = 60.0  # a machine that swaps can hold a beat up; a dead process on this host is seen at once


class Heartbeat:
    """A thread that says every few seconds that runs, or a study, are alive."""

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
            with contextlib.suppress(sqlite3.Error):  # a missed beat is made up for by the next
                self._say_alive()

    def _say_alive(self) -> None:
        with contextlib.closing(sqlite3.connect(self._database, timeout=30)) as connection, connection:
            connection.executemany(self._update, [(clock(), identifier) for identifier in self._identifiers])


def alive(heartbeat: float, host: str, process: int) -> bool:
    """Whether a process that beats is still there: on this host by its number, and by its last beat."""
    if host == socket.gethostname() and not psutil.pid_exists(process):
        return False
    return clock() - heartbeat < STALE_SECONDS


def clock() -> float:
    """Seconds since 1970, as heartbeats are told."""
    return datetime.now(UTC).timestamp()


def now() -> str:
    """The time as records hold it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
