"""Connections to the SQLite file of a results store. The file of another program is refused and never changed."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from zoo.store.schema import check_is_store, is_empty, migrate

PATIENCE_SECONDS = 30.0  # how long a connection waits for the writes of other processes
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
MEMORY = Path("/dev/shm")  # for a copy where the disk is full; only Linux has it


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Connect to a store, created or migrated if needed. Raises OSError or sqlite3.Error if it cannot be used."""
    _check_file(path)
    with _closed_on_error(sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None)) as connection:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection, path)
        return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect without writing, also in a read-only folder and on a full disk. Raises as `connect_to_write`."""
    _check_file(path)
    with contextlib.suppress(sqlite3.OperationalError):
        return _connected(path, "mode=ro")
    # The files beside a write-ahead log cannot be created here.
    return _copied(path) if _has_log(path) else _connected(path, "immutable=1")


def connect_to_existing(path: Path) -> sqlite3.Connection:
    """Connect to a store that is already open elsewhere. Raises sqlite3.Error if there is none: it is not created."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)


def log_of(path: Path) -> Path:
    """Return the path of the write-ahead log of a database."""
    return path.with_name(f"{path.name}-wal")


def _check_file(path: Path) -> None:
    """Raise sqlite3.DatabaseError if the file exists and is no store, and OSError if it could lead to another file.

    The file is read as immutable, which leaves no file beside it. Another process may write it at that moment, so a
    file that looks damaged is read again, if it has a log or has just changed.
    """
    _check_beside(path)
    for attempt in range(10):
        before = _state(path)
        if not path.is_file() or not path.stat().st_size:
            return
        try:
            with contextlib.closing(_connected(path, "immutable=1")) as connection:
                check_is_store(connection)
                unknown = is_empty(connection) and _has_log(path)
            break
        except sqlite3.DatabaseError:
            if attempt == 9 or not (_has_log(path) or _state(path) != before):
                raise
            time.sleep(0.05)
    if unknown:  # all tables are in the log: a store, or the file of another program, whose process was killed
        with contextlib.closing(_copied(path)) as connection:
            check_is_store(connection)


def _state(path: Path) -> tuple[object, ...]:
    """Return what differs after another process has written the file, or has moved its log into it."""
    status = path.stat() if path.exists() else None
    return _has_log(path), status and (status.st_ino, status.st_size, status.st_mtime_ns)


def _check_beside(path: Path) -> None:
    """Raise OSError if opening the database would change a file that is not its own."""
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
    for file in files:
        if file.is_symlink():
            raise OSError(f"{file.name} is a symbolic link")
        if file.exists() and not file.is_file():
            raise OSError(f"{file.name} is not a file")
    journal = files[-1]
    # Such a journal belongs to a transaction over several databases, which the zoo never makes. It ends with the name
    # of a file that SQLite would remove.
    if journal.exists() and _end_of(journal) == JOURNAL_MAGIC:
        raise OSError(f"{journal.name} names another file, which SQLite would remove")


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(JOURNAL_MAGIC)))
        return file.read()


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{mode}"
    with _closed_on_error(sqlite3.connect(uri, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the files are opened only now
        return connection


def _has_log(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):  # a writer that ends removes the log
        return log_of(path).stat().st_size > 0
    return False


def _copied(path: Path) -> sqlite3.Connection:
    """Return the content of a database and its log in memory, by way of a temporary folder."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        copy = Path(folder, path.name)
        for source, target in ((path, copy), (log_of(path), log_of(copy))):
            with contextlib.suppress(FileNotFoundError):  # a writer that ends removes the log
                shutil.copyfile(source, target)
        memory = sqlite3.connect(":memory:", isolation_level=None)
        with contextlib.closing(sqlite3.connect(copy)) as found, _closed_on_error(memory):
            found.backup(memory)
            memory.execute("PRAGMA query_only = 1")
        return memory


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


@contextlib.contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
