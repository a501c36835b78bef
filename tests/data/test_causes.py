"""Files as other programs write them: each is read right, or one line names the cause and the way out."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zoo import DataError
from zoo.data.files import from_file

ROWS = np.random.default_rng(0).normal(size=(20, 6)).round(3)
FRAME = pd.DataFrame(ROWS, columns=[f"t{place}" for place in range(6)]).assign(label=["calm", "busy"] * 10)
TEXT = FRAME.to_csv(index=False)
HEAD, BODY = TEXT.split("\n", 1)
LEVELS = FRAME.set_axis(pd.MultiIndex.from_tuples([*(("ch1", place) for place in range(6)), ("label", "")]), axis=1)
DATES = pd.date_range("2026-01-01", periods=20)


def lines(text: str, change: str) -> str:
    return "".join(change.format(line) + "\n" for line in text.splitlines())


def refusal(path: Path, **request: Any) -> str:
    with pytest.raises(DataError) as caught:
        from_file(path, **request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (FRAME.to_csv(index=False, quoting=1), "label"),
        (FRAME.to_csv(index=False, header=False, quoting=1), "-1"),
        (TEXT.replace(",", ", "), "label"),
        (TEXT.replace("label", "label "), "label"),
        (TEXT.replace("\n", "\r\r\n"), "label"),
        (TEXT.replace("\n", "\n\n"), "label"),
        (TEXT.rstrip("\n"), "label"),
        (FRAME[["label", *FRAME.columns[:6]]].to_csv(index=False, header=False), "0"),
        (FRAME[[*FRAME.columns[:3], "label", *FRAME.columns[3:6]]].to_csv(index=False), "label"),
        (LEVELS.droplevel(0, axis=1).rename(columns={"": "label"}).to_csv(index=False), "label"),
        (lines(FRAME.to_csv(index=False, header=False), "{},"), "6"),
    ],
)
def test_other_ways_to_write_a_csv_are_read(tmp_path: Path, text: str, target: str) -> None:
    path = tmp_path / "beats.csv"
    path.write_text(text, newline="")
    found = from_file(path, target=target)
    np.testing.assert_array_equal(found.values[:, 0], ROWS.astype(np.float32))
    assert [found.classes[label] for label in found.labels] == ["calm", "busy"] * 10


@pytest.mark.parametrize("labels", [[1.0, 2.0], [True, False], ["NA", "None"], ["null", "1"]])
@pytest.mark.parametrize("header", [True, False])
def test_labels_of_other_types(tmp_path: Path, labels: list[Any], header: bool) -> None:
    path = tmp_path / "beats.csv"
    FRAME.assign(label=labels * 10).to_csv(path, index=False, header=header)
    found = from_file(path, target="-1")
    assert len(found.labels) == 20
    assert np.bincount(found.labels).tolist() == [10, 10]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"# made by me\n# twice\n{TEXT}", "line 1 seems to be a comment; remove such lines"),
        (f"% made by me, today\n{TEXT}", "line 1 seems to be a comment"),
        (f"{TEXT}# the end\n", "line 22 seems to be a comment"),
        (f"{HEAD}\n{'mV,' * 6}\n{BODY}", "'mV' is not a number, and most of this line is not; if it holds units"),
        (LEVELS.to_csv(index=False), "1 column names are repeated, 'ch1' first"),
        (lines(TEXT, "{},"), "column 8 of 8 has no name; name it, or leave it out with --drop 'Unnamed: 7'"),
        (TEXT.replace(",", " "), "the first line has one column; columns are separated by commas; if another sign"),
        (TEXT.replace("\n", "\r"), "its lines end with CR, as on old Macs"),
        (TEXT.replace(",-", ",\N{MINUS SIGN}"), "is not a number; correct it"),
        (TEXT.replace(",0.", ",\xa00."), "is not a number; remove the spaces around the numbers; else correct it"),
        (f"{HEAD}\n{BODY.replace(',', '%,')}", "%' is not a number; write the numbers without %; else correct it"),
        (FRAME.assign(t1=ROWS[:, 1] > 0).to_csv(index=False), "write 1 and 0 for true and false"),
        (FRAME.assign(t1=DATES).to_csv(index=False), "column 't1': '2026-01-01' is not a number; correct it, or leave"),
        ("a;b;label\n" + "1.234,5;2.345,25;x\n1.235,5;3.345,25;y\n" * 5, "if '.' separates thousands, write the"),
        ("a;b;label\n" + "1.234;2.345;x\n1.235;345;y\n" * 5, "the points in its numbers can separate decimals or"),
        ('a,b,label\n"1,234",0.5,x\n"1,235",0.25,y\n', "'1,234' is not a number; if ',' separates thousands"),
        ("a;b;label\n1'234;2'345;x\n1'235;3'345;y\n", 'if "\'" separates thousands, write the numbers without it'),
        ("a,b,label\n0x10,1,x\n0x11,2,y\n", "'0x10' is not a number"),
        (
            FRAME.assign(label=["calm", None] * 10).to_csv(index=False),
            "column 'label' is empty in 10 rows, the first at",
        ),
    ],
)
def test_the_cause_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "beats.csv"
    path.write_text(text, newline="")
    assert message in refusal(path, target="label")


def test_a_separator_at_the_end_of_lines_before_the_label(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    for text in (lines(TEXT, "{},"), lines(FRAME.to_csv(index=False, header=False), "{},")):
        path.write_text(text)
        assert "the last column is empty, because a separator ends each line; remove" in refusal(path, target="-1")


def test_points_that_are_decimals(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    for text in ("1.234;2.5;x\n1.235;3.345;y\n", "0.234;2.345;x\n1.235;3.345;y\n", "1.234;2000;x\n1.235;3000;y\n"):
        path.write_text("a;b;label\n" + text * 5)
        assert from_file(path, target="label").values[1, 0, 0] == np.float32(1.235)
    path.write_text("a;b;label\n" + "1.234;2.345;x\n1.235;345;y\n" * 5)
    assert from_file(path, target="label", decimal=".").values[1, 0].tolist() == [np.float32(1.235), 345]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "beats.csv",
            gzip.compress(TEXT.encode()),
            "is not UTF-8 text but a gzip file; unpack it, or save the table as",
        ),
        ("beats.csv", b"PK\x03\x04 and a sheet", "is not UTF-8 text but a zip file"),
        ("beats.csv", TEXT.encode("utf-16"), "is not UTF-8 text; write it as comma-separated UTF-8"),
        (
            "beats.csv",
            TEXT.replace("calm", "câlme").encode("latin-1"),
            "line 2 is not UTF-8 text; write the file again",
        ),
        ("beats.csv.gz", gzip.compress(TEXT.encode()), "extension '.gz' is not one of .csv, .tsv"),
        ("beats.csv.gz", gzip.compress(TEXT.encode()), "; unpack the file"),
        ("beats.xlsx", b"PK\x03\x04", "; save the sheet as CSV"),
        ("beats.npy", b"\x93NUMPY", "; save the series and the labels with numpy.savez(path, X=…, y=…)"),
        ("beats.txt", TEXT.encode(), "; rename a table of text to .csv"),
        ("beats.arff", b"@relation", "; convert the file"),
    ],
)
def test_other_kinds_of_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert message in refusal(path, target="label")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"arr_0": ROWS, "arr_1": [0, 1] * 10}, "the file has arr_0, arr_1; name the arrays: numpy.savez(path, X=…, y"),
        (
            {"X": ROWS, "y": np.eye(2)[[0, 1] * 10]},
            "(20,): it needs one value per row; if it has a column for each class",
        ),
        ({"X": ROWS, "y": np.array([[0], [1]] * 10)}, "it needs one value per row; save y.ravel()"),
        ({"X": ROWS, "y": np.array([b"a", b"b"] * 10)}, "holds |S1; save whole numbers or text (`.astype(str)`)"),
        ({"X": ROWS, "y": [1.0, np.nan] * 10}, "array 'y' is empty in 10 rows, the first at y[1]"),
        ({"X": ROWS[:, :, np.newaxis], "y": [0, 1] * 10}, "(rows, times, channels) needs `--set dataset.layout=ntc`"),
        ({"X": ROWS + 0j, "y": [0, 1] * 10}, "array 'X' holds complex128, not numbers"),
        ({"X": ROWS.astype(str), "y": [0, 1] * 10}, "array 'X' holds <U32, not numbers"),
        ({"X": FRAME.iloc[:, :6].to_records(index=False), "y": [0, 1] * 10}, "not numbers; save it as float32"),
        ({"X": ROWS.T, "y": [0, 1] * 10}, "array 'y' has the shape (20,), not (6,): it needs one value per row"),
    ],
)
def test_arrays_of_other_forms(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = tmp_path / "beats.npz"
    np.savez(path, **arrays)
    assert message in refusal(path)


@pytest.mark.parametrize("kind", ["f2", "f4", ">f8", "longdouble"])
def test_numbers_of_other_types(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "beats.npz"
    np.savez(path, X=ROWS.astype(kind), y=[0, 1] * 10)
    np.testing.assert_array_equal(from_file(path).values[:, 0], ROWS.astype(kind).astype(np.float32))


def test_other_tables_of_pandas_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "beats.parquet"
    tables = [
        FRAME.set_axis(pd.RangeIndex(5, 25), axis=0),
        FRAME.rename_axis("id"),
        FRAME.set_axis(np.random.default_rng(0).permutation(20), axis=0),
        FRAME.set_axis(DATES, axis=0),
        FRAME.set_axis(pd.MultiIndex.from_product([range(4), range(5)]), axis=0),
        FRAME.set_index("label"),
        FRAME.assign(label=FRAME["label"].astype("category")),
        FRAME.assign(label=FRAME["label"].astype("string")),
        FRAME.assign(t3=pd.Categorical(ROWS[:, 3])),
    ]
    for frame in tables:
        frame.to_parquet(path)
        found = from_file(path, target="label")
        np.testing.assert_array_equal(found.values[:, 0], ROWS.astype(np.float32))
        assert found.classes == ("busy", "calm")
    FRAME.assign(when=DATES).to_parquet(path)
    assert "column 'when' holds timestamp[us], not numbers; leave it out with --drop when" in refusal(
        path, target="label"
    )
