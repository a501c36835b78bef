"""Who is still at a run: a beat says so for a minute, and on the same host a process can be looked for."""

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.store import heartbeat as module
from zoo.store.heartbeat import Heartbeat, alive, clock, start_of
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

HERE = socket.gethostname()
NOBODY = 2**22  # a number that no process has: process numbers are below


def run_of(identifier: str) -> Run:
    names = {"architecture": "cnngru", "dataset": "waves", "protocol": "holdout", "data": "original"}
    return Run(id=identifier, key="k", loss="cross-entropy", seed=0, **names)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def change(store: Store, sql: str, *parameters: object) -> None:
    """Write to the database past the store."""
    with closing(sqlite3.connect(store.folder / "zoo.db", timeout=30)) as connection, connection:
        connection.execute(sql, parameters)


def beating(store: Store) -> set[str]:
    """Which runs and studies have beaten since their beats were set to 0."""
    rows = store.database.query(
        "SELECT id FROM runs WHERE heartbeat > 0 UNION SELECT name FROM studies WHERE heartbeat > 0"
    )
    return {name for (name,) in rows}


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_run_whose_process_died_turns_stale(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from zoo.store.runs import Run, Store;"
        "run = Run(id='', key='k', architecture='a', dataset='d', protocol='p', data='o', loss='l', seed=0);"
        "Store(Path(sys.argv[1])).begin(run); os._exit(9)"
    )
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path / "results")], check=False)
    assert result.returncode == 9
    with Store(tmp_path / "results") as store:
        assert [run.status for run in store.runs()] == [RunStatus.STALE]
        assert store.running("k") is None


@pytest.mark.parametrize(
    ("host", "process", "age", "status"),
    [
        ("elsewhere", NOBODY, 50, RunStatus.RUNNING),
        ("elsewhere", NOBODY, 70, RunStatus.STALE),
        ("elsewhere", None, 70, RunStatus.STALE),
        (HERE, None, 50, RunStatus.RUNNING),
        (HERE, None, 70, RunStatus.STALE),
        (HERE, NOBODY, 0, RunStatus.STALE),
        pytest.param(
            HERE, 1, 0, RunStatus.RUNNING, marks=pytest.mark.skipif(os.geteuid() == 0, reason="of another user")
        ),
    ],
)
def test_a_silent_run_is_stale_after_a_minute_and_one_whose_process_is_gone_at_once(
    store: Store, host: str, process: int | None, age: float, status: str
) -> None:
    store.begin(run_of("a" * 8))
    process = process or os.getpid()  # None: this one
    start = start_of(process) or 0.0
    values = (host, process, clock() - age, start)
    change(store, "UPDATE runs SET host = ?, process = ?, heartbeat = ?, start = ?", *values)
    assert [run.status for run in store.runs()] == [status]
    assert (store.running("k") is not None) == (status == RunStatus.RUNNING)
    assert alive(clock() - age, host, process, start) == (status == RunStatus.RUNNING)


def test_a_finished_run_needs_no_heartbeat(store: Store) -> None:
    store.finish(replace(store.begin(run_of("a" * 8)), status=RunStatus.DONE))
    change(store, "UPDATE runs SET heartbeat = 0, process = ?", NOBODY)
    assert [run.status for run in store.runs()] == [RunStatus.DONE]


def test_a_run_begins_with_a_beat_of_this_process(store: Store) -> None:
    before = time.time()
    store.begin(run_of("a" * 8))
    ((heartbeat, *process),) = store.database.query("SELECT heartbeat, host, process, start FROM runs")
    assert before - 1 <= heartbeat <= time.time() + 1
    assert process == [HERE, os.getpid(), start_of(os.getpid())]


def test_a_live_run_stays_running_while_its_heart_beats(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(module, "STALE_SECONDS", 0.5)
    begun = store.begin(run_of("a" * 8))
    with store.heartbeat(begun):
        time.sleep(1.0)
        assert store.get(begun.id).status == RunStatus.RUNNING
    time.sleep(0.7)
    assert store.get(begun.id).status == RunStatus.STALE


def test_the_runs_or_the_study_of_a_heartbeat_beat_and_no_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.02)
    kept, dropped, _, added = [store.begin(run_of(letter * 8)) for letter in "abcd"]
    for name in ("study", kept.id):  # a study may have the name of a run
        change(store, "INSERT INTO studies VALUES (?, 'running', '', 0, '', 0, '', 0)", name)
    change(store, "UPDATE runs SET heartbeat = 0")
    with store.heartbeat(kept, dropped) as heartbeat:
        heartbeat.drop(dropped.id)
        heartbeat.add(added.id)
        wait_for(lambda: beating(store) >= {kept.id, added.id})
        assert "zoo-heartbeat" in {thread.name for thread in threading.enumerate()}
    assert beating(store) <= {kept.id, added.id}
    assert store.database.query("SELECT name FROM studies WHERE heartbeat > 0") == []
    assert "zoo-heartbeat" not in {thread.name for thread in threading.enumerate()}
    change(store, "UPDATE runs SET heartbeat = 0")
    with Heartbeat(store.folder / "zoo.db", "study", study=True):
        wait_for(lambda: bool(beating(store)))
    assert beating(store) == {"study"}


def test_a_beat_that_fails_is_made_up_for_by_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.02)
    begun = store.begin(run_of("a" * 8))
    change(store, "ALTER TABLE runs RENAME TO away")
    with store.heartbeat(begun):
        time.sleep(0.2)
        change(store, "UPDATE away SET heartbeat = 0")
        change(store, "ALTER TABLE away RENAME TO runs")
        wait_for(lambda: beating(store) == {"a" * 8})


def test_no_beat_comes_after_the_end_of_a_heartbeat(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.02)
    begun = store.begin(run_of("a" * 8))
    database = store.folder / "zoo.db"
    with closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other:
        with store.heartbeat(begun):
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.1)  # a beat is under way, and waits for the other
            release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
            release.start()
        assert "zoo-heartbeat" not in {thread.name for thread in threading.enumerate()}
        release.join()
