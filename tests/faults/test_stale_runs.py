"""Which run is still trained: a process is known by its number, host and start, and a changed clock changes little."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import WAVES, Zoo
from studies import study_of

from zoo.store.heartbeat import alive, clock, start_of
from zoo.store.run import Run, RunStatus
from zoo.store.runs import DIED, Store
from zoo.store.studies import StudyStore
from zoo.store.study import StudyStatus

HERE = socket.gethostname()
BENCH = (
    *WAVES,
    "--protocol",
    "holdout",
    "--threads",
    "1",
    "--epochs",
)
RUN = Run(id="", key="k", architecture="a", dataset="d", protocol="p", data="original", loss="l", seed=0)
SLEEPER = """
import os
import time
from torch import nn

class Net(nn.Module):
    # Trains one epoch for ever, unless the file `quick` exists.
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))

    def forward(self, x):
        if self.training and x.device.type != "meta" and not os.path.exists("quick"):
            time.sleep(600)
        return self.layers(x)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "zoo-results") as opened:
        yield opened


def change(folder: Path, sql: str, *parameters: object) -> None:
    """Write to the database past the store."""
    with closing(sqlite3.connect(folder / "zoo.db", timeout=30)) as connection, connection:
        connection.execute(sql, parameters)


def test_a_later_process_with_the_same_number_is_another(store: Store) -> None:
    """As in a container that was restarted: its first process has number 1 and the host's name again."""
    store.begin(RUN)
    studies = StudyStore(store)
    studies.create(study_of((), name="mine", trials=2))
    assert store.running("k") is not None
    change(store.folder, "UPDATE runs SET start = start - 3600")
    change(store.folder, "UPDATE studies SET status = 'running', start = start - 3600")
    assert [run.status for run in store.runs()] == [RunStatus.STALE]
    assert store.running("k") is None
    assert studies.get("mine").status == StudyStatus.INTERRUPTED
    studies.take(studies.get("mine"))
    assert studies.get("mine").status == StudyStatus.RUNNING


def test_a_row_of_an_earlier_zoo_has_no_start_and_is_alive_by_its_number(store: Store) -> None:
    store.begin(RUN)
    change(store.folder, "UPDATE runs SET start = 0")
    assert [run.status for run in store.runs()] == [RunStatus.RUNNING]


def test_the_start_of_a_process_does_not_change_and_tells_two_apart() -> None:
    own = start_of(os.getpid())
    assert own == pytest.approx(start_of(os.getpid()), abs=0.02)
    time.sleep(0.1)
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    assert start_of(child.pid) > own
    child.kill()
    time.sleep(0.2)
    assert start_of(child.pid) is None, "a zombie has ended"
    child.communicate()
    assert start_of(child.pid) is None
    assert not alive(clock(), HERE, child.pid, 0.0)


@pytest.mark.parametrize("ahead", [30.0, 3600.0, 1e9, float("inf")])
def test_a_heartbeat_from_the_future_is_stale(store: Store, ahead: float) -> None:
    store.begin(RUN)
    for host in (HERE, "elsewhere"):
        change(store.folder, "UPDATE runs SET heartbeat = ?, host = ?", clock() + ahead, host)
        assert [run.status for run in store.runs()] == [RunStatus.STALE]
    change(store.folder, "UPDATE runs SET heartbeat = ?", clock() + 2)
    assert [run.status for run in store.runs()] == [RunStatus.RUNNING], "clocks of two hosts differ by a little"


def test_after_the_clock_went_back_the_newest_run_is_the_last_that_began(zoo: Zoo, waves_csv: Path) -> None:
    asked = ("bench", "cnn1d", *BENCH, "1", "--json")
    (first,) = json.loads(zoo(*asked).stdout)
    change(Path("zoo-results"), "UPDATE runs SET created = '2999', record = json_set(record, '$.created', '2999')")
    (second,) = json.loads(zoo(*asked, "--force").stdout)
    assert second["id"] != first["id"]
    (reused,) = json.loads(zoo(*asked).stdout)
    assert (reused["id"], reused["served"]) == (second["id"], True)
    assert [run["id"] for run in json.loads(zoo("results", "--json").stdout)] == [first["id"], second["id"]]
    (board,) = json.loads(zoo("leaderboard", "--json").stdout)
    assert [standing["runs"] for standing in board["standings"]] == [[second["id"]]]


