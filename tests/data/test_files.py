"""Any labelled table as a data set: what is read, and the one line that says why a file is not.

`.npz` and `.ts` files have test modules of their own.
"""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoo import DataError, UsageError
from zoo.data.files import from_file, is_path, read_table

LINES = ("a,b,c,who,kind", "0.1,0.5,1,p2,N", "0.2,0.25,3,p1,V", "1e-3,0,-7,p2,N")
COLUMNS = {
    "a": [0.1, 0.2, 1e-3],
    "b": [0.5, 0.25, 0.0],
    "c": [1, 3, -7],
    "who": ["p2", "p1", "p2"],
    "kind": ["N", "V", "N"],
}


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write_parquet(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table({name: pa.array(cells) for name, cells in columns.items()}), path)
    return path


def refusal(path: Path, **request: Any) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(DataError) as caught:
        from_file(path, **{"target": "kind"} | request)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("form", ["csv", "parquet", "parq"])
def test_samples_labels_and_groups_are_the_same_from_every_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"beats.{form}"
    if form == "csv":
        write(path, *LINES)
    else:
        write_parquet(path, **COLUMNS)
    found = from_file(path, target="kind", group="who")
    expected = np.array([[0.1, 0.5, 1], [0.2, 0.25, 3], [1e-3, 0, -7]], np.float32)
    np.testing.assert_array_equal(found.values, expected[:, np.newaxis, :])
    assert found.values.dtype == np.float32
    assert found.values.flags.c_contiguous
    assert found.classes == ("N", "V")
    assert found.labels.tolist() == [0, 1, 0]
    assert found.labels.dtype == np.int64
    assert found.groups is not None
    assert found.groups.tolist() == ["p2", "p1", "p2"]
    assert found.group_noun == "who"
    assert found.notes == ()


@pytest.mark.parametrize("target", ["3", "-1"])
def test_a_csv_without_names_numbers_its_columns(tmp_path: Path, target: str) -> None:
    path = write(tmp_path / "beats.csv", "0.5,1.0,2.0,10.0", "1.5,2.5,3.0,2.0", "0,1,0,10")
    found = from_file(path, target=target)
    assert found.values.shape == (3, 1, 3)
    assert found.classes == ("2", "10")
    assert found.labels.tolist() == [1, 0, 1]
    assert found.groups is None


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("0.5,0.1,0.9,2", False),
        ("a,b,c,d", True),
        ("0,1,2,3", True),
        ("0,1,2,kind", True),
        ("0.0,0.25,0.5,kind", True),
        ("0.5,0.1,0.9,N", False),
        ("1.0,0.0,0.0,N", False),
    ],
)
def test_names_are_told_from_numbers(tmp_path: Path, first: str, header: bool) -> None:
    path = write(tmp_path / "beats.csv", first, "0.7,0.1,0.9,1")
    table = read_table(path, text=["-1"])
    assert table.header is header
    assert len(table) == 2 - header
    assert table.names == (tuple(first.split(",")) if header else ("0", "1", "2", "3"))


def test_whether_there_are_names_can_be_said(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", "0.1,0.2,kind", "0.5,0.25,N", "0.2,0.5,V")
    assert len(from_file(path, target="-1", header=True).labels) == 2
    assert from_file(path, target="-1", header=False).classes == ("N", "V", "kind")


@pytest.mark.parametrize(
    ("labels", "classes", "indices"),
    [
        ([2.0, 10.0, 2.0], ("2", "10"), [0, 1, 0]),
        (np.array([2.0, 10.0, 2.0], "f2"), ("2", "10"), [0, 1, 0]),
        ([2, 10, -1], ("-1", "2", "10"), [1, 2, 0]),
        (["b", "a", " b "], ("a", "b"), [1, 0, 1]),
        (["2", "10", "2.0"], ("2", "10"), [0, 1, 0]),
        ([True, False, True], ("0", "1"), [1, 0, 1]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), ("a", "b"), [1, 0, 1]),
    ],
)
def test_labels_of_any_type_become_sorted_classes(
    tmp_path: Path, labels: object, classes: tuple[str, ...], indices: list[int]
) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "kind": labels})
    found = from_file(path, target="kind", group="who")
    assert found.classes == classes
    assert found.labels.tolist() == indices


def test_whole_numbers_name_groups(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "who": [201.0, 7.0, 201.0]})
    groups = from_file(path, target="kind", group="who").groups
    assert groups is not None
    assert groups.dtype == np.int64
    assert groups.tolist() == [201, 7, 201]


