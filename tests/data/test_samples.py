"""Columns that are no samples: refused by name or by content, and left out on request."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zoo import DataError, UsageError
from zoo.data.files import from_file
from zoo.data.series import LabelledSeries

NAMES = [f"t{place}" for place in range(12)]
RANDOM = np.random.default_rng(0)
# Pure noise, rows sorted by class: an index would tell the classes apart.
NOISE = pd.DataFrame(RANDOM.normal(size=(60, 12)).round(3), columns=NAMES).assign(label=np.repeat(["a", "b", "c"], 20))


def refusal(path: Path, **request: Any) -> str:
    with pytest.raises(DataError) as caught:
        from_file(path, **{"target": "label"} | request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_is_noise(found: LabelledSeries) -> None:
    np.testing.assert_array_equal(found.values[:, 0], NOISE[NAMES].to_numpy(np.float32))
    assert found.classes == ("a", "b", "c")


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    "column",
    ["id", "index", "patient", "subject_id", "PatientID", "record", "age", "Sex", "fold", "split", "time", "class"],
)
def test_a_column_whose_name_describes_the_row_is_refused(tmp_path: Path, form: str, column: str) -> None:
    path = tmp_path / f"beats.{form}"
    frame = NOISE.assign(**{column: RANDOM.integers(0, 90, 60)})
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    message = refusal(path)
    assert message.startswith(f"{path}: column {column!r} seems to be no sample: its name describes the row; ")
    assert f"leave it out with --drop {column}, name it with --group {column} if it is the patient, or list" in message
    found = from_file(path, target="label", drop=column)
    assert_is_noise(found)
    assert f"left out: {column}" in found.read
    assert_is_noise(from_file(path, target="label", group=column))
    kept = from_file(path, target="label", columns=f"t*,{column}")
    assert kept.n_times == 13, "the user has listed it"


def test_an_index_that_pandas_wrote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    NOISE.to_csv(path, index_label="id")
    assert "column 'id' seems to be no sample: it" in refusal(path)
    NOISE.to_csv(path)
    message = refusal(path)
    assert message == (
        f"{path}: column 1 of 14 has no name; name it, or leave it out with --drop 'Unnamed: 0' if it only numbers "
        "the rows"
    )
    assert_is_noise(from_file(path, target="label", drop="Unnamed: 0"))
    pd.read_csv(path).to_csv(path, index=False)
    assert "column 1 of 14 has no name; " in refusal(path)
    NOISE.reset_index(names="level_0").to_csv(path, index=False)
    assert "--drop level_0" in refusal(path)


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        (range(60), "it counts the rows"),
        (range(100, 40, -1), "it counts the rows"),
        (range(0, 600, 10), "it counts the rows"),
        (RANDOM.permutation(60), "it numbers the rows"),
        (np.sort(RANDOM.choice(1000, 60, replace=False)), "its whole numbers are in order"),
        (np.repeat([100, 105, 234], 20), "its whole numbers are in order"),
    ],
)
@pytest.mark.parametrize("header", [True, False])
def test_whole_numbers_that_number_the_rows_are_refused(
    tmp_path: Path, numbers: Any, reason: str, header: bool
) -> None:
    path = tmp_path / "beats.csv"
    frame = NOISE.assign(n=numbers)[["n", *NAMES, "label"]]
    frame.to_csv(path, index=False, header=header)
    name = "n" if header else "0"
    assert refusal(path, target="-1").startswith(f"{path}: column {name!r} seems to be no sample: {reason}")
    assert_is_noise(from_file(path, target="-1", drop=name))


def test_series_that_all_count_are_series(tmp_path: Path) -> None:
    path = tmp_path / "ramps.csv"
    pd.DataFrame(np.arange(60)[:, np.newaxis] + np.arange(6)).assign(label=[1, 2] * 30).to_csv(path, index=False)
    assert from_file(path, target="label").n_times == 6


@pytest.mark.parametrize("column", ["sample", "snr", "mean"])
def test_one_name_without_a_number_among_numbered_names_is_refused(tmp_path: Path, column: str) -> None:
    path = tmp_path / "beats.csv"
    NOISE.assign(**{column: RANDOM.normal(size=60)}).to_csv(path, index=False)
    expected = f"column {column!r} seems to be no sample: the names of the other columns are numbered; leave it out"
    assert expected in refusal(path)
    assert_is_noise(from_file(path, target="label", drop=column))


def test_numbered_names_are_samples(tmp_path: Path) -> None:
    frame = NOISE.set_axis([*(f"time_{place}" for place in range(12)), "label"], axis=1)
    frame.to_csv(tmp_path / "beats.csv", index=False)
    assert_is_noise(from_file(tmp_path / "beats.csv", target="label"))


def test_the_named_index_of_a_parquet_file_is_no_sample(tmp_path: Path) -> None:
    path = tmp_path / "beats.parquet"
    NOISE.assign(patient=np.arange(60) % 7).set_index("patient").to_parquet(path)
    found = from_file(path, target="-1")
    assert_is_noise(found)
    assert 'label "label": 3 classes 20/20/20, left out: patient' in found.read
    grouped = from_file(path, target="-1", group="patient")
    assert_is_noise(grouped)
    assert grouped.groups is not None
    assert grouped.groups.tolist() == (np.arange(60) % 7).tolist()
    NOISE.assign(who=1, day=2).set_index(["who", "day"]).to_parquet(path)
    assert_is_noise(from_file(path, target="-1"))
    NOISE.iloc[::2].to_parquet(path)
    assert from_file(path, target="-1").n_times == 12


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({"columns": "t*"}, NAMES),
        ({"columns": "t2:t5"}, NAMES[2:6]),
        ({"columns": "t10:"}, NAMES[10:]),
        ({"columns": ":t1", "drop": ":age"}, NAMES[:2]),
        ({"columns": "t5, t0,t3"}, ["t0", "t3", "t5"]),
        ({"columns": "t1*", "drop": "t1"}, ["t10", "t11"]),
        ({"drop": "note,age"}, NAMES),
        ({"drop": "note,age,t?"}, ["t10", "t11"]),
        ({"drop": "note,age,-2"}, NAMES[:-1]),
    ],
)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_samples_are_chosen_by_name_pattern_and_range(
    tmp_path: Path, form: str, choice: dict[str, str], names: list[str]
) -> None:
    path = tmp_path / f"beats.{form}"
    frame = NOISE.assign(note="text", age=60)[["note", "age", *NAMES, "label"]]
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    found = from_file(path, target="label", **choice)
    np.testing.assert_array_equal(found.values[:, 0], frame[names].to_numpy(np.float32))


def test_a_choice_that_is_impossible_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    NOISE.to_csv(path, index=False)
    assert "no column named 't99'" in refusal(path, columns="t99")
    assert "no column named 'x*'" in refusal(path, drop="x*")
    assert "column 't5' comes after 't2'; write the range t2:t5" in refusal(path, columns="t5:t2")
    with pytest.raises(UsageError, match="--drop label: column 'label' is the target or the group; keep it"):
        from_file(path, target="label", drop="label")
    np.savez(tmp_path / "x.npz", X=np.zeros((2, 3)), y=[0, 1])
    with pytest.raises(UsageError, match="--columns and --drop are for tables"):
        from_file(tmp_path / "x.npz", drop="id")
