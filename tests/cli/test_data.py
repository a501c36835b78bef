"""`zoo data`: what a data set is, before a run."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Zoo, waves

from zoo.cli.views.sparkline import sparkline
from zoo.data.folds import CROSS_VALIDATION, Fold, part_of_each_row
from zoo.data.protocols import separate

FILE = ("--target", "kind", "--group", "patient")


def summary(zoo: Zoo, *words: str) -> dict[str, Any]:
    done = zoo("data", *words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_file_is_counted_as_a_bench_would_separate_it(zoo: Zoo, waves_csv: Path) -> None:
    found = summary(zoo, str(waves_csv), *FILE)
    series = waves()
    assert (found["name"], found["rows"], found["n_channels"], found["n_times"]) == ("waves.csv", 240, 1, 48)
    assert found["classes"] == {"a": 144, "b": 72, "c": 24}
    assert found["groups"] == {str(name): int((series.groups == name).sum()) for name in range(8)}
    assert (found["protocol"], found["lengths"], found["constant"]) == ("inter-patient", None, 0)
    parts = separate(series, "holdout", seed=0)
    sets = found["protocols"]["holdout"]["sets"]
    assert {name: each["rows"] for name, each in sets.items()} == dict(parts.summary.rows)
    assert [*sets["test"]["classes"].values()] == parts.summary.class_counts["test"]
    assert sum(sets["test"]["groups"].values()) == sets["test"]["rows"]
    assert found["protocols"]["official"]["error"].startswith("this data set has no published split")
    assert found["protocols"]["inter-patient"]["shared_groups"] == {
        "train/validation": [],
        "train/test": [],
        "validation/test": [],
    }


def test_the_folds_of_a_cross_validation_are_counted_as_a_bench_would_separate_them(zoo: Zoo, waves_csv: Path) -> None:
    found = summary(zoo, str(waves_csv), *FILE, "--cv", "4")
    series, folds = waves(), found["folds"]
    assert [len(folds), found["protocol"]] == [4, "inter-patient"]
    for number, fold in enumerate(folds, start=1):
        parts = separate(series, CROSS_VALIDATION, seed=0, fold=Fold(number, 4))
        tested = np.flatnonzero(part_of_each_row(series, Fold(1, 4)) == number - 1)
        assert [*fold["sets"]["test"]["classes"].values()] == parts.summary.class_counts["test"]
        assert fold["sets"]["test"]["groups"].keys() == {str(name) for name in series.groups[tested]}  # type: ignore[index]
    assert sum(fold["sets"]["test"]["rows"] for fold in folds) == 240
    shown = zoo("data", str(waves_csv), *FILE, "--cv", "4").stdout.splitlines()
    heading = shown.index("class\tfewest\tmost\tfold_1\tfold_2\tfold_3\tfold_4")
    assert [line.split("\t")[0] for line in shown[heading + 1 : heading + 6]] == [
        "a",
        "b",
        "c",
        "all classes",
        "number of patients",
    ]
    assert summary(zoo, str(waves_csv), *FILE)["folds"] is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--cv", "9"), "error: --cv 9: class 'a' has rows of 8 patients, and each of the 9 folds needs one"),
        (("--cv", "1"), "error: --cv must be a whole number of at least 2, not '1'"),
        (("--protocol", "cross-validation"), "error: --protocol cross-validation needs the number of folds: --cv 5"),
    ],
)
def test_folds_that_are_not_possible_are_one_line(
    zoo: Zoo, waves_csv: Path, words: tuple[str, ...], reason: str
) -> None:
    done = zoo("data", str(waves_csv), *FILE, *words)
    assert (done.returncode > 0, done.stderr.startswith(reason), done.stderr.count("\n")) == (True, True, 1)


def test_dropped_and_merged_classes_are_shown(zoo: Zoo) -> None:
    found = summary(zoo, "heartbeats", "--drop-class", "Q", "--merge-class", "S=V,F")
    assert [*found["classes"]] == ["N", "S"]
    assert found["notes"][1:] == ["2204 rows of classes V, F counted as class S", "2203 rows of class Q left out"]
    done = zoo("data", "heartbeats", "--drop-class", "X")
    assert (done.returncode, done.stderr.startswith("error: no class named 'X'")) == (2, True)


def test_values_come_from_rows_outside_the_test_set(zoo: Zoo, tmp_path: Path) -> None:
    values = np.zeros((4, 2, 6), np.float32) + np.arange(6)
    values[2:] += 1000  # the test set
    values[:, 1] *= 2
    labels = np.array([0, 1, 0, 1])
    train = np.repeat(values[:2], 5, axis=0)
    np.savez("beats.npz", X_train=train, y_train=np.repeat(labels[:2], 5), X_test=values[2:], y_test=labels[2:])
    found = summary(zoo, "beats.npz")
    assert found["protocol"] == "official"
    assert [channel["maximum"] for channel in found["channels"]] == [5, 10]
    assert [channel["mean"] for channel in found["channels"]] == [2.5, 5]
    assert found["channels"][0]["std"] == pytest.approx(np.arange(6).std())
    assert {name: example["values"] for name, example in found["examples"].items()} == {
        "0": [0, 1, 2, 3, 4, 5],
        "1": [0, 1, 2, 3, 4, 5],
    }
    assert found["protocols"]["official"]["shared_rows"]["train/validation"] == 2


def test_lengths_and_the_samples_within_them(zoo: Zoo) -> None:
    rows = np.arange(40, dtype=np.float32).reshape(10, 4) + 1
    lengths = np.array([2, 4] * 5)
    np.savez("short.npz", X=rows, y=np.array([0, 0, 1, 1] * 2 + [0, 1]), lengths=lengths)
    found = summary(zoo, "short.npz")
    assert found["lengths"] == {"shortest": 2, "median": 3, "longest": 4}
    assert found["channels"][0]["minimum"] >= 1, "padding is no sample"


def test_a_set_of_the_archive_is_named_in_its_folder(zoo: Zoo) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 24))
    for half in ("TRAIN", "TEST"):
        lines = ("\t".join(map(str, [place % 2 + 1, *row])) for place, row in enumerate(rows))
        Path(f"Waves_{half}.tsv").write_text("\n".join(lines))
    found = summary(zoo, "Waves")
    assert (found["name"], found["protocol"], found["classes"]) == ("Waves.tsv", "official", {"1": 20, "2": 20})
    done = zoo("bench", "minirocket", "--dataset", "Waves", "--json")
    assert done.returncode == 0, done.stderr
    assert found["read"] in done.stderr
    assert json.loads(done.stdout)[0]["parts"]["rows"]["test"] == 20


def test_constant_rows_are_counted_where_a_bench_refuses_them(zoo: Zoo, waves_csv: Path) -> None:
    head, *lines = waves_csv.read_text().splitlines()
    lines[3] = ",".join(["1.5"] * 48 + lines[3].split(",")[-2:])
    waves_csv.write_text("\n".join([head, *lines]))
    assert summary(zoo, str(waves_csv), *FILE)["constant"] == 1
    done = zoo("data", str(waves_csv), *FILE)
    assert "constant rows: 1, whose samples are all equal; zoo bench refuses those of a file" in done.stdout
    assert summary(zoo, str(waves_csv), *FILE, "--set", "dataset.constant=drop")["rows"] == 239
    refused = zoo("data", str(waves_csv), *FILE, "--set", "dataset.constant=error")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")


def test_what_each_resampler_makes_of_the_training_set(zoo: Zoo, waves_csv: Path) -> None:
    found = summary(zoo, str(waves_csv), *FILE, "--protocol", "holdout", "--resample")
    train = found["protocols"]["holdout"]["sets"]["train"]["classes"]
    assert found["resampled"]["original"] == train
    assert found["resampled"]["smote"] == dict.fromkeys("abc", train["a"])
    assert found["resampled"]["undersampled"] == dict.fromkeys("abc", train["c"])
    drawn = found["resampled"]["balanced-batches"]
    assert set(drawn.values()) == {round(sum(train.values()) / 3)}
    few = summary(zoo, str(waves_csv), *FILE, "--protocol", "holdout", "--rows", "12", "--resample")
    assert few["resampled"]["smote"].startswith("smote needs")


def test_the_lines_and_tables_in_a_pipe(zoo: Zoo, waves_csv: Path) -> None:
    done = zoo("data", str(waves_csv), *FILE)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "name: waves.csv",
        "size: 240 rows of 1 channel x 48 samples",
        "classes: a 144, b 72, c 24",
        "groups: 8 patients, 24 to 39 rows each",
    ]
    read = (
        'read waves.csv: 240 rows x 48 samples (t0 … t47), label "kind": 3 classes 144/72/24, group "patient": 8 values'
    )
    assert lines[4] == read
    assert summary(zoo, str(waves_csv), *FILE)["read"] == read
    assert "protocol\tclass\ttrain\tvalidation\ttest" in lines
    assert "holdout\tall classes\t173\t19\t48" in lines
    assert "official: this data set has no published split: use --protocol inter-patient" in lines
    assert "▁" not in done.stdout, "series are drawn on a terminal"


def _read(leader: int) -> str:
    """Read a terminal until its last writer closes it."""
    pieces = []
    with os.fdopen(leader, "rb", buffering=0) as terminal, contextlib.suppress(OSError):
        while piece := terminal.read(65536):
            pieces.append(piece)
    return b"".join(pieces).decode()


def test_a_terminal_shows_a_series_of_each_class(waves_csv: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "zoo", "data", str(waves_csv), *FILE]
    environment = {**os.environ, "COLUMNS": "80", "LINES": "40", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=follower, env=environment) as process:
        os.close(follower)
        text = _read(leader)
    assert process.returncode == 0
    drawn = [line for line in text.splitlines() if "  row " in line]
    assert [line.split()[0] for line in drawn] == ["a", "b", "c"]
    assert all(len(line.split()[1]) == 48 for line in drawn)
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in text.splitlines()) <= 80


def test_the_share_of_validation_rows_shows(zoo: Zoo, waves_csv: Path) -> None:
    done = zoo("data", str(waves_csv), *FILE, "--set", "training.validation=0", "--json")
    assert json.loads(done.stdout)["protocols"]["holdout"]["sets"]["validation"]["rows"] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("none.csv",), 1, "there is no file 'none.csv'"),
        (("heartbeat",), 2, "no dataset named 'heartbeat'"),
        (("heartbeats", "--protocol", "hold-out"), 2, "no protocol named 'hold-out'. Did you mean holdout?"),
        (("heartbeats", "--protocol", "holdout"), 1, "heartbeats has its own test set: use --protocol official"),
        (("heartbeats", "--set", "data.k=3"), 2, "--set data.k: zoo data accepts only parameters of the data set"),
        (("heartbeats", "--target", "kind"), 2, "--target and --group are for files"),
    ],
)
def test_bad_input_is_one_line(zoo: Zoo, words: tuple[str, ...], code: int, message: str) -> None:
    done = zoo("data", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_series_is_drawn_between_its_lowest_and_highest_mean() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 0, 7, 7, 3, 4], 3) == "▁█▅"
    assert sparkline([2.0, 2.0], 9) == "▁▁"