def test_pandas_row_numbers_in_parquet_are_no_sample(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **COLUMNS, __index_level_0__=[5, 6, 7])
    assert from_file(path, target="kind", group="who").n_times == 3


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "lead=2"
    folder.mkdir()
    assert from_file(write_parquet(folder / "x.parquet", **COLUMNS), target="kind", group="who").n_times == 3


def test_series_longer_than_a_block_of_the_reader(tmp_path: Path) -> None:
    long = ",".join([f"0.5{'0' * 1000}", f"0.25{'0' * 1000}"] * 2_500)
    path = write(tmp_path / "long.csv", f"{long},1", f"{long},0")
    assert path.stat().st_size > 10_000_000
    assert from_file(path, target="-1").n_times == 5_000


def test_empty_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", "", *LINES[:2], "", *LINES[2:], ",,1,p1,V", "")
    assert re.search(r": 1 row .* first at line 7, column 'a'; ", refusal(path, group="who"))


def test_windows_line_ends_and_byte_order_marks(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(LINES).encode())
    found = from_file(path, target="kind", group="who")
    assert found.classes == ("N", "V")
    assert found.n_times == 3


def test_absent_folder_empty_and_unknown_files(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "absent.csv")
    assert "there is no file" in refusal(tmp_path / "absent" / "beats.parquet")
    assert "is a folder" in refusal(tmp_path)
    assert "is empty" in refusal(write(tmp_path / "empty.csv"))
    assert "nothing but empty lines" in refusal(write(tmp_path / "blank.csv", "", ""))
    assert "no rows" in refusal(write(tmp_path / "names.csv", "a,b,kind"))
    unknown = refusal(write(tmp_path / "beats.pickle", "x"))
    assert "'.pickle' is not one of .csv, .parquet, .parq, .pq, .npz, .ts; convert the file" in unknown
    os.mkfifo(tmp_path / "pipe.csv")
    assert "not a regular file" in refusal(tmp_path / "pipe.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES)
    path.chmod(0)
    assert "Permission denied; check its permissions" in refusal(path)


def test_damaged_parquet(tmp_path: Path) -> None:
    whole = write_parquet(tmp_path / "whole.parquet", **COLUMNS).read_bytes()
    for name, damaged in (("short", whole[: len(whole) // 2]), ("text", b"a,b\n1,2\n"), ("tiny", b"PAR1")):
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(damaged)
        assert "cut short or damaged; write or download it again" in refusal(path)


def test_what_is_no_csv(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_bytes(b"\x1f\x8b\xff\xfe\x00,\x93")
    assert "not UTF-8 text" in refusal(path)
    path.write_bytes("a,b,kind\n1,2,café\n2,1,x\n".encode("latin-1"))
    assert "write the file again as comma-separated UTF-8" in refusal(path)
    assert "separated by commas" in refusal(write(path, "a;b;kind", "1;2;N"))


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES, '0.1,"0.2,1,p1,N', *LINES[1:] * 10_000)
    assert "write the file again as comma-separated UTF-8" in refusal(path, group="who")


def test_ragged_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES, "0.1,0.2,0.3", *LINES[1:])
    assert ": line 5 has 3 columns, the first line 5; " in refusal(path, group="who")
    assert ": line 5 has 6 columns, " in refusal(write(path, *LINES, "1,2,3,4,5,6"), group="who")


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES)
    assert ": line 2, column 'who': 'p2' is not a number; " in refusal(path)
    path = write_parquet(tmp_path / "beats.parquet", **COLUMNS)
    assert ": column 'who' holds string, not numbers; " in refusal(path)
    path = write_parquet(tmp_path / "nested.parquet", **{**COLUMNS, "a": [[1.0], [2.0], [3.0]]})
    assert ": column 'a' holds list" in refusal(path, group="who")


@pytest.mark.parametrize("cell", ["", "NA", "nan", "inf", "-inf", "1e300"])
def test_missing_and_infinite_samples_in_csv(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path / "beats.csv", *LINES, f"1,{cell},2,p1,N", f"{cell},1,2,p1,N")
    message = refusal(path, group="who")
    assert ": 2 rows with missing, NaN or infinite samples, the first at line 5, column 'b'; " in message


@pytest.mark.parametrize("cells", [[0.5, None, 1.0], [0.5, float("nan"), 1.0], [1, None, 2], [1.0, np.inf, 2.0]])
def test_missing_and_infinite_samples_in_parquet(tmp_path: Path, cells: list[object]) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "b": cells})
    assert ": 1 row with missing, NaN or infinite samples, the first at row 2, column 'b'; " in refusal(
        path, group="who"
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_columns_that_are_not_there(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"beats.{form}"
    if form == "csv":
        write(path, *LINES)
    else:
        write_parquet(path, **COLUMNS)
    assert "no column named 'kidn'. Did you mean kind?" in refusal(path, target="kidn", group="who")
    assert "no column named 'patient'. There is a, b, c, kind, who." in refusal(path, group="patient")
    assert "no column named '-6'" in refusal(path, target="-6")
    assert "target and as group" in refusal(path, target="who", group="who")
    assert "target and as group" in refusal(write(path.with_suffix(".csv"), "1,2,3", "2,3,4"), target="-1", group="2")


def test_columns_without_a_name_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", ",a,b,kind", "0,0.5,1,N", "1,0.5,0,V")
    assert "column 1 of 4 has no name" in refusal(path)
    assert "'a' first" in refusal(write(path, "a,b,a,kind", "0,0.5,1,N"))


def test_missing_labels_and_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES, "1,2,3,p1,", "1,2,3, ,N")
    assert ": column 'kind' is empty in 1 row, the first at line 5; " in refusal(path, group="who")
    path = write(tmp_path / "beats.csv", *LINES, "1,2,3,,N")
    assert ": column 'who' is empty in 1 row, the first at line 5; " in refusal(path, group="who")
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "kind": [1.0, float("nan"), None]})
    assert ": column 'kind' is empty in 2 rows, the first at row 2; " in refusal(path, group="who")


