"""A damaged record is a row with the reason, and no id or name in a store leads to a file outside its folder."""

import json
import os
import random
import shutil
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import WAVES, Zoo
from studies import stored, study_of
from typer.testing import CliRunner

import zoo as api
from zoo.cli.app import app
from zoo.errors import DamagedRecord, StoreError, UnknownName, ZooError
from zoo.store.files import write_atomically
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import DamagedStudy, StudyStore

EARLIER = Path(__file__).parents[1] / "store" / "earlier"  # nine runs, one study
RUN = Run(id="", key="k", architecture="a", dataset="d", protocol="p", data="original", loss="l", seed=0)
ONE = "f7e6ab63"
BENCH = (*WAVES, "--protocol", "holdout", "--threads", "1")
# Each is an assignment to columns of one run.
CHANGES = {
    "no JSON": "record = '{broken'",
    "nothing": "record = ''",
    "a list": "record = '[]'",
    "an empty object": "record = '{}'",
    "NaN": "record = json_set(record, '$.scores.macro_recall.value', 'x')",
    "a text for a number": "record = json_set(record, '$.seed', 'zero')",
    "a number for a text": "record = json_set(record, '$.architecture', 7)",
    "a list for scores": "record = json_set(record, '$.scores', json('[1]'))",
    "a text for the environment": "record = json_set(record, '$.environment', 'x')",
    "no UTF-8": "record = CAST(x'7b22ff227d' AS TEXT)",
    "bytes": "record = x'00ff00ff'",
    "a number": "record = 5",
    "deep nesting": f"record = '{'[' * 100_000}'",
    "an unknown status": "status = 'fine'",
    "another key": "key = 'k'",
    "another id in the record": "record = json_set(record, '$.id', '00000000')",
    "a path in the record": "record = json_set(record, '$.id', '../../victim')",
    "a path": "id = '../../victim', record = json_set(record, '$.id', '../../victim')",
    "an absolute path": "id = '/victim', record = json_set(record, '$.id', '/victim')",
    "a long id": "id = 'f7e6ab630', record = json_set(record, '$.id', 'f7e6ab630')",
    "an id in capitals": "id = 'F7E6AB63', record = json_set(record, '$.id', 'F7E6AB63')",
    "bytes for an id": "id = x'3132333435363738', record = json_set(record, '$.id', '12345678')",
    "running, with a text as heartbeat": "status = 'running', heartbeat = 'x'",
    "running, in process -1": "status = 'running', heartbeat = 9e9, process = -1",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a store with nine runs and one study."""
    return Path(shutil.copytree(EARLIER, tmp_path / "zoo-results"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def change(folder: Path, sql: str, *parameters: object) -> None:
    """Write to the database past the store."""
    with closing(sqlite3.connect(folder / "zoo.db")) as connection, connection:
        connection.execute(sql, parameters)


@pytest.mark.parametrize("name", CHANGES)
def test_one_damaged_record_is_a_row_that_says_so(folder: Path, name: str) -> None:
    change(folder, f"UPDATE runs SET {CHANGES[name]} WHERE id = '{ONE}'")
    with Store(folder, create=False) as store:
        found = store.runs()
        assert len(found) == 9
        assert [run.status for run in found[1:]].count(RunStatus.DAMAGED) == 0
        assert (found[0].status, found[0].error != "", "\n" in found[0].error) in [
            (RunStatus.DAMAGED, True, False),
            (RunStatus.STALE, False, False),
        ]
        if found[0].status == RunStatus.DAMAGED:
            with pytest.raises((DamagedRecord, UnknownName), match=r"zoo\.db: the record of run .* is dam|no run \"b'"):
                store.get(found[0].id)
            assert store.find(found[0].id) is None


def test_the_commands_show_what_is_left_and_name_the_damaged_run(zoo: Zoo, folder: Path) -> None:
    change(folder, f"UPDATE runs SET record = '{{}}' WHERE id = '{ONE}'")
    listed = zoo("results")
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 10)
    assert listed.stdout.splitlines()[1].split("\t")[:2] == [ONE, "damaged"]
    as_json = json.loads(zoo("results", "--json").stdout)
    assert (as_json[0]["id"], as_json[0]["status"], as_json[0]["scores"]) == (ONE, "damaged", {})
    assert "missing required field" in as_json[0]["error"]
    board = zoo("leaderboard")
    assert board.returncode == 0
    assert "note: 1 damaged run left out; `zoo results` shows why" in board.stderr
    assert "f7e6ab63" not in board.stdout
    shown = zoo("results", ONE)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr.startswith("error: zoo-results/zoo.db: the record of run f7e6ab63 is damaged: ")
    assert len(shown.stderr.splitlines()) == 1


def test_a_damaged_study_is_a_row_that_says_so(zoo: Zoo, folder: Path) -> None:
    with Store(folder) as store:
        stored(store, study_of(name="mine"))
    change(folder, "UPDATE studies SET record = json_set(record, '$.space', 5) WHERE name = 'earlier'")
    listed = zoo("studies")
    assert listed.returncode == 0
    assert [line.split("\t")[:2] for line in listed.stdout.splitlines()[1:]] == [
        ["earlier", "damaged"],
        ["mine", "done"],
    ]
    first, second = json.loads(zoo("studies", "--json").stdout)
    assert (first["name"], first["status"], sorted(first)) == ("earlier", "damaged", ["error", "name", "status"])
    assert second["name"] == "mine"
    shown = zoo("studies", "show", "earlier")
    assert (shown.returncode, len(shown.stderr.splitlines())) == (1, 1)
    assert "zoo.db: the record of study earlier is damaged: " in shown.stderr
    resumed = zoo("tune", "--resume", "earlier")
    assert (resumed.returncode, "the record of study earlier is damaged" in resumed.stderr) == (1, True)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE studies SET record = '{}'",
        "UPDATE studies SET record = json_remove(record, '$.request.metric')",
        "UPDATE studies SET record = json_set(record, '$.request.metric', 'luck')",
        "UPDATE studies SET record = json_set(record, '$.request.trials', 'many')",
        "UPDATE studies SET record = json_set(record, '$.space.hidden', 5)",
        "UPDATE studies SET record = json_set(record, '$.scored', 5)",
        "UPDATE studies SET status = 'fine'",
        "UPDATE studies SET created = x'00'",
        "UPDATE studies SET name = '../../victim'",
        "UPDATE studies SET name = '..'",
        "UPDATE trials SET number = '../../victim' WHERE number = 1",
        "UPDATE trials SET number = -1 WHERE number = 1",
        "UPDATE trials SET config = '[]' WHERE number = 1",
        "UPDATE trials SET value = 9e999 WHERE number = 1",
        "UPDATE trials SET status = 'fine' WHERE number = 1",
        "UPDATE epochs SET value = 'x' WHERE number = 1",
    ],
)
def test_a_damaged_study_does_not_hide_another(folder: Path, sql: str) -> None:
    with Store(folder) as store:
        stored(store, study_of(name="mine"))
    change(folder, "UPDATE studies SET name = 'a' || name")
    for table in ("trials", "epochs", "events"):
        change(folder, f"UPDATE {table} SET study = 'a' || study")
    table = sql.split()[1]
    where = f"{'study' if table != 'studies' else 'name'} = 'amine'"
    change(folder, f"{sql} {'AND' if 'WHERE' in sql else 'WHERE'} {where}")
    with Store(folder, create=False) as store:
        first, second = StudyStore(store).listed()
        assert not isinstance(first, DamagedStudy)
        assert isinstance(second, DamagedStudy)
        assert "\n" not in second.error
        assert [study.name for study in StudyStore(store).studies()] == ["aearlier"]


def test_an_edited_id_neither_writes_nor_removes_outside_the_store(zoo: Zoo, tmp_path: Path, waves_csv: Path) -> None:
    victim = tmp_path / "victim"
    (victim / "checkpoint").mkdir(parents=True)
    (victim / "checkpoint" / "state.pt").write_text("precious")
    asked = ("bench", "cnn1d", *BENCH, "--epochs", "1")
    assert zoo(*asked).returncode == 0
    for sql in (
        "UPDATE runs SET status = 'interrupted', record = json_set(record, '$.id', ?1, '$.status', 'interrupted')",
        "UPDATE runs SET id = ?1, status = 'running', heartbeat = 0, record = json_set(record, '$.id', ?1)",
    ):
        change(tmp_path / "zoo-results", sql, "../../victim")
        assert zoo(*asked, "--resume").returncode == 0
        with Store(tmp_path / "zoo-results", create=False) as store:
            assert [run.status for run in store.runs()] == [RunStatus.DAMAGED, RunStatus.DONE]
        change(tmp_path / "zoo-results", "DELETE FROM runs WHERE rowid = (SELECT max(rowid) FROM runs)")
    assert [path.relative_to(victim).as_posix() for path in sorted(victim.rglob("*"))] == [
        "checkpoint",
        "checkpoint/state.pt",
    ]
    assert (victim / "checkpoint" / "state.pt").read_text() == "precious"


@pytest.mark.parametrize("identifier", ["../../victim", "/victim", "", ".", "..", "A" * 8, "a" * 7, "aaaaaaa\n", "a/b"])
def test_no_path_is_made_for_an_id_that_is_none(store: Store, identifier: str) -> None:
    run = replace(RUN, id=identifier)
    uses: list[Callable[[], Any]] = [
        lambda: store.path(run),
        lambda: store.checkpoint(run),
        lambda: store.finish(run, {"a.txt": b"a"}),
    ]
    for use in uses:
        with pytest.raises(StoreError, match="is not the id of a run: eight hexadecimal digits"):
            use()
    for name in ("../a", "/a", "a/../../b", "a//b", "."):
        with pytest.raises(StoreError, match="is no name of a file in"):
            store.path(replace(RUN, id="a" * 8), name)
    for name in ("..", "../victim", "a/b", ""):
        with pytest.raises(StoreError, match="is no name of a file in"):
            store.study_folder(name)


def linked(folder: Path, link: str) -> Path:
    """Move a part of the run in `folder` outside, with a symbolic link in its place; return where it is now."""
    (run,) = (folder / "runs").iterdir()
    (run / "checkpoint").mkdir(exist_ok=True)
    for name in ("state.pt", "state-2.pt"):
        (run / "checkpoint" / name).write_bytes(b"state")
    place, victim = folder / link.replace("ID", run.name), folder.parent / "victim"
    shutil.move(place, victim)
    place.symlink_to(victim)
    return victim


@pytest.mark.parametrize("link", ["runs/ID", "runs/ID/checkpoint", "runs/ID/checkpoint/state-2.pt"])
def test_a_symbolic_link_is_not_followed(store: Store, link: str) -> None:
    run = store.finish(replace(store.begin(RUN), status=RunStatus.INTERRUPTED), {"a.txt": b"a"})
    victim = linked(store.folder, link)
    before = contents(victim)
    uses: list[Callable[[], Any]] = [lambda: store.checkpoint(run), lambda: store.unfinished("k")]
    if link == "runs/ID":
        uses += [lambda: store.read(run, "a.txt"), lambda: store.finish(run, {"a.txt": b"b"})]
    for use in uses:
        with pytest.raises(StoreError, match="is a symbolic link, which a results folder must not contain"):
            use()
    assert contents(victim) == before


def test_a_symbolic_link_is_one_line_of_the_command(zoo: Zoo, tmp_path: Path, waves_csv: Path) -> None:
    asked = ("bench", "cnn1d", *BENCH, "--epochs", "1")
    assert zoo(*asked).returncode == 0
    change(tmp_path / "zoo-results", "UPDATE runs SET status = 'interrupted'")
    victim = linked(tmp_path / "zoo-results", "runs/ID/checkpoint/state.pt")
    found = zoo(*asked, "--resume")
    assert (found.returncode, "Traceback" in found.stderr, victim.read_bytes()) == (1, False, b"state")
    assert "state.pt is a symbolic link, which a results folder must not contain" in found.stderr.splitlines()[-1]
    (tmp_path / "victim").rename(tmp_path / "runs")
    shutil.rmtree(tmp_path / "zoo-results" / "runs")
    (tmp_path / "zoo-results" / "runs").symlink_to(tmp_path)
    assert "'runs' in it is not a folder" in zoo(*asked).stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["model.safetensors", "predictions.parquet"])
def test_a_file_that_is_a_symbolic_link_is_not_read(zoo: Zoo, folder: Path, name: str) -> None:
    path = folder / "runs" / ONE / name
    path.rename(folder.parent / name)
    path.symlink_to(folder.parent / name)
    if name == "predictions.parquet":
        found = zoo("results", ONE)
        assert (found.returncode, "is a symbolic link" in found.stderr) == (1, True)
    else:
        with pytest.raises(StoreError, match="is a symbolic link"):
            api.load(ONE, results=folder)


def test_a_database_that_is_a_symbolic_link_is_refused(zoo: Zoo, folder: Path) -> None:
    (folder / "zoo.db").rename(folder.parent / "zoo.db")
    (folder / "zoo.db").symlink_to(folder.parent / "zoo.db")
    before = (folder.parent / "zoo.db").read_bytes()
    for words in (("results",), ("bench", "cnn1d")):
        found = zoo(*words)
        assert (found.returncode, "zoo.db is a symbolic link" in found.stderr) == (1, True)
    assert (folder.parent / "zoo.db").read_bytes() == before


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_link_beside_the_database_is_refused(folder: Path, suffix: str) -> None:
    (folder.parent / "victim").write_text("precious")
    (folder / f"zoo.db{suffix}").symlink_to(folder.parent / "victim")
    for create in (True, False):
        with pytest.raises(StoreError, match=rf"zoo\.db{suffix} is a symbolic link"):
            Store(folder, create=create)
    assert (folder.parent / "victim").read_text() == "precious"


def test_a_journal_that_names_another_file_is_refused(folder: Path) -> None:
    """SQLite removes the file that the end of a journal names."""
    victim = folder.parent / "victim"
    victim.write_text("precious")
    magic, name = bytes.fromhex("d9d505f920a163d7"), bytes(victim)
    pages = (folder / "zoo.db").stat().st_size // 4096
    header = (magic + struct.pack(">5I", 0, 0, pages, 512, 4096)).ljust(512, b"\0")
    end = struct.pack(">I", 2**30 // 4096 + 1) + name + struct.pack(">2I", len(name), sum(name)) + magic
    (folder / "zoo.db-journal").write_bytes(header + end)
    for create in (True, False):
        with pytest.raises(StoreError, match=r"zoo\.db-journal names another file, which SQLite would remove"):
            Store(folder, create=create)
    assert victim.read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(folder: Path) -> None:
    run = replace(RUN, id=ONE)
    with Store(folder) as store:
        (folder / "runs" / ONE / "model.safetensors").unlink()
        os.mkfifo(folder / "runs" / ONE / "model.safetensors")
        with pytest.raises(StoreError, match="cannot be read: it is not a file"):
            store.read(run, "model.safetensors")
        (folder / "runs" / ONE / "checkpoint").mkdir()
        os.mkfifo(folder / "runs" / ONE / "checkpoint" / "state.pt")
        with pytest.raises(StoreError, match=r"state\.pt is not a file"):
            store.checkpoint(run)
    (folder / "zoo.db").unlink()
    os.mkfifo(folder / "zoo.db")
    with pytest.raises(StoreError, match=r"zoo\.db is not a file"):
        Store(folder)
    with pytest.raises(StoreError, match="no results in"):
        Store(folder, create=False)


def test_the_folder_of_a_study_with_a_symbolic_link_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    inner = store.study_folder("mine")
    inner.mkdir(parents=True)
    (inner / "1.pt").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError, match=r"1\.pt is a symbolic link"):
        store.study_folder("mine")
    shutil.rmtree(inner)
    inner.symlink_to(tmp_path)
    with pytest.raises(StoreError, match="mine is a symbolic link"):
        store.study_folder("mine")


def test_a_temporary_name_that_is_a_symbolic_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / f".a.txt.{os.getpid()}").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError, match=r"a\.txt cannot be written"):
        write_atomically(tmp_path / "a.txt", b"mine")
    assert (tmp_path / "victim").read_text() == "precious"
    write_atomically(tmp_path / "a.txt", b"mine")


ODD = (None, True, -1, 2**70, 1.5, "", "x", "../../victim", [], [1], {}, {"a": 1}, [[]], "\ud800", "é" * 400)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, (*path, number))


def changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The value with something else at a place."""
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], odd)
    return copy


