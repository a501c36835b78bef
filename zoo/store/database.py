"""The open SQLite file of a results store: reading, writing, and the check that it is still where it was opened."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import StoreError, StoreMoved
from zoo.store.opening import connect_to_read, connect_to_write, log_of

OPEN_FILES = Path("/proc/self/fd")  # names the current path of each open file; only Linux has it
Identity = tuple[int, int]  # device and inode of a file


class Database:
    """The open file of one results store."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open the file, created or migrated if needed; with `create` false, open it to read only.

        Raises OSError or sqlite3.Error if it cannot be used.
        """
        self.path = path
        self.file = path.absolute()  # also if a network changes the working folder
        self._connection = connect_to_write(path) if create else connect_to_read(path)
        self._connection.text_factory = _text
        self._opened = {each: _identity(each) for each in (self.file, log_of(self.file))}

    def close(self) -> None:
        self._connection.close()

    @property
    def version(self) -> int:
        """The number of migrations of the file; a file that is only read may lack the newest tables."""
        return int(self.query("PRAGMA user_version")[0][0])

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT. Raises StoreError if the file cannot be read."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except UnicodeEncodeError:  # a typed name that is not UTF-8: no record has such a name
            return []
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make all writes of the context or none; within another transaction, make them together with it.

        Raises StoreError if they fail, and StoreMoved if the file is no longer at its path.
        """
        try:
            if self._connection.in_transaction:
                yield self._connection
                return
            self.check_in_place()
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self.check_in_place()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be written: {error}") from error

    def check_in_place(self) -> None:
        """Raise StoreMoved if the file at the path is not the open one, with the present place of the open one."""
        for path, opened in self._opened.items():
            if opened is not None and (found := _identity(path)) != opened:
                how = "removed or renamed" if found is None else "replaced"
                raise StoreMoved(f"{self.path.with_name(path.name)} was {how} while this command ran: {self._where()}")

    def _where(self) -> str:
        identity = self._opened[self.file]
        place = None if identity is None else _place_of(identity)
        if place == self.file:
            return "what it was about to store is lost. Run the command again"
        if place is None:
            return "the runs stored in it are lost. Run the command again"
        return (
            f"the runs stored so far are in {str(place.parent)!r}, the run in progress is not. Run the command again "
            "with --results and that folder"
        )


def _identity(path: Path) -> Identity | None:
    """Return device and inode of the file at a path; None if there is none."""
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _place_of(identity: Identity) -> Path | None:
    """Return the present path of a file that this process has open; None if it was removed, or cannot be known."""
    try:
        for number in os.listdir(OPEN_FILES):
            link = OPEN_FILES / number
            if link.is_file() and _identity(place := link.readlink()) == identity:
                return place
    except OSError:
        pass
    return None


def _text(raw: bytes) -> str:
    """Return a text of the file; a damaged one is still readable, so that it does not hide the rows beside it."""
    return raw.decode(errors="backslashreplace")