@pytest.mark.parametrize("label", [0.5, np.inf])
def test_labels_that_are_no_classes(tmp_path: Path, label: float) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "kind": [1.0, 0.0, label]})
    assert f": column 'kind' is {label} at row 3; " in refusal(path, group="who")


def test_labels_of_bytes_are_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "kind": [b"a", b"b", b"a"]})
    assert "holds binary; labels and groups are whole numbers or text" in refusal(path, group="who")


def test_one_class_and_one_sample_are_too_few(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES[:2], LINES[3])
    assert ": column 'kind' has one class, 'N'; " in refusal(path, group="who")
    path = write(tmp_path / "beats.csv", "a,kind", "0.5,N", "1,V")
    assert "a series has at least 2" in refusal(path)


def test_constant_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES, "2,2,2,p1,N", "0,0,0,p9,Q")
    message = refusal(path, group="who")
    assert ": 2 rows where all samples are equal, the first at line 5; " in message
    assert "--set dataset.constant=drop" in message
    kept = from_file(path, target="kind", group="who", constant="keep")
    assert len(kept.labels) == 5
    assert kept.notes == ()
    dropped = from_file(path, target="kind", group="who", constant="drop")
    assert dropped.values.shape == (3, 1, 3)
    assert dropped.classes == ("N", "V")
    assert dropped.groups is not None
    assert dropped.groups.tolist() == ["p2", "p1", "p2"]
    assert dropped.notes == ("2 of 5 rows left out: all their samples are equal",)


def test_nothing_is_left_of_constant_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", "a,b,kind", "0,0,N", "1,1,V")
    assert "no row is left: all samples are equal in 2 rows of 2; " in refusal(path, constant="drop")


def test_constant_is_one_of_three_words(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES)
    with pytest.raises(UsageError, match="'dorp'; it is one of error, keep, drop"):
        from_file(path, target="kind", group="who", constant="dorp")


def test_a_table_needs_the_name_of_its_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", *LINES)
    with pytest.raises(UsageError, match="name the column of the labels with --target"):
        from_file(path)


def test_a_header_is_a_matter_of_csv(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **COLUMNS)
    with pytest.raises(UsageError, match=r"dataset\.header is for \.csv files; leave it out"):
        from_file(path, target="kind", group="who", header=True)


@pytest.mark.parametrize("word", ["absent.csv", "x.NPZ", "x.ts", "./beats", "folder/", "C:\\beats", "here.arff"])
def test_what_looks_like_a_path_or_is_there_is_one(word: str) -> None:
    Path("here.arff").touch()
    assert is_path(word)


@pytest.mark.parametrize("word", ["mitbih", "absent.arff", "results", "here"])
def test_other_words_are_names(word: str) -> None:
    Path("results").mkdir()
    Path("here").touch()
    assert not is_path(word)


def test_a_folder_is_a_path_where_it_has_a_pair() -> None:
    Path("Waves").mkdir()
    assert not is_path("Waves")
    for half in ("TRAIN", "TEST"):
        (Path("Waves") / f"Waves_{half}.ts").touch()
    assert is_path("Waves")
