"""The results store: records in SQLite, what is large in a folder per run.

A run's row is inserted as `running` with a heartbeat. Its files are written whole, then recorded with the end
of the run in one transaction, so a killed process leaves a whole run or none. A running row whose process is
gone, or whose heartbeat stopped, reads as `stale`.
"""

import contextlib
import json
import os
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from zoo.errors import StoreError, UnknownName
from zoo.results.files import sha256, write_atomically
from zoo.results.run import DONE, RESUMABLE, RUNNING, STALE, Run

# Each entry brings a store one version forward; `PRAGMA user_version` says how many it has had.
MIGRATIONS = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, key TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL,
        heartbeat REAL NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL, record TEXT NOT NULL
    );
    CREATE INDEX runs_by_key ON runs (key, status);
    CREATE TABLE artefacts (
        run TEXT NOT NULL REFERENCES runs (id), name TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY (run, name)
    );
    """,
    """
    CREATE TABLE studies (
        name TEXT PRIMARY KEY, status TEXT NOT NULL, created TEXT NOT NULL, heartbeat REAL NOT NULL,
        host TEXT NOT NULL, process INTEGER NOT NULL, session TEXT NOT NULL DEFAULT '', record TEXT NOT NULL
    );
    CREATE TABLE trials (
        study TEXT NOT NULL REFERENCES studies (name), number INTEGER NOT NULL, config TEXT NOT NULL,
        status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', value REAL, epochs INTEGER NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0, started TEXT NOT NULL DEFAULT '',
        finished TEXT NOT NULL DEFAULT '', PRIMARY KEY (study, number)
    );
    CREATE TABLE epochs (
        place INTEGER PRIMARY KEY, study TEXT NOT NULL, number INTEGER NOT NULL, epoch INTEGER NOT NULL,
        value REAL NOT NULL, seconds REAL NOT NULL, UNIQUE (study, number, epoch)
    );
    CREATE TABLE events (
        place INTEGER PRIMARY KEY, study TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, value REAL
    );
    CREATE INDEX events_by_study ON events (study, place);
    """,
    "ALTER TABLE studies DROP COLUMN session;",
)
BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0  # a machine that swaps can hold a beat up; a dead process on this host is seen at once
TRANSIENT = ("served", "differs")


class Store:
    """The runs in one folder: `zoo.db` and `runs/<id>/`."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        """Open the store, made where there is none; with `create` false to read only, as in a read-only folder.

        Raises StoreError where it cannot be used, or there is none to read.
        """
        self.folder = folder
        if not create and not self.exists(folder):
            raise StoreError(
                f"no results in {str(folder)!r}: name their folder with --results, or make some: zoo bench"
            )
        try:
            if create:
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK):
                    raise PermissionError(13, "no permission to write")
            self._connection = _connect(folder / "zoo.db") if create else _connect_to_read(folder / "zoo.db")
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            problem = f"results folder {str(folder)!r} cannot be used: {reason}. Name another with --results"
            raise StoreError(problem) from error

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a store is in that folder, as far as can be seen."""
        return os.path.isfile(folder / "zoo.db")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def path(self, run: Run, name: str = "") -> Path:
        """A run's folder, or a file in it."""
        return self.folder / "runs" / run.id / name

    def begin(self, run: Run) -> Run:
        """Record that a run has started, under a new id unless it has one, as this process's."""
        started = replace(
            run, id=run.id or secrets.token_hex(4), status=RUNNING, error="", created=run.created or now()
        )
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    started.id,
                    started.key,
                    RUNNING,
                    started.created,
                    clock(),
                    socket.gethostname(),
                    os.getpid(),
                    _encode(started),
                ),
            )
        return started

    def finish(self, run: Run, artefacts: Mapping[str, bytes | memoryview] | None = None) -> Run:
        """Write a run's files, then record its end and their hashes in one transaction."""
        ended = replace(run, finished=now())
        hashes = []
        for name, content in (artefacts or {}).items():
            path = self.path(run, name)
            write_atomically(path, content)
            hashes.append((run.id, name, sha256(path), path.stat().st_size))
        with self.transaction() as connection:
            connection.execute("DELETE FROM artefacts WHERE run = ?", (run.id,))
            connection.executemany("INSERT INTO artefacts VALUES (?, ?, ?, ?)", hashes)
            connection.execute(
                "UPDATE runs SET status = ?, record = ? WHERE id = ?",
                (ended.status, _encode(ended), ended.id),
            )
        return ended

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        return self._runs("")

    def get(self, identifier: str) -> Run:
        """The run whose id starts so. Raises UnknownName for none or several."""
        found = self._runs("WHERE substr(id, 1, ?) = ?", len(identifier), identifier) if identifier else []
        if len(found) == 1:
            return found[0]
        if not found:
            raise UnknownName(f"no run {identifier!r} in {str(self.folder)!r}. `zoo results` shows them all.")
        raise UnknownName(f"{identifier!r} is short for {len(found)} runs: {', '.join(run.id for run in found[:5])}")

    def done(self, key: str) -> Run | None:
        """The newest finished run of what that key asks for."""
        return next(reversed(self._runs("WHERE key = ? AND status = ?", key, DONE)), None)

    def unfinished(self, key: str) -> Run | None:
        """The newest run of that key which can be resumed: its checkpoint is there."""
        found = [run for run in self._runs("WHERE key = ?", key) if run.status in RESUMABLE]
        return next((run for run in reversed(found) if self.checkpoint(run).exists()), None)

    def running(self, key: str) -> Run | None:
        """A run of that key that another process is at."""
        return next((run for run in self._runs("WHERE key = ?", key) if run.status == RUNNING), None)

    def checkpoint(self, run: Run) -> Path:
        return self.path(run, "checkpoint/state.pt")

    def read(self, run: Run, name: str) -> Path:
        """A file of a run, its hash checked. Raises StoreError where it is missing or has changed."""
        rows = self.query("SELECT sha256 FROM artefacts WHERE run = ? AND name = ?", (run.id, name))
        if not rows:
            raise StoreError(f"run {run.id} ({run.status}) has no {name}")
        path = self.path(run, name)
        if sha256(path) != rows[0][0]:
            raise StoreError(f"{path} is not what was stored (its sha256 differs): run again with --force")
        return path

    def heartbeat(self, *runs: Run) -> "Heartbeat":
        """Beats for runs, and those added to it, from a thread of its own, while the context lasts."""
        return Heartbeat(self.folder / "zoo.db", *(run.id for run in runs))

    def _runs(self, condition: str, *parameters: object) -> list[Run]:
        """Runs oldest first; a running one whose process is gone, or no longer beats, is stale."""
        columns = "id, status, heartbeat, host, process, record"
        rows = self.query(f"SELECT {columns} FROM runs {condition} ORDER BY created, rowid", parameters)
        return [self._decode(*row) for row in rows]

    def _decode(self, identifier: str, status: str, heartbeat: float, host: str, process: int, record: str) -> Run:
        stale = status == RUNNING and not alive(heartbeat, host, process)
        known = {item.name for item in fields(Run)}
        try:
            values = {name: value for name, value in json.loads(record).items() if name in known}
            return Run(**{**values, "status": STALE if stale else status, "notes": tuple(values.get("notes", ()))})
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"{self.folder / 'zoo.db'}: the record of run {identifier} is damaged") from error

    @property
    def version(self) -> int:
        """How many migrations the store has had: one that is only read may lack the newest tables."""
        return _version(self._connection)

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT. Raises StoreError where the file cannot be read."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self.folder / 'zoo.db'} cannot be read: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Writes that are made together or not at all. Raises StoreError where they cannot."""
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
        except sqlite3.Error as error:
            raise StoreError(f"{self.folder / 'zoo.db'} cannot be written: {error}") from error


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


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    _check_version(connection)
    while (version := _version(connection)) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")  # one process migrates, and the others see that it has
        with connection:
            if _version(connection) == version:
                for statement in MIGRATIONS[version].split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; sqlite's own waiting for a lock does not cover this switch."""
    for attempt in range(100):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == 99:
                raise
            time.sleep(0.05)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Without a write; where not even a lock can be taken (a read-only folder), as a file that nobody changes."""
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    uri = f"{path.resolve().as_uri()}?{'mode=ro' if writable else 'immutable=1'}"
    connection = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)
    _check_version(connection)
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(connection: sqlite3.Connection) -> None:
    if (version := _version(connection)) > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"it was written by a newer zoo (schema {version})")


def alive(heartbeat: float, host: str, process: int) -> bool:
    """Whether a process that beats is still there: on this host by its number, and by its last beat."""
    if host == socket.gethostname() and not process_exists(process):
        return False
    return clock() - heartbeat < STALE_SECONDS


def process_exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _encode(run: Run) -> str:
    record = {name: value for name, value in run.to_json().items() if name not in TRANSIENT}
    return json.dumps(record, allow_nan=False)  # as it stands: classes have an order


def clock() -> float:
    """Seconds since 1970, as heartbeats are told."""
    return datetime.now(UTC).timestamp()


def now() -> str:
    """The time as records hold it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
