"""The store of studies: who may write one, its trials and epochs, and the order of what the searcher did."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from studies import stored, study_of

from zoo.errors import StoreError, UnknownName, UsageError
from zoo.store.heartbeat import clock, start_of
from zoo.store.runs import Store
from zoo.store.schema import MIGRATIONS
from zoo.store.studies import Event, StudyStore
from zoo.store.study import Study, Trial

# What every stored request has.
REQUEST = {"seed": 1, "architecture": "a", "search": "random", "scheduler": "none", "metric": "accuracy", "trials": 2}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


@pytest.fixture
def studies(store: Store) -> StudyStore:
    return StudyStore(store)


def named(name: str, **request: object) -> Study:
    return replace(study_of((), name=name, **request), status="running")


def owned_by(store: Store, name: str, process: int, beat: float = 0.0, host: str = "") -> None:
    """Makes a study one of another process, whose last beat was so many seconds ago."""
    values = (process, start_of(process) or 0.0, clock() - beat, host or socket.gethostname(), name)
    with store.database.transaction() as connection:
        connection.execute("UPDATE studies SET process = ?, start = ?, heartbeat = ?, host = ? WHERE name = ?", values)


def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_a_study_comes_back_as_it_was_written_with_the_oldest_first(store: Store, studies: StudyStore) -> None:
    first = stored(store, study_of(("done", "failed", "pruned"), name="b"))
    second = stored(store, study_of(("done",), name="a"))
    assert studies.studies() == [first, second]
    assert (studies.names(), studies.get("b")) == ({"a", "b"}, first)
    trials = [(each.status, each.value, each.epochs, each.seconds, each.reason, each.history) for each in first.trials]
    asked = study_of(("done", "failed", "pruned")).trials
    assert trials[0] == ("done", asked[0].value, 2, 1.5, "", asked[0].history)
    assert trials[1] == ("failed", None, 0, 0.0, asked[1].reason, ())
    assert [each.config for each in first.trials] == [each.config for each in asked]
    assert all(each.started and each.finished for each in first.trials)


def test_all_of_a_study_is_kept_but_for_its_trials(studies: StudyStore) -> None:
    begun = studies.create(study_of((), name="mine"))
    assert (begun.status, begun.created[:2]) == ("running", "20")
    assert studies.create(named("later"), status="waiting") == studies.get("later")
    assert studies.get("later").status == "waiting"
    more = {"finished": "f", "winner": 3, "run": "r", "scored": ("r", "s"), "defaults": "d", "notes": ("n", "m")}
    studies.update(replace(begun, status="done", **more))
    assert studies.get("mine") == replace(begun, status="done", **more)


def test_a_name_is_given_once(studies: StudyStore) -> None:
    studies.create(named("mine"))
    with pytest.raises(UsageError, match="study 'mine' already exists: resume it with --resume mine"):
        studies.create(named("mine"))
    assert len(studies.studies()) == 1
    with pytest.raises(UnknownName, match=r"no study named 'mien'\. Did you mean mine\?"):
        studies.get("mien")


def test_a_study_that_another_process_is_at_is_not_taken(store: Store, studies: StudyStore) -> None:
    study = studies.create(named("mine"))
    studies.take(study)  # one's own is no other's
    owned_by(store, "mine", os.getppid())
    assert studies.get("mine").status == "running"
    with pytest.raises(UsageError, match=f"running in process {os.getppid()} on {socket.gethostname()}: wait until"):
        studies.take(study)
    studies.update(replace(study, status="interrupted"))
    studies.take(study)


@pytest.mark.parametrize("how", ["gone", "silent", "silent elsewhere"])
def test_a_study_whose_process_is_gone_is_interrupted_and_can_be_taken(
    store: Store, studies: StudyStore, how: str
) -> None:
    study = studies.create(named("mine", trials=2))
    for number in (1, 2):
        studies.propose("mine", number, {})
    studies.end("mine", Trial(number=1, config={}, status="done", value=0.5), 0.5)
    assert [trial.status for trial in studies.get("mine").trials] == ["done", "running"]
    if how == "gone":
        owned_by(store, "mine", gone())
    else:
        owned_by(store, "mine", os.getppid(), beat=61.0, host="elsewhere" if "elsewhere" in how else "")
    broken = studies.get("mine")
    assert (broken.status, [trial.status for trial in broken.trials]) == ("interrupted", ["done", "interrupted"])
    studies.take(replace(study, notes=("taken",)))
    mine = studies.get("mine")
    assert (mine.status, mine.notes) == ("running", ("taken",))
    owner = store.database.query("SELECT host, process FROM studies")
    assert owner == [(socket.gethostname(), os.getpid())]


def test_a_study_of_another_host_that_beats_is_alive(store: Store, studies: StudyStore) -> None:
    studies.create(named("mine"))
    owned_by(store, "mine", gone(), beat=1.0, host="elsewhere")
    assert studies.get("mine").status == "running"


def test_a_heartbeat_is_of_its_study_alone(store: Store, studies: StudyStore) -> None:
    for name in ("mine", "other"):
        studies.create(named(name))
        owned_by(store, name, os.getpid(), beat=50.0)
    studies.heartbeat("mine")._say_alive()
    ages = {name: clock() - beat for name, beat in store.database.query("SELECT name, heartbeat FROM studies")}
    assert ages["mine"] < 10 < 45 < ages["other"]


def test_each_epoch_is_kept_once_and_belongs_to_its_trial(studies: StudyStore) -> None:
    for name in ("mine", "other"):
        studies.create(named(name))
        for number in (1, 2):
            studies.propose(name, number, {"a": number})
    studies.add_epochs("mine", 2, 0.3, [(1, 0.3, 2.0)])
    studies.add_epochs("mine", 1, 0.4, [(1, 0.4, 1.0)])
    studies.add_epochs("mine", 2, 0.5, [(1, 0.3, 2.0), (2, 0.5, 4.0)])
    studies.add_epochs("other", 2, 0.9, [(1, 0.9, 8.0)])
    first, second = studies.get("mine").trials
    assert (first.value, first.epochs, first.seconds, first.history) == (0.4, 1, 1.0, ((1, 0.4),))
    assert (second.value, second.epochs, second.seconds, second.history) == (0.5, 2, 6.0, ((1, 0.3), (2, 0.5)))
    assert studies.trial("mine", 2) == second
    assert studies.epochs("mine") == [(2, 1, 0.3), (1, 1, 0.4), (2, 2, 0.5)]
    assert studies.spent("mine") == [(2, 1, 0.3, 2.0), (1, 1, 0.4, 1.0), (2, 2, 0.5, 4.0)]
    assert [trial.epochs for trial in studies.get("other").trials] == [0, 1]


def test_starts_are_counted_and_the_first_is_when_the_trial_started(store: Store, studies: StudyStore) -> None:
    studies.create(named("mine"))
    for number in (1, 2):
        studies.propose("mine", number, {})
    assert (studies.starts("mine", 1), studies.trial("mine", 1).started) == (0, "")
    studies.start("mine", 1)
    with store.database.transaction() as connection:
        connection.execute("UPDATE trials SET started = 'then' WHERE number = 1")
    studies.interrupt("mine")
    assert studies.trial("mine", 1).status == "interrupted"
    studies.start("mine", 1)
    trial = studies.trial("mine", 1)
    assert (studies.starts("mine", 1), trial.started, trial.status) == (2, "then", "running")
    assert (studies.starts("mine", 2), studies.trial("mine", 2).started) == (0, "")


def test_what_the_searcher_did_is_kept_in_order_with_the_end_of_each_trial(studies: StudyStore) -> None:
    for name in ("mine", "other"):
        studies.create(named(name))
        for number in (1, 2, 3):
            studies.propose(name, number, {})
    studies.end("mine", Trial(number=2, config={}, status="diverged", value=0.4, reason="nan"), 0.0)
    studies.end("mine", Trial(number=1, config={}, status="done", value=0.5), 0.5)
    studies.interrupt("mine")
    assert studies.events("mine") == [
        *(Event("proposed", number, None) for number in (1, 2, 3)), Event("told", 2, 0.0), Event("told", 1, 0.5)
    ]  # fmt: skip
    mine = [(trial.status, trial.value, trial.reason, trial.finished != "") for trial in studies.get("mine").trials]
    assert mine == [("done", 0.5, "", True), ("diverged", 0.4, "nan", True), ("interrupted", None, "", False)]
    assert [trial.status for trial in studies.get("other").trials] == ["running"] * 3


def test_a_record_of_another_version_is_read_and_a_damaged_one_is_said(store: Store, studies: StudyStore) -> None:
    studies.create(named("mine"))
    with store.database.transaction() as connection:
        text = json.dumps({"request": REQUEST, "space": {}, "of_later": 1})
        connection.execute("UPDATE studies SET record = ?", (text,))
    old = studies.get("mine")
    assert (old.request, old.scored, old.notes, old.defaults) == (REQUEST, (), (), "")
    for text in ("{", "[]", "{}"):
        with store.database.transaction() as connection:
            connection.execute("UPDATE studies SET record = ?", (text,))
        with pytest.raises(StoreError, match=r"zoo\.db: the record of study mine is damaged"):
            studies.get("mine")


def test_a_store_from_before_there_were_studies_has_none(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "zoo.db")) as connection, connection:
        connection.executescript(MIGRATIONS[0] + "PRAGMA user_version = 1;")
    with Store(tmp_path, create=False) as old:
        assert (StudyStore(old).studies(), StudyStore(old).names()) == ([], set())
        with pytest.raises(UnknownName, match="no study named 'mine'"):
            StudyStore(old).get("mine")


def test_a_store_of_the_version_that_brought_studies_is_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "zoo.db")) as connection, connection:
        connection.executescript(MIGRATIONS[0] + MIGRATIONS[1] + "PRAGMA user_version = 2;")
        record = json.dumps({"request": REQUEST, "space": {}})
        connection.execute("INSERT INTO studies VALUES ('mine', 'done', 'then', 0, 'h', 1, '', ?)", (record,))
    with Store(tmp_path, create=False) as old:
        (study,) = StudyStore(old).studies()
    assert (study.name, study.status, study.created, study.trials) == ("mine", "done", "then", ())
