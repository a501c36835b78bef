"""The tables of a results store: its versions, and the migration of a file to the newest one."""

import contextlib
import sqlite3
from pathlib import Path

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
    """
    ALTER TABLE runs ADD COLUMN start REAL NOT NULL DEFAULT 0;
    ALTER TABLE studies ADD COLUMN start REAL NOT NULL DEFAULT 0;
    """,
)
STUDIES, STARTS = 2, 4  # the versions that introduced studies, and the start of the process of a run or study
OWN = {"id", "key", "status", "created", "heartbeat", "host", "process", "record"}  # columns of `runs` in all versions


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_empty(connection: sqlite3.Connection) -> bool:
    """Return whether the file has no table and no version, as before its first migration."""
    return not version_of(connection) and not connection.execute("SELECT 1 FROM sqlite_master").fetchone()


def check_is_store(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError if the file is neither empty nor a store that this zoo can use."""
    if is_empty(connection):
        return
    version, columns = version_of(connection), connection.execute("PRAGMA table_info(runs)").fetchall()
    if not version or not {name for _, name, *_ in columns} >= OWN:
        raise sqlite3.DatabaseError("zoo.db is the database of another program")
    _check_version(version)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file at `path` to the newest version in one transaction; the earlier version is kept beside it."""
    if version_of(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")  # one process migrates; the others then find the new version
    with connection:
        version = version_of(connection)
        _check_version(version)
        if 0 < version < len(MIGRATIONS):
            _back_up(path, version)
        for migration in MIGRATIONS[version:]:
            for statement in migration.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _check_version(version: int) -> None:
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"it was written by a newer zoo (schema {version})")


def _back_up(path: Path, version: int) -> None:
    """Copy the store to `zoo.db.backup-v<version>`, or with a number if there is one. No copy is left incomplete."""
    name, number = f"{path.name}.backup-v{version}", 1
    copy = path.with_name(name)
    while copy.exists():
        number += 1
        copy = path.with_name(f"{name}-{number}")
    part = path.with_name(f".{copy.name}")
    part.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(part)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a write-ahead log beside it
        part.replace(copy)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
