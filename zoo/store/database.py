"""The SQLite file of a results store: opening, migrating, reading and writing."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import StoreError

# Each entry migrates a store by one version; `PRAGMA user_version` counts the migrations of a store.
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


class Database:
    """The open file of one results store."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open the file, created or migrated if needed; with `create` false, open it to read only.

        Raises OSError or sqlite3.Error if it cannot be used.
        """
        self.path = path
        self._connection = _connect(path) if create else _connect_to_read(path)

    def close(self) -> None:
        self._connection.close()

    @property
    def version(self) -> int:
        """The number of migrations of the file; a file that is only read may lack the newest tables."""
        return _version(self._connection)

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT. Raises StoreError if the file cannot be read."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make all writes of the context or none. Raises StoreError if they fail."""
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be written: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    _check_version(connection)
    while (version := _version(connection)) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")  # one process migrates; the others then find the new version
        with connection:
            if _version(connection) == version:
                for statement in MIGRATIONS[version].split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, with retries: the timeout of sqlite does not cover this switch."""
    for attempt in range(100):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == 99:
                raise
            time.sleep(0.05)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect without writing; in a read-only folder, where no lock is possible, open the file as immutable."""
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
