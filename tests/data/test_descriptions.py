"""Columns that describe the rows, seen by their values: in arrays, tables and `.tsv` files alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zoo import DataError
from zoo.data.counting import describing
from zoo.data.files import from_file
from zoo.data.series import Floats

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.permutation(np.repeat([0, 1, 2], 20))
NOISE = RANDOM.normal(size=(60, 12)).round(3)
DESCRIPTIONS = [
    (np.arange(60), "it counts the rows"),
    (RANDOM.permutation(60), "it numbers the rows"),
    (np.sort(RANDOM.choice(1000, 60, replace=False)), "its whole numbers are in order from the first row to the last"),
    (LABELS, "it repeats the labels"),
    (np.array([0.25, -1.5, 0.125])[LABELS], "it repeats the labels"),
    (RANDOM.integers(20, 90, 60), "it has whole numbers, the other columns have fractions"),
]


def with_column(column: Any, place: int) -> Floats:
    return np.insert(NOISE, place, column, axis=1)


def refusal(path: Path, **request: Any) -> str:
    with pytest.raises(DataError) as caught:
        from_file(path, **request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("column", "reason"), DESCRIPTIONS)
@pytest.mark.parametrize("place", [0, 5, 12])
def test_a_column_of_an_array_that_describes_the_rows_is_refused(
    tmp_path: Path, column: Any, reason: str, place: int
) -> None:
    path = tmp_path / "beats.npz"
    values = with_column(column, place)
    np.savez(path, X=values, y=LABELS)
    assert refusal(path) == (
        f"{path}: X[:, {place}] seems to be no sample: {reason}; save the series without it (a patient as groups), or "
        "with the shape (rows, 1, times) if it is a sample"
    )
    np.savez(path, X=values[:, np.newaxis], y=LABELS)
    assert from_file(path).n_times == 13
    order = RANDOM.permutation(60)
    train, test = order[:40], order[40:]
    np.savez(path, X_train=NOISE[train], y_train=LABELS[train], X_test=NOISE[test], y_test=LABELS[test])
    assert from_file(path).n_times == 12
    np.savez(path, X_train=values[train], y_train=LABELS[train], X_test=values[test], y_test=LABELS[test])
    assert f": X_train[:, {place}] seems to be no sample: it" in refusal(path)


def test_rows_in_the_order_of_their_classes() -> None:
    labels = np.repeat([2, 0, 1], 100)
    values = RANDOM.normal(size=(300, 8)).astype(np.float32)
    assert describing(values, labels) == {}
    values[:, 3] = np.array([0.25, -1.5, 0.125])[labels]
    assert describing(values, labels) == {3: "it repeats the labels"}
    values[299, 3] = 0.5
    assert describing(values, labels) == {}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (np.arange(60) / 4, "it counts the rows"),
        (np.cumsum(RANDOM.uniform(0.1, 1, 60)), "its numbers are in order from the first row to the last"),
        (LABELS == 1, "it repeats the labels"),
        (
            RANDOM.permutation(50_000)[:60],
            "its numbers all differ, and spread far wider than those of the other columns",
        ),
    ],
)
def test_other_columns_that_describe_rows_beside_whole_numbers(column: Any, reason: str) -> None:
    counts = (NOISE * 200 + 1024).round()
    assert describing(np.insert(counts, 4, column, axis=1).astype(np.float32), LABELS) == {4: reason}
    assert describing(counts.astype(np.float32), LABELS) == {}


def test_pulses_of_a_class_are_samples() -> None:
    values = np.zeros((60, 30), np.float32)
    values[LABELS == 1, 10:20] = 1
    values[LABELS == 2, 5:25] = -1
    assert describing(values, LABELS) == {}
    values[:] = 0
    values[:, 7] = RANDOM.integers(400, 600, 60)
    assert describing(values, LABELS) == {}, "one peak in each series"


@pytest.mark.parametrize(("column", "reason"), DESCRIPTIONS)
def test_a_numbered_column_of_a_table_that_describes_the_rows_is_refused(
    tmp_path: Path, column: Any, reason: str
) -> None:
    path = tmp_path / "beats.csv"
    frame = pd.DataFrame(with_column(column, 12), columns=[f"t{place}" for place in range(13)]).assign(y=LABELS)
    frame.to_csv(path, index=False)
    assert refusal(path, target="y").startswith(f"{path}: column 't12' seems to be no sample: {reason}; leave it out")
    assert from_file(path, target="y", drop="t12").n_times == 12
    assert from_file(path, target="y", columns="t0:t11,t12").n_times == 13


@pytest.mark.parametrize("column", ["uid2", "subject1", "Zeit"])
def test_one_name_with_a_word_of_its_own_among_numbered_names_is_refused(tmp_path: Path, column: str) -> None:
    path = tmp_path / "beats.csv"
    frame = pd.DataFrame(NOISE, columns=[f"t{place}" for place in range(12)]).assign(y=LABELS)
    for name, value in ((column, RANDOM.normal(size=60)), ("rate", 0.5)):
        frame[name] = value
    frame.to_csv(path, index=False)
    message = refusal(path, target="y")
    assert f"{column!r}" in message
    assert "(the names of the other columns are numbered)" in message
    assert "seem to be no samples; leave them out with --drop " in message
    assert from_file(path, target="y", drop=f"{column},rate").n_times == 12


@pytest.mark.parametrize(
    "names",
    [
        ["1e-05", "0.0001", "0.001", *map(str, range(1, 10))],
        [f"t{place}" for place in range(-1, 11)],
        ["X0", *(f"x{place}" for place in range(1, 12))],
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"],
        [f"{channel}{place}" for channel in ("x", "y", "z") for place in range(4)],
    ],
)
def test_names_of_samples(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "beats.csv"
    pd.DataFrame(NOISE, columns=names).assign(label=LABELS).to_csv(path, index=False)
    np.testing.assert_array_equal(from_file(path, target="label").values[:, 0], NOISE.astype(np.float32))


def test_samples_that_look_like_descriptions_are_samples(tmp_path: Path) -> None:
    path = tmp_path / "beats.npz"
    ends = NOISE.copy()
    ends[:, [0, -1]] = [1, 0]  # as where each series is scaled to its first sample
    for values in (ends, RANDOM.integers(-99, 99, (60, 12)), (NOISE > 0) + np.arange(12), np.eye(3)[LABELS]):
        np.savez(path, X=values, y=LABELS)
        np.testing.assert_array_equal(from_file(path).values[:, 0], values.astype(np.float32))


@pytest.mark.parametrize("form", ["csv", "npz", "tsv"])
def test_a_label_that_is_another_one_in_each_row_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"beats.{form}"
    if form == "npz":
        np.savez(path, X=NOISE, y=np.arange(60))
    else:
        pd.DataFrame(NOISE).to_csv(path, sep="\t" if form == "tsv" else ",", header=False)
    message = refusal(path, **({"target": "0"} if form == "csv" else {}))
    assert "has another value in each of 60 rows, as an index or an id has; name the labels with --target" in message


def test_a_column_of_a_tsv_file_that_describes_the_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "beats.tsv"
    frame = pd.DataFrame(with_column(np.arange(60), 0))
    frame.insert(0, "label", LABELS)
    frame.to_csv(path, sep="\t", header=False, index=False)
    assert refusal(path).startswith(f"{path}: column '1' seems to be no sample: it counts the rows; remove the column")
    numbers = frame.drop(columns=0).set_axis(range(13), axis=1)
    numbers.to_csv(path, sep="\t", index=False)
    assert "the first line seems to hold column names; remove it, or name the labels with --target" in refusal(path)
    numbers.to_csv(path, sep="\t", header=False, index=False, decimal=",")
    found = from_file(path)
    np.testing.assert_array_equal(found.values[:, 0], NOISE.astype(np.float32))
    assert found.read.endswith("label first, no header, decimal comma")
    path.write_text("1\t1,234\t2,345\n2\t2,345\t1,234\n" * 5)
    assert "use --set 'dataset.decimal=\",\"' for decimals" in refusal(path)
    assert from_file(path, decimal=",").values[0, 0].tolist() == np.float32([1.234, 2.345]).tolist()
