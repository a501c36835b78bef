"""A store is made, brought up to date, or left alone, whoever else opens it at that moment."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.errors import StoreError
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

RUN = Run(id="abc00000", key="k", architecture="a", dataset="d", protocol="p", data="original", loss="l", seed=0)

# The tables as earlier versions left them. Stores like these are on users' disks: they do not change.
FIRST = """
    CREATE TABLE runs (id TEXT PRIMARY KEY, key TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL,
        heartbeat REAL NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL, record TEXT NOT NULL);
    CREATE INDEX runs_by_key ON runs (key, status);
    CREATE TABLE artefacts (run TEXT NOT NULL REFERENCES runs (id), name TEXT NOT NULL, sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL, PRIMARY KEY (run, name));
    INSERT INTO runs VALUES ('abc00000', 'k', 'done', '2026-01-01', 0, 'elsewhere', 1, '{"id": "abc00000", "key": "k",
        "architecture": "a", "dataset": "d", "protocol": "p", "data": "original", "loss": "l", "seed": 0}');
    INSERT INTO artefacts VALUES ('abc00000', 'a.txt',
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3);
"""
SECOND = """
    CREATE TABLE studies (name TEXT PRIMARY KEY, status TEXT NOT NULL, created TEXT NOT NULL, heartbeat REAL NOT NULL,
        host TEXT NOT NULL, process INTEGER NOT NULL, session TEXT NOT NULL DEFAULT '', record TEXT NOT NULL);
    CREATE TABLE trials (study TEXT NOT NULL REFERENCES studies (name), number INTEGER NOT NULL, config TEXT NOT NULL,
        status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', value REAL, epochs INTEGER NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0, started TEXT NOT NULL DEFAULT '',
        finished TEXT NOT NULL DEFAULT '', PRIMARY KEY (study, number));
    CREATE TABLE epochs (place INTEGER PRIMARY KEY, study TEXT NOT NULL, number INTEGER NOT NULL,
        epoch INTEGER NOT NULL, value REAL NOT NULL, seconds REAL NOT NULL, UNIQUE (study, number, epoch));
    CREATE TABLE events (place INTEGER PRIMARY KEY, study TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL,
        value REAL);
    CREATE INDEX events_by_study ON events (study, place);
    INSERT INTO studies VALUES ('s', 'done', '2026-01-01', 0.5, 'elsewhere', 1, 'session', '{}');
