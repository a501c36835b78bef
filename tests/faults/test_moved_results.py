"""The results folder is removed, renamed or replaced while a run is trained: that is an error, never a lost result."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import WAVES, Zoo
from studies import study_of

from zoo.errors import StoreMoved
from zoo.store import heartbeat as heartbeats
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore

NETWORK = """
import os
import subprocess
from torch import nn

class Net(nn.Module):
    # Runs the command of FAULT once, in the middle of training.
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))

    def forward(self, x):
        if self.training and x.device.type != "meta" and not os.path.exists("hit"):
            open("hit", "w").close()
            subprocess.run(os.environ["FAULT"], shell=True, check=True)
        return self.layers(x)
"""
BENCH = (
    *WAVES,
    "--protocol",
    "holdout",
    "--epochs",
    "2",
    "--threads",
    "1",
)
RUN = Run(id="", key="k", architecture="a", dataset="d", protocol="p", data="original", loss="l", seed=0)


@pytest.fixture(autouse=True)
def _network(tmp_path: Path, waves_csv: Path) -> None:
    (tmp_path / "net.py").write_text(NETWORK)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("rm -rf zoo-results", "zoo.db was removed or renamed while this command ran: the runs stored in it are lost"),
        pytest.param(
            "rm zoo-results/zoo.db",
            "zoo.db was removed or renamed while this command ran: the runs stored in it are",
            marks=pytest.mark.slow,
        ),
        ("mv zoo-results away", "/away', the run in progress is not. Run the command again with --results and that"),
        pytest.param(
            "mv zoo-results/zoo.db .",
            "zoo.db was removed or renamed while this command ran: the runs stored so far are",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "cd zoo-results && cp zoo.db copy && mv copy zoo.db",
            "zoo.db was replaced while this command ran",
            marks=pytest.mark.slow,
        ),
        (
            "mv zoo-results away && mv another zoo-results",
            "zoo.db was replaced while this command ran: the runs stored",
        ),
        pytest.param(
            "mv zoo-results away && mkdir zoo-results",
            "zoo.db was removed or renamed while this command ran",
            marks=pytest.mark.slow,
        ),
        ("rm zoo-results/zoo.db-wal", "zoo.db-wal was removed or renamed while this command ran: what it was about"),
        ("rm -rf zoo-results/runs && touch zoo-results/runs", "cannot be written: Not a directory"),
    ],
)
def test_a_run_that_cannot_be_stored_is_one_line(zoo: Zoo, tmp_path: Path, fault: str, said: str) -> None:
    with Store(tmp_path / "another") as store:
        kept = store.finish(done(store.begin(RUN)))
    found = zoo("bench", "net.py:Net", *BENCH, FAULT=fault)
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert said in found.stderr
    assert [line.startswith("error: ") for line in found.stderr.splitlines()].count(True) == 1
    assert "done:" not in found.stderr
    for folder in ("another", "zoo-results"):  # another store is as it was
        if Store.exists(tmp_path / folder) and fault.endswith("another zoo-results"):
            with Store(tmp_path / folder, create=False) as store:
                assert store.runs() == [kept]


@pytest.mark.parametrize(
    "fault",
    [
        "rm -r zoo-results/runs",
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("rm -r zoo-results/runs/*", "touch zoo-results/studies")
        ),
    ],
)
def test_a_run_whose_folder_is_removed_is_stored_in_full(zoo: Zoo, fault: str) -> None:
    found = zoo("bench", "net.py:Net", *BENCH, FAULT=f"{fault}; true")
    assert found.returncode == 0
    with Store(Path("zoo-results"), create=False) as store:
        (run,) = store.runs()
        assert run.status == RunStatus.DONE
        for name in ("config.toml", "history.csv", "predictions.parquet", "model.safetensors"):
            assert store.read(run, name).stat().st_size > 0
    assert zoo("results", run.id).returncode == 0


@pytest.mark.parametrize("name", ["runs", "studies"])
def test_a_file_in_the_place_of_a_folder_is_one_line(zoo: Zoo, name: str) -> None:
    Path("zoo-results").mkdir()
    Path("zoo-results", name).write_text("mine")
    found = zoo("bench", "net.py:Net", *BENCH, FAULT="true")
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].startswith(
        f"error: results folder 'zoo-results' cannot be used: '{name}' in it is not a folder. Choose a different one"
    )
    assert Path("zoo-results", name).read_text() == "mine"
    assert not Path("zoo-results", "zoo.db").exists()


def test_a_heartbeat_never_creates_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.02)
    with Store(tmp_path / "results") as store, store.heartbeat(store.begin(RUN)):
        (tmp_path / "results").rename(tmp_path / "away")
        (tmp_path / "results").mkdir()
        time.sleep(0.3)
        assert list((tmp_path / "results").iterdir()) == []


def test_a_study_whose_folder_is_renamed_stores_nothing_and_says_so(tmp_path: Path) -> None:
    with Store(tmp_path / "results") as store:
        studies = StudyStore(store)
        study = studies.create(study_of((), name="mine"))
        studies.propose("mine", 1, {"hidden": 8})
        (tmp_path / "results").rename(tmp_path / "away")
        writes = (
            lambda: studies.propose("mine", 2, {}),
            lambda: studies.start("mine", 1),
            lambda: studies.add_epochs("mine", 1, 0.5, [(1, 0.5, 1.0)]),
            lambda: studies.update(study),
            lambda: studies.take(study),
            lambda: studies.interrupt("mine"),
            lambda: studies.create(study_of((), name="other")),
        )
        for write in writes:
            with pytest.raises(StoreMoved, match=r"the runs stored so far are in '.*/away', the run in progress"):
                write()
    with Store(tmp_path / "away", create=False) as store:
        assert [trial.number for trial in StudyStore(store).get("mine").trials] == [1]


def test_a_changed_working_folder_changes_no_place(tmp_path: Path) -> None:
    with Store(Path("results")) as store:
        begun = store.begin(RUN)
        (tmp_path / "elsewhere").mkdir()
        os.chdir(tmp_path / "elsewhere")
        ended = store.finish(done(begun), {"a.txt": b"abc"})
        assert store.read(ended, "a.txt") == tmp_path / "results" / "runs" / begun.id / "a.txt"
        store.heartbeat(begun)._say_alive()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.slow
def test_a_study_whose_results_are_removed_is_one_line(tmp_path: Path, waves_csv: Path) -> None:
    words = ("tune", "cnn1d", *BENCH[:-2], "--trials", "30", "--name", "mine")
    process = subprocess.Popen([sys.executable, "-m", "zoo", *words], stderr=subprocess.PIPE, text=True)
    for _ in range(1200):
        time.sleep(0.1)
        if Path("zoo-results", "zoo.db").exists() and ended_trials() >= 1:
            break
    shutil.rmtree("zoo-results")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "zoo.db was removed or renamed while this command ran" in errors.splitlines()[-1]
    assert "Resume with" not in errors


def ended_trials() -> int:
    try:
        with closing(sqlite3.connect("file:zoo-results/zoo.db?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM trials WHERE status = 'done'").fetchone()[0])
    except sqlite3.Error:
        return 0


def done(run: Run) -> Run:
    return replace(run, status=RunStatus.DONE)
