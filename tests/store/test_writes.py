"""Writes happen together or not at all, also where several threads and processes make them at once."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import StoreError
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

RUN = Run(id="", key="k", architecture="a", dataset="d", protocol="p", data="original", loss="l", seed=0)

WRITER = """
import sys, threading, time
from dataclasses import replace
from pathlib import Path
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

folder, name = Path(sys.argv[1]), sys.argv[2]
failed = []

def write(thread):
    with Store(folder) as store:
        for number in range(5):
            key = f"{name}{thread}{number}00000"
            run = Run(id=key, key=key, architecture="a", dataset="d", protocol="p", data="o", loss="l", seed=0)
            store.finish(replace(store.begin(run), status=RunStatus.DONE), {"a.txt": key.encode()})
            with store.database.transaction() as connection:
                (before,) = connection.execute("SELECT writes FROM counted").fetchone()
                time.sleep(0.01)
                connection.execute("UPDATE counted SET writes = ?", (before + 1,))

threading.excepthook = failed.append
threads = [threading.Thread(target=write, args=(thread,)) for thread in range(2)]
sys.stdin.readline()
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(str(failed) if failed else 0)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def change_and_fail(store: Store, last: Any) -> None:
    with store.database.transaction() as connection:
        connection.execute("UPDATE runs SET status = 'done'")
        connection.execute("INSERT INTO artefacts SELECT id, 'a.txt', '', 0 FROM runs")
        connection.execute(last)


@pytest.mark.parametrize(("last", "error"), [("DELETE FROM absent", StoreError), (1 / 3, TypeError)])
def test_an_error_within_a_transaction_leaves_nothing_of_it(store: Store, last: Any, error: type[Exception]) -> None:
    begun = store.begin(RUN)
    with pytest.raises(error):
        change_and_fail(store, last)
    with Store(store.folder) as other:
        assert other.runs() == store.runs() == [begun]
        assert other.database.query("SELECT * FROM artefacts") == []


def test_an_end_that_cannot_be_recorded_leaves_the_earlier_one(store: Store) -> None:
    earlier = store.finish(replace(store.begin(RUN), status=RunStatus.INTERRUPTED), {"a.txt": b"abc"})
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        store.finish(replace(earlier, status=RunStatus.DONE, scores={"mcc": {"value": float("nan")}}), {"b.txt": b"b"})
    assert store.runs() == [earlier]
    assert store.read(earlier, "a.txt").read_bytes() == b"abc"
    with pytest.raises(StoreError, match=r"has no b\.txt"):
        store.read(earlier, "b.txt")


def test_a_file_that_cannot_be_written_leaves_the_run_as_it_was(store: Store) -> None:
    begun = store.begin(RUN)
    store.path(begun, "a.txt").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"a\.txt cannot be written"):
        store.finish(replace(begun, status=RunStatus.DONE), {"b.txt": b"b", "a.txt": b"abc"})
    assert store.runs() == [begun]
    assert store.database.query("SELECT * FROM artefacts") == []


def test_others_see_a_transaction_when_it_has_ended_and_need_not_wait_for_it(store: Store) -> None:
    begun = store.begin(RUN)
    with Store(store.folder, create=False) as reader:
        with store.database.transaction() as connection:
            connection.execute("UPDATE runs SET status = 'done'")
            assert [run.status for run in reader.runs()] == [RunStatus.RUNNING]
        assert [run.status for run in reader.runs()] == [RunStatus.DONE]
    assert store.database.query("PRAGMA journal_mode") == [("wal",)]
    assert store.database.query("PRAGMA synchronous") == [(2,)]  # a commit is on the disk, also where the power fails
    assert store.done("k").id == begun.id


def test_threads_and_processes_write_at_once_and_lose_nothing(store: Store) -> None:
    with store.database.transaction() as connection:
        connection.execute("CREATE TABLE counted AS SELECT 0 AS writes")
    words = [sys.executable, "-c", WRITER, str(store.folder)]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen([*words, name], **pipes) for name in ("a", "b")]
    assert [writer.communicate("go\n")[1] for writer in writers] == ["", ""]
    names = {f"{name}{thread}{number}00000" for name in ("a", "b") for thread in range(2) for number in range(5)}
    assert {(run.id, run.status) for run in store.runs()} == {(name, RunStatus.DONE) for name in names}
    assert all(store.read(run, "a.txt").read_text() == run.key for run in store.runs())
    assert store.database.query("SELECT writes FROM counted") == [(20,)]
