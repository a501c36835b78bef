"""The results store: records in SQLite, files in one folder per run.

A run's row is inserted as `running` with a heartbeat. Its files are written atomically. Then the end of the run and
the hashes of its files are recorded in one transaction, so a killed process leaves a complete run or none. A running
row is read as `stale` if its process has ended or its heartbeat has stopped, or with the end that its process reported.
The next bench ends a stale run as failed. If it left nothing to resume, the next run of the same cell replaces it.

Nothing in a store is trusted: a record that is not valid is read as a damaged run, and no id or name leads to a file
outside the folder.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import msgspec

from zoo.errors import DamagedRecord, StoreError, UnknownName
from zoo.store.database import Database
from zoo.store.files import check_plain, place_in, sha256, write_atomically
from zoo.store.heartbeat import Heartbeat, alive, now, this_process
from zoo.store.last_words import end_of, forget
from zoo.store.run import RESUMABLE, Run, RunStatus
from zoo.store.schema import STARTS

TRANSIENT = ("served", "differs")
RUNS, STUDIES = "runs", "studies"  # the folders of a store
RUN_ID = re.compile("[0-9a-f]{8}")
DIED = "its process died"
Row = tuple[Any, ...]


class Store:
    """The runs in one folder: `zoo.db` and `runs/<id>/`."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        """Open the store, and create it if there is none; with `create` false, open it to read only.

        Raises StoreError if it cannot be used, or if there is none to read.
        """
        self.folder = folder
        self._place = folder.absolute()  # also if a network changes the working folder
        if not create and not self.exists(folder):
            raise StoreError(
                f"no results in {str(folder)!r}: name their folder with --results, or create some with zoo bench"
            )
        try:
            if create:
                _make(folder)
            self.database = Database(folder / "zoo.db", create=create)
        except (OSError, ValueError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            problem = f"results folder {str(folder)!r} cannot be used: {reason}. Choose a different one with --results"
            raise StoreError(problem) from error

    @staticmethod
    def exists(folder: Path) -> bool:
        """Return whether the folder contains a store; a folder that cannot be read counts as empty."""
        return os.path.isfile(folder / "zoo.db")

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[object]:
        """Make all writes of the context or none; what it reads cannot change until it ends."""
        return self.database.transaction()

    def path(self, run: Run, name: str = "") -> Path:
        """Return a run's folder, or the path of a file in it.

        Raises StoreError for an id that the store never writes, and for a symbolic link on the way.
        """
        _check_id(run.id)
        return place_in(self._place, RUNS, run.id, *(name.split("/") if name else ()))

    def study_folder(self, name: str) -> Path:
        """Return the folder of a study. Raises StoreError for a symbolic link or a pipe there."""
        folder = place_in(self._place, STUDIES, name)
        check_plain(folder)
        return folder

    def begin(self, run: Run) -> Run:
        """Record that this process has started a run; a run without an id receives one.

        Runs of the same cell whose process died, and that cannot be resumed, are removed.
        """
        if run.id:
            _check_id(run.id)
        with self.database.transaction() as connection:
            self._remove_dead(connection, run)
            identifier = run.id or self._new_id()
            started = replace(run, id=identifier, status=RunStatus.RUNNING, error="", created=run.created or now())
            connection.execute("DELETE FROM runs WHERE id = ?", (identifier,))  # a resumed run is the newest again
            _insert(connection, started)
        return started

    def finish(self, run: Run, artefacts: Mapping[str, bytes | memoryview] | None = None) -> Run:
        """Write a run's files, then record its end and their hashes in one transaction."""
        self.database.check_in_place()
        ended = replace(run, finished=now())
        hashes = []
        for name, content in (artefacts or {}).items():
            path = self.path(run, name)
            write_atomically(path, content)
            hashes.append((run.id, name, sha256(path), path.stat().st_size))
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM artefacts WHERE run = ?", (run.id,))
            connection.executemany("INSERT INTO artefacts VALUES (?, ?, ?, ?)", hashes)
            values = (ended.status, _encode(ended), ended.id)
            if not connection.execute("UPDATE runs SET status = ?, record = ? WHERE id = ?", values).rowcount:
                _insert(connection, ended)  # another command believed this process dead, and removed the run
        return ended

    def end_dead_runs(self) -> None:
        """Record the end of the runs whose process died, as failed; those with a checkpoint can still be resumed."""
        if not self._dead_runs():
            return
        with self.database.transaction() as connection:
            dead = self._dead_runs()
            for run in dead:
                unknown = run.status == RunStatus.STALE
                ended = replace(run, status=RunStatus.FAILED, error=DIED) if unknown else run
                values = (ended.status, _encode(replace(ended, finished=now())), ended.id)
                connection.execute("UPDATE runs SET status = ?, record = ? WHERE id = ?", values)
        for run in dead:
            forget(self.path(run))

    def _dead_runs(self) -> list[Run]:
        """Return the runs that are stored as running, and whose process died."""
        ended = (RunStatus.STALE, RunStatus.TIMEOUT, RunStatus.FAILED)
        return [run for run in self._runs("WHERE status = ?", RunStatus.RUNNING) if run.status in ended]

    def runs(self) -> list[Run]:
        """Return all runs in the order in which they began; a run with a damaged record has only id and error."""
        return self._runs("")

    def get(self, identifier: str) -> Run:
        """Return the run whose id starts with `identifier`.

        Raises UnknownName for none or several, and DamagedRecord if it cannot be read.
        """
        found = self._runs("WHERE substr(id, 1, ?) = ?", len(identifier), identifier) if identifier else []
        if not found:
            raise UnknownName(f"no run {identifier!r} in {str(self.folder)!r}. `zoo results` shows them all.")
        if len(found) > 1:
            raise UnknownName(f"{identifier!r} matches {len(found)} runs: {', '.join(run.id for run in found[:5])}")
        if found[0].status == RunStatus.DAMAGED:
            raise DamagedRecord(f"{self.database.path}: the record of run {found[0].id} is damaged: {found[0].error}")
        return found[0]

    def find(self, identifier: str) -> Run | None:
        """As `get`, for an id that something else has kept: None for no id, and for a run that is lost or damaged."""
        try:
            return self.get(identifier) if identifier else None
        except (UnknownName, DamagedRecord):
            return None

    def done(self, key: str) -> Run | None:
        """Return the newest finished run with this key, or None."""
        found = self._runs("WHERE key = ? AND status = ?", key, RunStatus.DONE)
        return next((run for run in reversed(found) if run.status == RunStatus.DONE), None)

    def unfinished(self, key: str) -> Run | None:
        """Return the newest run with this key that can be resumed: it has a checkpoint, and no finished run is newer.

        None if there is no such run.
        """
        for run in reversed(self._runs("WHERE key = ?", key)):
            if run.status == RunStatus.DONE:
                return None
            if run.status in RESUMABLE and self._can_resume(run):
                return run
        return None

    def running(self, key: str) -> Run | None:
        """Return a run with this key that a process is running, or None."""
        return next((run for run in self._runs("WHERE key = ?", key) if run.status == RunStatus.RUNNING), None)

    def checkpoint(self, run: Run) -> Path:
        """Return the path of a run's checkpoint. Raises StoreError for a symbolic link or a pipe there."""
        path = self.path(run, "checkpoint/state.pt")
        check_plain(path.parent)
        return path

    def read(self, run: Run, name: str) -> Path:
        """Check the hash of a run's file, and return its path. Raises StoreError if it is missing or has changed."""
        rows = self.database.query("SELECT sha256 FROM artefacts WHERE run = ? AND name = ?", (run.id, name))
        if not rows:
            raise StoreError(f"run {run.id} ({run.status}) has no {name}")
        path = self.path(run, name)
        if sha256(path) != rows[0][0]:
            raise StoreError(f"{path} has changed since it was stored (its sha256 differs): run again with --force")
        return path

    def digest(self, run: Run, name: str) -> str:
        """Return the sha256 of a run's file when it was stored; "" if it had none. The file may have been removed."""
        rows = self.database.query("SELECT sha256 FROM artefacts WHERE run = ? AND name = ?", (run.id, name))
        return str(rows[0][0]) if rows else ""

    def heartbeat(self, *runs: Run) -> "Heartbeat":
        """Return a heartbeat for runs, sent by a separate thread while the context lasts; more runs can be added."""
        return Heartbeat(self.database.file, *(run.id for run in runs))

    def _can_resume(self, run: Run) -> bool:
        return self.checkpoint(run).exists()

    def _new_id(self) -> str:
        while True:
            identifier = secrets.token_hex(4)
            if not self.database.query("SELECT 1 FROM runs WHERE id = ?", (identifier,)):
                return identifier

    def _remove_dead(self, connection: sqlite3.Connection, run: Run) -> None:
        """Remove the rows and the files of dead runs that `run` replaces."""
        for one in self._runs("WHERE key = ?", run.key):
            died = one.status == RunStatus.STALE or (one.status == RunStatus.FAILED and one.error == DIED)
            if died and one.id != run.id and not self._can_resume(one):
                connection.execute("DELETE FROM artefacts WHERE run = ?", (one.id,))
                connection.execute("DELETE FROM runs WHERE id = ?", (one.id,))
                shutil.rmtree(self.path(one), ignore_errors=True)

    def _runs(self, condition: str, *parameters: object) -> list[Run]:
        """Return runs in the order in which they began; their times may be wrong."""
        start = "start" if self.database.version >= STARTS else "0"
        columns = f"id, key, status, heartbeat, host, process, {start}, CAST(record AS BLOB)"
        rows = self.database.query(f"SELECT {columns} FROM runs {condition} ORDER BY rowid", parameters)
        return [self._with_its_end(_decode(*row)) for row in rows]

    def _with_its_end(self, run: Run) -> Run:
        """Return a stale run with the end that its process has reported, if it has."""
        if run.status != RunStatus.STALE:
            return run
        with contextlib.suppress(StoreError):  # a symbolic link: it is reported when the run is used
            folder = self.path(run)
            check_plain(folder)
            if (end := end_of(folder)) is not None:
                return replace(run, status=end[0], error=end[1])
        return run


