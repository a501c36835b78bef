"""`zoo results`: filters, one run, and deletion."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from studies import stored, study_of
from typer.testing import CliRunner, Result

from zoo.cli.app import app
from zoo.cli.views.run import learning_curve, tables
from zoo.cli.views.sparkline import sparkline
from zoo.store.deletion import delete
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store


def run_of(**more: Any) -> Run:
    names = {"architecture": "cnngru", "dataset": "waves", "protocol": "holdout", "data": "original", "block": "none"}
    return Run(**{"id": "", "key": "k", "loss": "cross-entropy", "seed": 0, **names, **more})


def zoo(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, words, input=answer)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(Path("zoo-results")) as opened:
        yield opened


def put(store: Store, status: RunStatus = RunStatus.DONE, **more: Any) -> Run:
    begun = store.begin(run_of(key=f"k{len(store.runs())}", **more))
    return store.finish(replace(begun, status=status), {"notes.txt": b"abc"})


def ids(result: Result) -> list[str]:
    return [line.split("\t")[0] for line in result.stdout.splitlines()[1:]]


def test_filters_choose_the_listed_runs(store: Store) -> None:
    failed = put(store, RunStatus.FAILED, data="smote", error="no neighbours")
    done = put(store, block="se")
    for words, expected in (
        (["--status", "failed"], [failed]),
        (["--data", "smo*"], [failed]),
        (["--block", "se"], [done]),
        (["--dataset", "waves", "--since", "2026-01-01"], [failed, done]),
        (["--until", "2026-01-01"], []),
        ([done.id, failed.id[:5]], [done, failed]),
    ):
        assert ids(zoo("results", *words)) == [run.id for run in expected], words


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--delete"], 2, "error: --delete needs runs or a filter; --architecture '*' deletes all runs\n"),
        (["--yes"], 2, "error: --yes answers the question of --delete: name both\n"),
        (["{id}", "--status", "done"], 2, "error: name runs or filter them, not both\n"),
        (["--delete", "nope"], 2, "error: no run 'nope'. `zoo results` shows them all.\n"),
        (["--delete", ""], 2, "error: no run ''. `zoo results` shows them all.\n"),
        (["--delete", "--status", "stale"], 0, "no run to delete\n"),
        (["--delete", "{id}", "--results", "elsewhere"], 1, "error: no results in 'elsewhere': name their folder with"),
    ],
)
def test_what_cannot_be_deleted_is_one_line(store: Store, words: list[str], code: int, message: str) -> None:
    run = put(store)
    result = zoo("results", *(word.replace("{id}", run.id) for word in words))
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(message)
    assert store.runs() == [run]
    assert not Path("elsewhere").exists()


def test_deletion_lists_and_asks_first(store: Store) -> None:
    runs = [put(store, data=name) for name in ("smote", "smote", "original")]
    question = "delete 2 runs and 0.0 MiB of files? [y/N] "
    for answer, said in (("n\n", "nothing was deleted"), (None, "no answer: --yes deletes without a question")):
        result = zoo("results", "--delete", "--data", "smote", answer=answer)
        assert (result.exit_code, ids(result)) == (1, [run.id for run in runs[:2]])
        assert question in result.stderr
        assert said in result.stderr
        assert store.runs() == runs
    result = zoo("results", "--delete", "--data", "smote", answer="y\n")
    assert (result.exit_code, ids(result)) == (0, [run.id for run in runs[:2]])
    assert "deleted 2 runs and 0.0 MiB of files" in result.stderr
    assert store.runs() == runs[2:]
    assert [path.name for path in (store.folder / "runs").iterdir()] == [runs[2].id]
    assert zoo("results", runs[2].id[:4], "--delete", "--yes").exit_code == 0
    assert store.runs() == []
    assert store.database.query("SELECT * FROM artefacts") == []


def test_runs_that_are_running_or_of_a_study_are_kept(store: Store) -> None:
    running, winner, baseline, other = store.begin(run_of(key="r")), put(store), put(store), put(store)
    stored(store, replace(study_of(), run=winner.id, scored=(winner.id,), defaults=baseline.id))
    study = "belongs to study 'cnngru-optuna-0'"
    for run, reason in ((running, "is running"), (winner, study), (baseline, study)):
        refused = zoo("results", "--delete", run.id, other.id, "--yes")
        assert (refused.exit_code, refused.stderr) == (1, f"error: run {run.id} {reason}: nothing was deleted\n")
    assert len(store.runs()) == 4
    done = zoo("results", "--delete", "--architecture", "*", "--yes")
    assert (done.exit_code, ids(done)) == (0, [other.id])
    assert done.stderr.splitlines()[:3] == [
        f"kept: run {running.id} is running",
        f"kept: run {winner.id} {study}",
        f"kept: run {baseline.id} {study}",
    ]
    assert [run.id for run in store.runs()] == [running.id, winner.id, baseline.id]


def test_a_run_that_started_again_meanwhile_is_not_deleted(store: Store) -> None:
    run = put(store, RunStatus.INTERRUPTED)
    store.begin(run)
    with pytest.raises(Exception, match=f"run {run.id} is running: nothing was deleted"):
        delete(store, [run])
    assert [one.id for one in store.runs()] == [run.id]


def test_damaged_runs_can_be_deleted(store: Store) -> None:
    run = put(store)
    with closing(sqlite3.connect(store.folder / "zoo.db")) as connection, connection:
        connection.execute("UPDATE runs SET record = '{'")
        connection.execute("INSERT INTO runs (id, key, status, created, heartbeat, host, process, record) "
                           "VALUES ('../x', 'k', 'done', '', 0, '', 0, '{')")  # fmt: skip
    assert zoo("results", "--delete", "--status", "damaged", "--yes").exit_code == 0
    assert (store.runs(), store.path(run).exists()) == ([], False)


@pytest.mark.parametrize(
    ("values", "encoding", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "utf-8", "▁▂▃▄▅▆▇█"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "ascii", "_.-=+*#@"),
        ([0, 7], "latin-1", "_@"),
        ([0, 7], "no such encoding", "_@"),
        ([0.5, 0.5], "utf-8", "▁▁"),
        ([1, float("nan"), 0], "utf-8", "█ ▁"),
        ([float("inf"), float("nan")], "utf-8", "  "),
        ([], "utf-8", ""),
        ([0, 0, 1, 1, 2, 2], "utf-8", "▁▅█"),
    ],
)
def test_heights_are_values(values: list[float], encoding: str, line: str) -> None:
    assert sparkline(values, 3 if len(values) == 6 else 60, encoding) == line


HISTORY = "number,validation_loss,macro_recall,member\n"


@pytest.mark.parametrize(
    ("history", "training", "kept", "line"),
    [
        (
            "1,0.9,0.2,1\n2,0.7,0.5,1\n3,0.8,0.4,1\n",
            {},
            0,
            "validation macro recall by epoch: ▁█▆  from 0.200 to 0.400, best 0.500",
        ),
        (
            "1,0.9,0.2,1\n2,0.7,0.5,1\n3,0.8,0.4,1\n",
            {},
            3,
            "validation macro recall by epoch: ▁█▆  from 0.200 to 0.400, best 0.500, kept 0.400 (epoch 3)",
        ),
        (
            "1,0.9,0.2,1\n2,0.7,0.5,1\n",
            {"monitor": "validation_loss"},
            9,
            "validation loss by epoch: █▁  from 0.900 to 0.700, best 0.700",
        ),
        (
            "1,0.9,0.2,1\n2,0.7,0.5,1\n1,0.9,0.1,2\n2,0.7,0.6,2\n",
            {"monitor": "macro_recall"},
            1,
            "validation macro recall by epoch of each of 2 networks: ▁█  ▁█  from 0.200 to 0.600, best 0.600",
        ),
        ("1,,,1\n", {}, 0, ""),
        ("1,0.9,0.2,1\n", {}, 1, ""),
        ("1,a,b,1\n2,a,b,1\n", {}, 1, ""),
        ("1,0.9,0.2,1\n2,0.7,0.5,1\n", {"monitor": "macro_f1"}, 1, ""),  # a history of an earlier version
        (None, {}, 0, ""),
    ],
)
def test_the_learning_curve_is_that_of_the_monitored_score(
    store: Store, history: str | None, training: dict[str, str], kept: int, line: str
) -> None:
    run = store.begin(run_of(config={"training": training}))
    files = {} if history is None else {"history.csv": f"{HISTORY}{history}".encode()}
    ended = store.finish(replace(run, status=RunStatus.DONE, best_epoch=kept), files)
    assert learning_curve(store, ended, "utf-8") == line


def test_one_run_has_tables_of_its_classes() -> None:
    parts = {
        "classes": ["a", "[red]b"],
        "class_counts": {"train": [7, 3], "validation": [2, 1], "test": [3, 2]},
    }
    run = run_of(parts=parts, scores={"confusion": [[3, 0], [1, 1]]})
    found = [(title, [column.title for column in columns], rows) for title, columns, rows in tables(run)]
    assert found == [
        (
            "rows by class",
            ["class", "training rows", "validation rows", "test rows"],
            [
                {"name": "a", "train": 7, "validation": 2, "test": 3},
                {"name": "[red]b", "train": 3, "validation": 1, "test": 2},
            ],
        ),
        (
            "confusion matrix: true classes in rows, predicted classes in columns",
            ["true class", "a", "[red]b"],
            [
                {"name": "a", "predicted_0": 3, "predicted_1": 0},
                {"name": "[red]b", "predicted_0": 1, "predicted_1": 1},
            ],
        ),
    ]
    assert list(tables(run_of())) == []