@pytest.mark.parametrize("number", [30, pytest.param(600, marks=pytest.mark.slow)])
def test_no_change_of_a_record_is_a_traceback(
    folder: Path, number: int, record_property: Callable[[str, object], None]
) -> None:
    """Changes at random places of the record of a run and of a study, each shown by one of the views."""
    views = {
        "runs": (("results",), ("results", "--json"), ("results", ONE), ("leaderboard", "--json"), ("leaderboard",)),
        "studies": (("studies",), ("studies", "--json"), ("studies", "show", "earlier")),
    }
    chosen = random.Random(number)
    for table, column, name in (("runs", "id", ONE), ("studies", "name", "earlier")):
        with closing(sqlite3.connect(folder / "zoo.db")) as connection:
            (text,) = connection.execute(f"SELECT record FROM {table} WHERE {column} = ?", (name,)).fetchone()
        record = json.loads(text)
        for place in chosen.choices(list(places(record)), k=number):
            broken = json.dumps(changed(record, place, chosen.choice(ODD)))
            change(folder, f"UPDATE {table} SET record = ? WHERE {column} = ?", broken, name)
            result = CliRunner().invoke(app, chosen.choice(views[table]))
            assert result.exception is None or isinstance(result.exception, ZooError | SystemExit), (place, broken)
        change(folder, f"UPDATE {table} SET record = ? WHERE {column} = ?", text, name)
    record_property("faults", 2 * number)


def contents(path: Path) -> dict[str, bytes]:
    """The files at a path, by their names."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()}