"""
COLUMNS = {
    "runs": ["id", "key", "status", "created", "heartbeat", "host", "process", "record", "start"],
    "artefacts": ["run", "name", "sha256", "bytes"],
    "studies": ["name", "status", "created", "heartbeat", "host", "process", "record", "start"],
    "trials": [
        *("study", "number", "config", "status", "reason", "value", "epochs", "seconds", "starts"),
        *("started", "finished"),
    ],
    "epochs": ["place", "study", "number", "epoch", "value", "seconds"],
    "events": ["place", "study", "kind", "number", "value"],
}


def earlier(folder: Path, version: int) -> Path:
    """A store of that schema version, with a finished run and from version 2 on a study."""
    (folder / "runs" / "abc00000").mkdir(parents=True)
    (folder / "runs" / "abc00000" / "a.txt").write_bytes(b"abc")
    with closing(sqlite3.connect(folder / "zoo.db")) as connection:
        connection.executescript((FIRST, FIRST + SECOND)[version - 1] + f"PRAGMA user_version = {version};")
    return folder


def columns(store: Store) -> dict[str, list[str]]:
    tables = [name for (name,) in store.database.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: [row[1] for row in store.database.query(f"PRAGMA table_info({name})")] for name in tables}


def test_a_new_store_has_every_table_and_opens_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    assert not Store.exists(folder)
    for _ in range(2):
        with Store(folder) as store:
            assert store.database.version == 4
            assert columns(store) == COLUMNS
    assert Store.exists(folder)


@pytest.mark.parametrize("version", [1, 2])
def test_a_store_of_an_earlier_version_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path, version: int) -> None:
    with Store(earlier(tmp_path, version)) as store:
        assert store.database.version == 4
        assert columns(store) == COLUMNS
        assert store.runs() == [replace(RUN, status=RunStatus.DONE)]
        assert store.read(RUN, "a.txt").read_bytes() == b"abc"
        studies = [("s", "done", "2026-01-01", 0.5, "elsewhere", 1, "{}", 0)] if version == 2 else []
        assert store.database.query("SELECT * FROM studies") == studies
        indexes = {name for (name,) in store.database.query("SELECT name FROM sqlite_master WHERE type = 'index'")}
        assert {"runs_by_key", "events_by_study"} <= indexes


@pytest.mark.parametrize("version", [1, 2])
def test_a_store_of_an_earlier_version_is_read_as_it_stands(tmp_path: Path, version: int) -> None:
    before = (earlier(tmp_path, version) / "zoo.db").read_bytes()
    with Store(tmp_path, create=False) as store:
        assert store.database.version == version
        assert store.runs() == [replace(RUN, status=RunStatus.DONE)]
    assert (tmp_path / "zoo.db").read_bytes() == before


def test_a_step_of_the_schema_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(earlier(tmp_path, 1) / "zoo.db")) as connection:
        connection.execute("CREATE TABLE epochs (in_the_way)")
    with pytest.raises(StoreError, match="cannot be used: table epochs already exists"):
        Store(tmp_path)
    with Store(tmp_path, create=False) as store:
        assert store.database.version == 1
        assert set(columns(store)) == {"runs", "artefacts", "epochs"}


@pytest.mark.parametrize("create", [True, False])
def test_a_store_of_a_newer_zoo_is_left_alone(tmp_path: Path, create: bool) -> None:
    with closing(sqlite3.connect(earlier(tmp_path, 2) / "zoo.db")) as connection:
        connection.execute("PRAGMA user_version = 5")
    with pytest.raises(StoreError, match=r"written by a newer zoo \(schema 5\)"):
        Store(tmp_path, create=create)


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file' cannot be used: File exists\. Choose a different one with --results"):
        Store(tmp_path / "file")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "zoo.db").write_bytes(b"not a database" * 100)
    with pytest.raises(
        StoreError, match=r"cannot be used: file is not a database\. Choose a different one with --results"
    ):
        Store(tmp_path / "results")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="no permission to write"):
        Store(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o500, 0o400), (0o500, 0o600), (0o700, 0o400)])
def test_a_folder_without_permission_is_read(tmp_path: Path, folder_mode: int, file_mode: int) -> None:
    with Store(tmp_path / "results") as store:
        store.finish(replace(store.begin(RUN), status=RunStatus.DONE))
    (tmp_path / "results" / "zoo.db").chmod(file_mode)
    (tmp_path / "results").chmod(folder_mode)
    with Store(tmp_path / "results", create=False) as reader:
        assert [run.status for run in reader.runs()] == [RunStatus.DONE]


def test_reading_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results in"):
        Store(tmp_path / "absent", create=False)
    assert not (tmp_path / "absent").exists()
    with Store(tmp_path / "results") as store:
        store.finish(replace(store.begin(RUN), status=RunStatus.DONE))
    with Store(tmp_path / "results", create=False) as reader:
        assert [run.status for run in reader.runs()] == [RunStatus.DONE]
        with pytest.raises(StoreError, match="cannot be written: attempt to write a readonly database"):
            reader.begin(RUN)


def test_a_new_store_that_another_holds_is_waited_for(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "zoo.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE held (number)")
        release = threading.Timer(0.4, other.execute, ["ROLLBACK"])
        release.start()
        with Store(tmp_path) as store:
            assert store.database.version == 4
        release.join()


def test_many_processes_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from zoo.store.runs import Store; Store(Path(sys.argv[1])).close()"
    for attempt in range(4):
        folder = str(tmp_path / str(attempt))
        opening = [subprocess.Popen([sys.executable, "-c", code, folder], stderr=subprocess.PIPE) for _ in range(4)]
        assert [process.communicate()[1] for process in opening] == [b""] * 4