def test_resume_means_the_run_that_began_last(store: Store) -> None:
    for created in ("2026-03-01", "2026-01-01"):
        run = store.finish(replace(store.begin(replace(RUN, created=created)), status=RunStatus.INTERRUPTED))
        store.checkpoint(run).parent.mkdir(parents=True)
        store.checkpoint(run).write_bytes(b"state")
    assert store.unfinished("k") == run
    done = store.finish(replace(store.begin(replace(RUN, created="2025-01-01")), status=RunStatus.DONE))
    assert (store.unfinished("k"), store.done("k")) == (None, done)


def test_a_kill_before_the_first_checkpoint_leaves_no_row_for_good(zoo: Zoo, tmp_path: Path, waves_csv: Path) -> None:
    (tmp_path / "net.py").write_text(SLEEPER)
    asked = ("bench", "net.py:Net", *BENCH, "1")
    killed = kill_when_it_trains(asked)
    with Store(tmp_path / "zoo-results", create=False) as store:
        assert [(run.id, run.status) for run in store.runs()] == [(killed, RunStatus.STALE)]
    assert zoo("bench", "cnn1d", *BENCH, "1").returncode == 0  # another cell: the dead run is ended
    with Store(tmp_path / "zoo-results", create=False) as store:
        dead, _ = store.runs()
        assert (dead.id, dead.status, dead.error) == (killed, RunStatus.FAILED, DIED)
    (tmp_path / "quick").touch()
    assert zoo(*asked).returncode == 0  # the same cell: the dead run is replaced
    with Store(tmp_path / "zoo-results", create=False) as store:
        assert [run.status for run in store.runs()] == [RunStatus.DONE, RunStatus.DONE]
        assert killed not in [run.id for run in store.runs()]


@pytest.mark.slow
def test_a_restarted_container_does_not_wait_for_itself(tmp_path: Path, waves_csv: Path) -> None:
    contained = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    if not shutil.which("unshare") or subprocess.run([*contained, "true"], check=False, capture_output=True).returncode:
        pytest.skip("process namespaces are not possible here")
    (tmp_path / "net.py").write_text(SLEEPER)
    asked = ("bench", "net.py:Net", *BENCH, "1")
    kill_when_it_trains(asked, *contained)
    change(tmp_path / "zoo-results", "UPDATE runs SET heartbeat = ?", clock())
    with closing(sqlite3.connect("zoo-results/zoo.db")) as connection:
        assert connection.execute("SELECT host, process FROM runs").fetchall() == [(HERE, 1)]
    show = "import sys; from zoo.store.runs import *; print(Store(Path('zoo-results'), create=False).runs()[0].status)"
    again = subprocess.run([*contained, sys.executable, "-c", show], text=True, check=True, capture_output=True)
    assert again.stdout == "stale\n"


def kill_when_it_trains(words: tuple[str, ...], *before: str) -> str:
    """Start a command, kill it when its run is stored, and return the id of the run."""
    process = subprocess.Popen([*before, sys.executable, "-m", "zoo", *words], stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(0.05)
        if identifiers := running_ids():
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return identifiers[0]


def running_ids() -> list[str]:
    try:
        with closing(sqlite3.connect("file:zoo-results/zoo.db?mode=ro", uri=True)) as connection:
            return [identifier for (identifier,) in connection.execute("SELECT id FROM runs WHERE status = 'running'")]
    except sqlite3.Error:
        return []


def test_a_run_that_was_believed_dead_is_stored_when_it_ends(store: Store) -> None:
    begun = store.begin(RUN)
    change(store.folder, "UPDATE runs SET heartbeat = 0")
    with Store(store.folder) as other:
        other.end_dead_runs()
        newer = other.begin(RUN)
        assert [run.id for run in other.runs()] == [newer.id]
    ended = store.finish(replace(begun, status=RunStatus.DONE), {"a.txt": b"abc"})
    assert store.done("k") == ended
    assert store.read(ended, "a.txt").read_bytes() == b"abc"


def test_a_dead_run_with_a_checkpoint_is_ended_and_can_still_be_resumed(store: Store) -> None:
    begun = store.begin(RUN)
    store.checkpoint(begun).parent.mkdir(parents=True)
    store.checkpoint(begun).write_bytes(b"state")
    change(store.folder, "UPDATE runs SET heartbeat = 0")
    store.end_dead_runs()
    assert [(run.status, run.error) for run in store.runs()] == [(RunStatus.FAILED, DIED)]
    assert store.unfinished("k").id == begun.id
    store.begin(RUN)
    assert len(store.runs()) == 2, "it is not removed"
