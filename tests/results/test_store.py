"""The store: whole runs or none, stale ones found, changed files refused."""

import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.errors import StoreError, UnknownName
from zoo.results import store as module
from zoo.results.run import DONE, FAILED, INTERRUPTED, RUNNING, STALE, Run
from zoo.results.store import Store


def run_of(key: str = "k", **more) -> Run:
    names = {"architecture": "cnngru", "dataset": "waves", "protocol": "holdout", "data": "original"}
    return Run(id="", key=key, loss="cross-entropy", seed=0, **{**names, **more})


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "results") as opened:
        yield opened


def test_a_finished_run_comes_back_as_it_went_in(store: Store) -> None:
    begun = store.begin(run_of(config={"params": {"hidden": 8}}, notes=("one", "two"), rows=None))
    ended = store.finish(replace(begun, status=DONE, scores={"macro_recall": {"value": 0.5}}), {"a.txt": b"abc"})
    assert store.get(begun.id) == ended
    assert store.done("k") == ended
    assert store.read(ended, "a.txt").read_bytes() == b"abc"
    assert not list(store.path(ended).glob(".*"))


def test_classes_keep_their_order(store: Store) -> None:
    scores = {"recall": {"normal": 0.9, "ectopic": 0.5, "fusion": 0.1}}
    ended = store.finish(replace(store.begin(run_of()), status=DONE, scores=scores))
    assert list(store.get(ended.id).scores["recall"]) == ["normal", "ectopic", "fusion"]


def test_the_newest_finished_run_is_served(store: Store) -> None:
    for _ in range(2):
        latest = store.finish(replace(store.begin(run_of()), status=DONE))
    store.finish(replace(store.begin(run_of()), status=FAILED, error="no"))
    assert store.done("k") == latest
    assert store.done("other") is None


def test_runs_are_found_by_the_start_of_their_id(store: Store) -> None:
    begun = store.begin(run_of())
    assert store.get(begun.id[:5]).id == begun.id
    with pytest.raises(UnknownName, match="no run 'zzz'"):
        store.get("zzz")
    store.begin(replace(run_of(), id=begun.id[:4] + "ffff"))
    with pytest.raises(UnknownName, match="is short for 2 runs"):
        store.get(begun.id[:4])


def test_a_changed_file_is_refused(store: Store) -> None:
    ended = store.finish(replace(store.begin(run_of()), status=DONE), {"a.txt": b"abc"})
    store.path(ended, "a.txt").write_bytes(b"abd")
    with pytest.raises(StoreError, match="is not what was stored"):
        store.read(ended, "a.txt")
    store.path(ended, "a.txt").unlink()
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        store.read(ended, "a.txt")
    with pytest.raises(StoreError, match=r"has no b.txt"):
        store.read(ended, "b.txt")


def test_a_run_whose_process_died_turns_stale(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path[:0] = [sys.argv[2]]; from pathlib import Path; from test_store import run_of;"
        "from zoo.results.store import Store; Store(Path(sys.argv[1])).begin(run_of()); os._exit(9)"
    )
    here = str(Path(__file__).parent)
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path / "results"), here], check=False)
    assert result.returncode == 9
    with Store(tmp_path / "results") as store:
        assert [run.status for run in store.runs()] == [STALE]
        assert store.running("k") is None


def test_a_live_run_stays_running_while_its_heart_beats(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(module, "STALE_SECONDS", 0.5)
    begun = store.begin(run_of())
    with store.heartbeat(begun):
        time.sleep(1.0)
        assert store.get(begun.id).status == RUNNING
    time.sleep(0.7)
    assert store.get(begun.id).status == STALE


def test_only_runs_with_a_checkpoint_are_resumed(store: Store) -> None:
    for status in (INTERRUPTED, FAILED):
        ended = store.finish(replace(store.begin(run_of()), status=status))
        assert store.unfinished("k") is None
    store.checkpoint(ended).parent.mkdir(parents=True)
    store.checkpoint(ended).write_bytes(b"state")
    assert store.unfinished("k").id == ended.id


def test_two_stores_write_at_once(tmp_path: Path) -> None:
    with Store(tmp_path / "results") as one, Store(tmp_path / "results") as two:
        for number in range(20):
            begun = (one, two)[number % 2].begin(run_of(key=str(number)))
            (two, one)[number % 2].finish(replace(begun, status=DONE))
        assert [run.status for run in one.runs()] == [DONE] * 20


def test_a_store_of_a_newer_zoo_is_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "results"):
        pass
    connection = sqlite3.connect(tmp_path / "results" / "zoo.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="written by a newer zoo"):
        Store(tmp_path / "results")


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be used: .*Name another with --results"):
        Store(tmp_path / "file")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "zoo.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        Store(tmp_path / "results")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="no permission to write"):
        Store(folder)


def test_a_run_of_an_older_zoo_with_fields_unknown_here_is_read(store: Store, tmp_path: Path) -> None:
    begun = store.begin(run_of())
    connection = sqlite3.connect(store.folder / "zoo.db")
    with connection:
        connection.execute("UPDATE runs SET record = json_insert(record, '$.gone', 1) WHERE id = ?", (begun.id,))
    connection.close()
    assert store.get(begun.id).id == begun.id


def test_many_processes_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from zoo.results.store import Store; Store(Path(sys.argv[1])).close()"
    for attempt in range(4):
        folder = str(tmp_path / str(attempt))
        opening = [subprocess.Popen([sys.executable, "-c", code, folder], stderr=subprocess.PIPE) for _ in range(4)]
        assert [process.communicate()[1] for process in opening] == [b""] * 4


def test_reading_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results in"):
        Store(tmp_path / "absent", create=False)
    assert not (tmp_path / "absent").exists()
    with Store(tmp_path / "results") as store:
        store.finish(replace(store.begin(run_of()), status=DONE))
    with Store(tmp_path / "results", create=False) as reader:
        assert [run.status for run in reader.runs()] == [DONE]
        with pytest.raises(StoreError, match="cannot be written: attempt to write a readonly database"):
            reader.begin(run_of())


def test_a_damaged_record_is_one_line(store: Store) -> None:
    begun = store.begin(run_of())
    connection = sqlite3.connect(store.folder / "zoo.db")
    with connection:
        connection.execute("UPDATE runs SET record = '{broken' WHERE id = ?", (begun.id,))
    connection.close()
    with pytest.raises(StoreError, match=f"the record of run {begun.id} is damaged"):
        store.runs()
