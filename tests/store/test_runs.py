"""The store: runs come back as they went in, the newest counts, changed files are refused."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import StoreError, UnknownName
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

SECOND = "2026-01-01T00:00:00+00:00"


def run_of(key: str = "k", **more: Any) -> Run:
    names = {"id": "", "architecture": "cnngru", "dataset": "waves", "protocol": "holdout", "data": "original"}
    return Run(key=key, loss="cross-entropy", seed=0, **{**names, **more})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def change(store: Store, sql: str, *parameters: object) -> None:
    """Write to the database past the store."""
    with closing(sqlite3.connect(store.folder / "zoo.db")) as connection, connection:
        connection.execute(sql, parameters)


def test_a_finished_run_comes_back_as_it_went_in(store: Store) -> None:
    begun = store.begin(run_of(config={"params": {"hidden": 8}}, notes=("one", "two"), rows=None))
    ended = store.finish(
        replace(begun, status=RunStatus.DONE, scores={"macro_recall": {"value": 0.5}}), {"a.txt": b"abc"}
    )
    assert store.get(begun.id) == ended
    assert store.done("k") == ended
    assert store.read(ended, "a.txt").read_bytes() == b"abc"
    assert [path.name for path in (store.folder / "runs" / begun.id).iterdir()] == ["a.txt"]


def test_a_run_begins_with_an_id_and_a_time_of_its_own(store: Store) -> None:
    begun = store.begin(run_of(error="an earlier one"))
    assert re.fullmatch("[0-9a-f]{8}", begun.id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", begun.created)
    assert abs(datetime.fromisoformat(begun.created) - datetime.now(UTC)).total_seconds() < 60
    assert (begun.status, begun.error, begun.finished) == (RunStatus.RUNNING, "", "")
    assert store.get(begun.id) == begun
    ended = store.finish(replace(begun, status=RunStatus.DONE))
    assert ended.created <= ended.finished <= datetime.now(UTC).isoformat()


def test_a_resumed_run_keeps_its_id_and_the_time_it_was_made(store: Store) -> None:
    failed = store.finish(replace(store.begin(run_of(created=SECOND)), status=RunStatus.FAILED, error="no"))
    resumed = store.begin(failed)
    assert (resumed.id, resumed.created, resumed.status, resumed.error) == (failed.id, SECOND, RunStatus.RUNNING, "")
    assert store.runs() == [resumed]


def test_a_run_that_ends_again_has_only_the_files_of_its_last_end(store: Store) -> None:
    begun = store.begin(run_of())
    store.finish(replace(begun, status=RunStatus.INTERRUPTED), {"a.txt": b"abc", "b.txt": b"b"})
    ended = store.finish(replace(begun, status=RunStatus.DONE), {"a.txt": b"longer"})
    assert store.database.query("SELECT run, name, bytes FROM artefacts") == [(begun.id, "a.txt", 6)]
    assert store.read(ended, "a.txt").read_bytes() == b"longer"
    with pytest.raises(StoreError, match=rf"run {begun.id} \(done\) has no b\.txt"):
        store.read(ended, "b.txt")


def test_what_a_run_was_served_for_is_not_stored(store: Store) -> None:
    ended = store.finish(replace(store.begin(run_of()), status=RunStatus.DONE, served=True, differs=("device",)))
    assert (store.get(ended.id).served, store.get(ended.id).differs) == (False, ())


def test_classes_keep_their_order(store: Store) -> None:
    scores = {"recall": {name: {"value": 0.5} for name in ("normal", "ectopic", "fusion")}}
    ended = store.finish(replace(store.begin(run_of()), status=RunStatus.DONE, scores=scores))
    assert list(store.get(ended.id).scores["recall"]) == ["normal", "ectopic", "fusion"]


def test_the_newest_finished_run_is_served(store: Store) -> None:
    for number in (9, 5, 7):  # of one second: the last that began is the newest
        latest = store.finish(replace(store.begin(run_of(id=f"{number}" * 8, created=SECOND)), status=RunStatus.DONE))
    store.finish(replace(store.begin(run_of(id="11111111", created=SECOND)), status=RunStatus.FAILED, error="no"))
    store.begin(run_of(id="22222222", created=SECOND))
    store.finish(replace(store.begin(run_of(key="other", id="33333333", created=SECOND)), status=RunStatus.DONE))
    assert store.done("k") == latest
    assert store.done("missing") is None


def test_runs_are_listed_in_the_order_in_which_they_began_whatever_the_clock_said(store: Store) -> None:
    for letter, created in (("c", "2026-03-01"), ("b", "2026-01-01"), ("a", "2026-02-01"), ("0", "2026-02-01")):
        store.finish(replace(store.begin(run_of(id=letter * 8, created=created)), status=RunStatus.DONE))
    assert [run.id[0] for run in store.runs()] == ["c", "b", "a", "0"]
    assert store.done("k").id == "0" * 8


def test_runs_are_found_by_the_start_of_their_id(store: Store) -> None:
    begun = store.begin(run_of())
    assert store.get(begun.id[:5]).id == begun.id
    with pytest.raises(UnknownName, match="no run 'zzz'"):
        store.get("zzz")
    store.begin(replace(run_of(), id=begun.id[:4] + "ffff"))
    with pytest.raises(UnknownName, match="matches 2 runs"):
        store.get(begun.id[:4])
    for odd in ("", "%", "_" * 8, begun.id[1:], begun.id + "0"):
        with pytest.raises(UnknownName, match="no run"):
            store.get(odd)


def test_an_id_that_is_short_for_many_runs_names_five(store: Store) -> None:
    for number in range(7):
        store.begin(run_of(id=f"ab{number}00000"))
    with pytest.raises(UnknownName, match=r"'ab' matches 7 runs: ab000000, ab100000, ab200000, ab300000, ab400000$"):
        store.get("ab")


def test_a_changed_file_is_refused(store: Store) -> None:
    ended = store.finish(replace(store.begin(run_of()), status=RunStatus.DONE), {"a.txt": b"abc"})
    store.path(ended, "a.txt").write_bytes(b"abd")
    with pytest.raises(StoreError, match="has changed since it was stored"):
        store.read(ended, "a.txt")
    store.path(ended, "a.txt").unlink()
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        store.read(ended, "a.txt")
    with pytest.raises(StoreError, match=r"has no b.txt"):
        store.read(ended, "b.txt")


def checkpointed(store: Store, identifier: str, status: str) -> Run:
    run = store.begin(run_of(id=identifier * 8, created=SECOND))
    store.checkpoint(run).parent.mkdir(parents=True)
    store.checkpoint(run).write_bytes(b"state")
    return run if status == RunStatus.RUNNING else store.finish(replace(run, status=status))


@pytest.mark.parametrize(
    ("status", "resumed"),
    [
        (RunStatus.INTERRUPTED, True),
        (RunStatus.FAILED, True),
        (RunStatus.DIVERGED, False),
        (RunStatus.DONE, False),
        (RunStatus.RUNNING, False),
    ],
)
def test_interrupted_and_failed_runs_are_resumed_from_their_checkpoint(
    store: Store, status: str, resumed: bool
) -> None:
    run = checkpointed(store, "a", status)
    assert store.checkpoint(run) == store.folder / "runs" / run.id / "checkpoint" / "state.pt"
    assert store.unfinished("k") == (run if resumed else None)
    assert store.unfinished("other") is None


def test_a_stale_run_is_resumed(store: Store) -> None:
    checkpointed(store, "a", RunStatus.RUNNING)
    change(store, "UPDATE runs SET heartbeat = 0")
    assert store.unfinished("k").id == "a" * 8


def test_the_newest_run_with_a_checkpoint_is_resumed(store: Store) -> None:
    for identifier, status in (("c", RunStatus.FAILED), ("a", RunStatus.INTERRUPTED), ("b", RunStatus.FAILED)):
        checkpointed(store, identifier, status)
    store.finish(replace(store.begin(run_of(id="d" * 8, created=SECOND)), status=RunStatus.INTERRUPTED))
    assert store.unfinished("k").id == "b" * 8


def test_the_run_that_is_under_way_is_found_by_its_key(store: Store) -> None:
    store.finish(replace(store.begin(run_of()), status=RunStatus.DONE))
    assert store.running("k") is None
    begun = store.begin(run_of())
    assert store.running("k") == begun
    assert store.running("other") is None


def test_a_run_of_an_older_or_newer_zoo_is_read(store: Store) -> None:
    begun = store.begin(run_of(notes=("one",)))
    change(store, "UPDATE runs SET record = json_insert(record, '$.gone', 1)")
    assert store.get(begun.id) == begun
    change(store, "UPDATE runs SET record = json_remove(record, '$.notes', '$.rows')")
    assert store.get(begun.id) == replace(begun, notes=())


@pytest.mark.parametrize("record", ["{broken", "[]", "{}"])
def test_a_damaged_record_is_one_line(store: Store, record: str) -> None:
    begun = store.begin(run_of())
    change(store, "UPDATE runs SET record = ?", record)
    with pytest.raises(StoreError, match=rf"zoo\.db: the record of run {begun.id} is damaged"):
        store.get(begun.id)
    assert [(run.id, run.status, run.error != "") for run in store.runs()] == [(begun.id, RunStatus.DAMAGED, True)]


def test_a_query_that_fails_is_one_line(store: Store) -> None:
    with pytest.raises(StoreError, match=r"zoo\.db cannot be read: no such table: absent"):
        store.database.query("SELECT 1 FROM absent")


def test_a_closed_store_lets_go_of_its_file(tmp_path: Path) -> None:
    with Store(tmp_path / "results") as store:
        assert sorted(path.name for path in store.folder.iterdir()) == ["zoo.db", "zoo.db-shm", "zoo.db-wal"]
    assert [path.name for path in store.folder.iterdir()] == ["zoo.db"]
    with pytest.raises(StoreError, match="closed"):
        store.runs()