def _make(folder: Path) -> None:
    """Create the folder of a store. Raises OSError if it cannot hold one."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "no permission to write")
    for name in (RUNS, STUDIES):
        inner = folder / name
        if inner.is_symlink() or (inner.exists() and not inner.is_dir()):
            raise NotADirectoryError(20, f"{name!r} in it is not a folder")


def _check_id(identifier: object) -> None:
    if not isinstance(identifier, str) or not RUN_ID.fullmatch(identifier):
        raise StoreError(f"{identifier!r} is not the id of a run: eight hexadecimal digits")


def _insert(connection: sqlite3.Connection, run: Run) -> None:
    values = (run.id, run.key, run.status, run.created, *this_process(), _encode(run))
    connection.execute(
        "INSERT INTO runs (id, key, status, created, heartbeat, host, process, start, record) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def _encode(run: Run) -> str:
    record = {name: value for name, value in run.to_json().items() if name not in TRANSIENT}
    return json.dumps(record, allow_nan=False)  # keys are not sorted: classes have an order


def _decode(
    identifier: Any, key: Any, status: Any, heartbeat: Any, host: Any, process: Any, start: Any, record: Any
) -> Run:
    """Return the run of a row; a running one whose process has ended or sends no heartbeat is stale."""
    try:
        _check_id(identifier)
        run = Run.from_json(msgspec.json.decode(record))
        for name, column, own in (("id", identifier, run.id), ("key", key, run.key)):
            if own != column:
                raise ValueError(f"its {name} is {own!r} in the record and {column!r} in the table")
        stale = status == RunStatus.RUNNING and not alive(heartbeat, host, process, start)
        return replace(run, status=RunStatus.STALE if stale else RunStatus(status))
    except (StoreError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        return Run.damaged(str(identifier), " ".join(str(error).split())[:300])
