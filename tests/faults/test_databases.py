"""The database of another program, of an earlier zoo, and on a full disk."""

import ctypes
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import WAVES, Zoo
from studies import stored, study_of

from zoo.errors import StoreError
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.schema import MIGRATIONS
from zoo.store.studies import StudyStore

SCHEMAS = Path(__file__).parents[1] / "store" / "schemas"  # each written by the zoo that had this schema
RUN = Run(id="", key="k", architecture="a", dataset="d", protocol="p", data="original", loss="l", seed=0)
BENCH = (
    *WAVES,
    "--protocol",
    "holdout",
    "--threads",
    "1",
    "--epochs",
    "2",
)
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
OTHERS = {
    "a browser": "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT); PRAGMA user_version = 77;",
    "one with our version": "CREATE TABLE songs (id INTEGER); PRAGMA user_version = 3;",
    "one with a table of ours": "CREATE TABLE runs (id INTEGER, kilometres REAL);",
    "one with both": "CREATE TABLE runs (id INTEGER, kilometres REAL); PRAGMA user_version = 2;",
    "one without a version": "CREATE TABLE songs (id INTEGER); INSERT INTO songs VALUES (1);",
    "only a version": "PRAGMA user_version = 900;",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize("name", OTHERS)
def test_the_database_of_another_program_is_refused_untouched(tmp_path: Path, name: str, mode: str) -> None:
    with closing(sqlite3.connect(tmp_path / "zoo.db")) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.executescript(OTHERS[name])
    before = contents(tmp_path)
    assert list(before) == ["zoo.db"]
    for create in (True, False):
        with pytest.raises(StoreError, match=r"zoo\.db is the database of another program|written by a newer zoo"):
            Store(tmp_path, create=create)
        assert contents(tmp_path) == before


def test_another_program_that_was_killed_finds_its_files_as_they_were(tmp_path: Path) -> None:
    """All its tables are still in its write-ahead log."""
    code = f"""
import sqlite3
connection = sqlite3.connect("zoo.db", isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE songs (id INTEGER)")
{KILLED}
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    before = contents(tmp_path)
    assert sorted(before) == ["zoo.db", "zoo.db-shm", "zoo.db-wal"]
    for create in (True, False):
        with pytest.raises(StoreError, match=r"zoo\.db is the database of another program"):
            Store(tmp_path, create=create)
        assert contents(tmp_path) == before


def test_the_commands_refuse_the_database_of_another_program(zoo: Zoo, waves_csv: Path) -> None:
    Path("zoo-results").mkdir()
    with closing(sqlite3.connect("zoo-results/zoo.db")) as connection:
        connection.executescript(OTHERS["a browser"])
    before = contents(Path("zoo-results"))
    for words in (("results",), ("bench", "cnn1d", *BENCH)):
        found = zoo(*words)
        assert found.returncode == 1
        assert found.stderr.splitlines()[-1] == (
            "error: results folder 'zoo-results' cannot be used: zoo.db is the database of another program. "
            "Choose a different one with --results"
        )
    assert contents(Path("zoo-results")) == before


def test_a_new_store_whose_process_was_killed_opens(tmp_path: Path) -> None:
    """All its tables are still in its write-ahead log."""
    code = f"from pathlib import Path; from zoo.store.runs import Store; Store(Path('results')); {KILLED}"
    subprocess.run([sys.executable, "-c", code], check=False)
    assert (tmp_path / "results" / "zoo.db-wal").stat().st_size > 0
    with Store(tmp_path / "results", create=False) as store:
        assert store.runs() == []
    with Store(tmp_path / "results") as store:
        assert store.database.version == len(MIGRATIONS)


@pytest.fixture(params=range(1, len(MIGRATIONS)))
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    """A store as an earlier zoo wrote it, and the version of its schema."""
    (tmp_path / "earlier").mkdir()
    shutil.copyfile(SCHEMAS / f"v{request.param}.db", tmp_path / "earlier" / "zoo.db")
    return tmp_path / "earlier", request.param


def test_a_store_of_every_earlier_schema_is_read_as_it_is(earlier: tuple[Path, int]) -> None:
    folder, version = earlier
    before = (folder / "zoo.db").read_bytes()
    with Store(folder, create=False) as store:
        assert store.database.version == version
        check(store, version)
    assert (folder / "zoo.db").read_bytes() == before


def test_a_store_of_every_earlier_schema_is_migrated_after_a_backup(earlier: tuple[Path, int]) -> None:
    folder, version = earlier
    with Store(folder) as store:
        assert store.database.version == len(MIGRATIONS)
        check(store, version)
        store.finish(replace(store.begin(RUN), status=RunStatus.DONE))
    backup = folder / f"zoo.db.backup-v{version}"
    assert sorted(path.name for path in folder.iterdir()) == ["zoo.db", backup.name]
    with Store(folder):
        pass
    assert sorted(path.name for path in folder.iterdir()) == ["zoo.db", backup.name], "one backup for one migration"
    (folder / "restored").mkdir()
    shutil.copyfile(backup, folder / "restored" / "zoo.db")
    with Store(folder / "restored", create=False) as store:
        assert store.database.version == version
        check(store, version)
    shutil.copyfile(backup, folder / "zoo.db")
    with Store(folder):
        pass
    assert (folder / f"zoo.db.backup-v{version}-2").is_file(), "an earlier backup is kept"


def check(store: Store, version: int) -> None:
    """The content of the stores in `tests/store/schemas`: a run, and later a study with its own."""
    runs, studies = store.runs(), StudyStore(store).studies()
    first = runs[0]
    assert (first.reference, first.status, first.score("macro_recall")) == ("cnn1d", "done", pytest.approx(5 / 12))
    assert [run.status for run in runs] == [RunStatus.DONE] * (1 if version == 1 else 2)
    found = [(study.name, study.status, [trial.status for trial in study.trials]) for study in studies]
    assert found == ([] if version == 1 else [("earlier", "done", ["done", "done"])])
    assert all(store.get(study.run).status == RunStatus.DONE for study in studies)


def test_a_migration_that_cannot_write_its_backup_changes_nothing(tmp_path: Path) -> None:
    shutil.copyfile(SCHEMAS / "v3.db", tmp_path / "zoo.db")
    before = (tmp_path / "zoo.db").read_bytes()
    code = f"""
import resource, signal
from pathlib import Path
from zoo.errors import StoreError
from zoo.store.runs import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
try:
    Store(Path({str(tmp_path)!r}))
except StoreError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "cannot be used: " in found.stdout
    assert len(found.stdout.splitlines()) == 1
    with Store(tmp_path, create=False) as store:
        assert store.database.version == 3
        check(store, 3)
    assert (tmp_path / "zoo.db").read_bytes() == before
    assert not list(tmp_path.glob("*backup*"))


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB with a store that has a run and a study; nothing more fits on it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or ctypes.CDLL(None).mount(b"tmpfs", bytes(disk), b"tmpfs", 0, b"size=2m"):
        pytest.skip("only the superuser may mount a disk")
    try:
        with Store(disk / "zoo-results") as store:
            store.finish(replace(store.begin(RUN), status=RunStatus.DONE), {"a.txt": b"abc"})
            stored(store, study_of(name="mine"))
        yield disk / "zoo-results"
    finally:
        ctypes.CDLL(None).umount2(bytes(disk), 2)


def fill(disk: Path) -> None:
    with open(disk / "filler", "wb", buffering=0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def test_a_store_on_a_full_disk_can_be_read(zoo: Zoo, full: Path) -> None:
    fill(full.parent)
    for words in (("results",), ("results", "--json"), ("leaderboard",), ("studies",), ("studies", "show", "mine")):
        found = zoo(*words, "--results", str(full))
        assert (found.returncode, found.stderr.count("error")) == (0, 0), found.stderr
    assert [run["status"] for run in json.loads(zoo("results", "--json", "--results", str(full)).stdout)] == ["done"]


def test_what_a_killed_process_wrote_can_be_read_on_a_full_disk(full: Path) -> None:
    """Its rows are still in the write-ahead log."""
    code = f"""
from pathlib import Path
from zoo.store.run import Run
from zoo.store.runs import Store
Store(Path({str(full)!r})).begin(Run(id="", key="k", architecture="a", dataset="d", protocol="p", data="o", loss="l",
seed=1))
{KILLED}
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    for name in ("zoo.db-shm",):
        (full / name).unlink()
    fill(full.parent)
    with Store(full, create=False) as store:
        assert [(run.seed, run.status) for run in store.runs()] == [(0, RunStatus.DONE), (1, RunStatus.STALE)]
        with pytest.raises(StoreError, match="cannot be written"):
            store.begin(RUN)


def test_writing_on_a_full_disk_is_one_line_and_loses_nothing(zoo: Zoo, full: Path, waves_csv: Path) -> None:
    fill(full.parent)
    found = zoo("bench", "cnn1d", *BENCH, "--results", str(full))
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    assert [line for line in found.stderr.splitlines() if line.startswith("error: ")][1:] == []
    (full.parent / "filler").unlink()
    with Store(full) as store:
        assert store.runs()[0].status == RunStatus.DONE
        assert store.read(store.runs()[0], "a.txt").read_bytes() == b"abc"
        assert StudyStore(store).get("mine").status == "done"
    again = zoo("bench", "cnn1d", *BENCH, "--results", str(full))
    assert again.returncode == 0
    with Store(full) as store:
        assert [run.status for run in store.runs()] == [RunStatus.DONE, RunStatus.DONE]


def test_a_disk_that_fills_up_in_the_middle_of_a_run_is_one_line_and_the_run_resumes(
    zoo: Zoo, full: Path, waves_csv: Path
) -> None:
    Path("net.py").write_text(FILLER.replace("FILLER", repr(str(full.parent / "filler"))))
    asked = ("bench", "net.py:Net", *BENCH, "--results", str(full))
    found = zoo(*asked)
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    assert "cannot be written" in found.stderr + found.stdout
    (full.parent / "filler").unlink()
    again = zoo(*asked, "--resume")
    assert again.returncode == 0
    with Store(full, create=False) as store:
        assert [run.status for run in store.runs()] == [RunStatus.DONE, RunStatus.DONE]
        assert store.runs()[1].epochs == 2


FILLER = """
import os
from torch import nn

class Net(nn.Module):
    # Fills the disk in its second epoch, once.
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))
        self.trained = 0

    def train(self, mode=True):
        self.trained += mode and self.layers[1].weight.device.type != "meta"
        if self.trained == 2 and mode and not os.path.exists("hit"):
            open("hit", "w").close()
            with open(FILLER, "wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096) == 4096:
                        pass
                except OSError:
                    pass
        return super().train(mode)

    def forward(self, x):
        return self.layers(x)
"""


def test_a_limit_on_the_size_of_files_is_one_line(tmp_path: Path) -> None:
    """Like a full disk, where none can be mounted."""
    with Store(tmp_path / "results") as store:
        kept = store.finish(replace(store.begin(RUN), status=RunStatus.DONE))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Store(tmp_path / "results") as store:
        begun = store.begin(RUN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            with pytest.raises(StoreError, match=r"a\.txt cannot be written: File too large"):
                store.finish(replace(begun, status=RunStatus.DONE), {"a.txt": b"a" * 5000})
            with pytest.raises(StoreError, match=r"zoo\.db cannot be written: "):
                store.begin(RUN)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert [run.status for run in store.runs()] == [RunStatus.DONE, RunStatus.RUNNING]
        ended = store.finish(replace(begun, status=RunStatus.DONE), {"a.txt": b"a" * 5000})
        assert store.runs() == [kept, ended]
