"""The results store: records in SQLite, files in one folder per run.

A run's row is inserted as `running` with a heartbeat. Its files are written atomically. Then the end of the run and
the hashes of its files are recorded in one transaction, so a killed process leaves a complete run or none. A running
row is read as `stale` if its process has ended or its heartbeat has stopped.
"""

import json
import os
import secrets
import socket
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import msgspec

from zoo.errors import StoreError, UnknownName
from zoo.store.database import Database
from zoo.store.files import sha256, write_atomically
from zoo.store.heartbeat import Heartbeat, alive, clock, now
from zoo.store.run import RESUMABLE, Run, RunStatus

TRANSIENT = ("served", "differs")


class Store:
    """The runs in one folder: `zoo.db` and `runs/<id>/`."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        """Open the store, and create it if there is none; with `create` false, open it to read only.

        Raises StoreError if it cannot be used, or if there is none to read.
        """
        self.folder = folder
        if not create and not self.exists(folder):
            raise StoreError(
                f"no results in {str(folder)!r}: name their folder with --results, or create some with zoo bench"
            )
        try:
            if create:
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK):
                    raise PermissionError(13, "no permission to write")
            self.database = Database(folder / "zoo.db", create=create)
        except (OSError, sqlite3.Error) as error:
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

    def path(self, run: Run, name: str = "") -> Path:
        """Return a run's folder, or the path of a file in it."""
        return self.folder / "runs" / run.id / name

    def begin(self, run: Run) -> Run:
        """Record that this process has started a run; a run without an id receives one."""
        started = replace(
            run, id=run.id or secrets.token_hex(4), status=RunStatus.RUNNING, error="", created=run.created or now()
        )
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    started.id,
                    started.key,
                    RunStatus.RUNNING,
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
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM artefacts WHERE run = ?", (run.id,))
            connection.executemany("INSERT INTO artefacts VALUES (?, ?, ?, ?)", hashes)
            connection.execute(
                "UPDATE runs SET status = ?, record = ? WHERE id = ?",
                (ended.status, _encode(ended), ended.id),
            )
        return ended

    def runs(self) -> list[Run]:
        """Return all runs, oldest first."""
        return self._runs("")

    def get(self, identifier: str) -> Run:
        """Return the run whose id starts with `identifier`. Raises UnknownName for none or several."""
        found = self._runs("WHERE substr(id, 1, ?) = ?", len(identifier), identifier) if identifier else []
        if len(found) == 1:
            return found[0]
        if not found:
            raise UnknownName(f"no run {identifier!r} in {str(self.folder)!r}. `zoo results` shows them all.")
        raise UnknownName(f"{identifier!r} matches {len(found)} runs: {', '.join(run.id for run in found[:5])}")

    def find(self, identifier: str) -> Run | None:
        """As `get`, for an id that something else has kept: None for no id, and for a run that is no longer there."""
        try:
            return self.get(identifier) if identifier else None
        except UnknownName:
            return None

    def done(self, key: str) -> Run | None:
        """Return the newest finished run with this key, or None."""
        return next(reversed(self._runs("WHERE key = ? AND status = ?", key, RunStatus.DONE)), None)

    def unfinished(self, key: str) -> Run | None:
        """Return the newest run with this key that can be resumed, that is, has a checkpoint; else None."""
        found = [run for run in self._runs("WHERE key = ?", key) if run.status in RESUMABLE]
        return next((run for run in reversed(found) if self.checkpoint(run).exists()), None)

    def running(self, key: str) -> Run | None:
        """Return a run with this key that a process is running, or None."""
        return next((run for run in self._runs("WHERE key = ?", key) if run.status == RunStatus.RUNNING), None)

    def checkpoint(self, run: Run) -> Path:
        return self.path(run, "checkpoint/state.pt")

    def read(self, run: Run, name: str) -> Path:
        """Check the hash of a run's file, and return its path. Raises StoreError if it is missing or has changed."""
        rows = self.database.query("SELECT sha256 FROM artefacts WHERE run = ? AND name = ?", (run.id, name))
        if not rows:
            raise StoreError(f"run {run.id} ({run.status}) has no {name}")
        path = self.path(run, name)
        if sha256(path) != rows[0][0]:
            raise StoreError(f"{path} has changed since it was stored (its sha256 differs): run again with --force")
        return path

    def heartbeat(self, *runs: Run) -> "Heartbeat":
        """Return a heartbeat for runs, sent by a separate thread while the context lasts; more runs can be added."""
        return Heartbeat(self.database.path, *(run.id for run in runs))

    def _runs(self, condition: str, *parameters: object) -> list[Run]:
        """Return runs, oldest first; a running one whose process has ended or sends no heartbeat is stale."""
        columns = "id, status, heartbeat, host, process, record"
        rows = self.database.query(f"SELECT {columns} FROM runs {condition} ORDER BY created, rowid", parameters)
        return [self._decode(*row) for row in rows]

    def _decode(self, identifier: str, status: str, heartbeat: float, host: str, process: int, record: str) -> Run:
        stale = status == RunStatus.RUNNING and not alive(heartbeat, host, process)
        try:
            return replace(Run.from_json(json.loads(record)), status=RunStatus.STALE if stale else RunStatus(status))
        except (ValueError, TypeError, AttributeError, msgspec.MsgspecError) as error:
            raise StoreError(f"{self.database.path}: the record of run {identifier} is damaged: {error}") from error


def _encode(run: Run) -> str:
    record = {name: value for name, value in run.to_json().items() if name not in TRANSIENT}
    return json.dumps(record, allow_nan=False)  # keys are not sorted: classes have an order
