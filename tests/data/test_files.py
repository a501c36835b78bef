"""Any labelled table as a data set: what is read, and the one line that says why a file is not.

`.npz` and `.ts` files have test modules of their own.
"""

import os
import re
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoo import DataError, UsageError
from zoo.data.files import from_file, is_path, read_table
from zoo.data.npz import from_npz
from zoo.data.tables import from_table
from zoo.data.ts import from_ts

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
    table = pa.table({name: pa.array(cells) for name, cells in columns.items()})
    pq.write_table(table, path, row_group_size=2)  # so that columns come in several chunks
    return path


def refusal(path: Path, **request: Any) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(DataError) as caught:
        from_file(path, **{"target": "kind"} | request)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("form", ["csv", "CSV", "parquet", "parq", "pq"])
def test_samples_labels_and_groups_are_the_same_from_every_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"beats.{form}"
    if form.lower() == "csv":
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
    path = write(tmp_path / "beats.csv", "0.5,1.0,2.0,10.0", "1.5,2.5,3.0,2.0", "0,1,0,10.0")
    found = from_file(path, target=target)
    assert found.values.shape == (3, 1, 3)
    assert found.classes == ("2", "10")
    assert found.labels.tolist() == [1, 0, 1]
    assert (found.groups, found.group_noun, found.lengths) == (None, "group", None)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_samples_stand_in_file_order_wherever_the_labels_are(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"beats.{form}"
    if form == "csv":
        write(path, "x,kind,b,who,a", "1,V,2,q,3", "6,N,5,p,4")
    else:
        write_parquet(path, x=[1, 6], kind=["V", "N"], b=[2, 5], who=["q", "p"], a=[3, 4])
    found = from_file(path, target="kind", group="who")
    assert found.values.tolist() == [[[1, 2, 3]], [[6, 5, 4]]]
    assert found.labels.tolist() == [1, 0]


def test_samples_may_be_numbers_of_any_type(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "beats.parquet",
        whole=pa.array([2**60 + 1, -3], pa.int64()),
        tiny=pa.array([255, 0], pa.uint8()),
        half=pa.array(np.array([0.5, -2.0], np.float16)),
        single=pa.array([0.1, 0.2], pa.float32()),
        double=pa.array([0.1, 0.2], pa.float64()),
        exact=pa.array([Decimal("1.25"), Decimal("-7.50")]),
        truth=pa.array([True, False]),
        kind=["a", "b"],
    )
    expected = np.array([[2**60, 255, 0.5, 0.1, 0.1, 1.25, 1], [-3, 0, -2, 0.2, 0.2, -7.5, 0]], np.float32)
    np.testing.assert_array_equal(from_file(path, target="kind").values[:, 0], expected)


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
        (["2", "10", "2"], ("2", "10"), [0, 1, 0]),
        (["2", "10", "2.0"], ("10", "2", "2.0"), [1, 0, 2]),
        (["01", "1", "2"], ("01", "1", "2"), [0, 1, 2]),
        ([True, False, True], ("0", "1"), [1, 0, 1]),
        (["9", "10", "a"], ("10", "9", "a"), [1, 0, 2]),
        (["b", "B", "ä"], ("B", "b", "ä"), [1, 0, 2]),
        ([2**53, 2**53 + 1, -(2**53) - 1], ("-9007199254740993", "9007199254740992", "9007199254740993"), [1, 2, 0]),
        (["9007199254740993", "9007199254740992", "1"], ("1", "9007199254740992", "9007199254740993"), [2, 1, 0]),
        (["9007199254740993", "9007199254740992", "b"], ("9007199254740992", "9007199254740993", "b"), [1, 0, 2]),
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


def test_labels_that_float64_may_have_merged_are_refused_and_text_stays_text(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "kind": [1.0, 2.0, -(2.0**53)]})
    assert ": column 'kind' is -9007199254740992.0 at row 3; " in refusal(path, group="who")
    for text in (["9007199254740993.0", "9007199254740992.0", "1"], ["1.0", "9007199254740993", "9007199254740992"]):
        path = write_parquet(path, **{**COLUMNS, "kind": text})
        assert from_file(path, target="kind", group="who").classes == tuple(sorted(text))
    below = write_parquet(path, **{**COLUMNS, "kind": [2.0**53 - 1, 2.0**53 - 2, 1.0]})
    assert from_file(below, target="kind", group="who").classes == ("1", "9007199254740990", "9007199254740991")


def test_large_whole_numbers_of_a_csv_stay_different(tmp_path: Path) -> None:
    lines = ("a,b,who,kind", "1,2,9007199254740993,9007199254740992", "2,1,9007199254740992,9007199254740993")
    found = from_file(write(tmp_path / "beats.csv", *lines), target="kind", group="who")
    assert found.classes == ("9007199254740992", "9007199254740993")
    assert found.labels.tolist() == [0, 1]
    assert found.groups is not None
    assert found.groups.tolist() == [2**53 + 1, 2**53]


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


def test_lines_much_longer_than_the_first(tmp_path: Path) -> None:
    names = ",".join(f"t{number}" for number in range(100))
    long = ",".join([f"0.5{'0' * 10_000}", f"0.25{'0' * 10_000}"] * 50)
    path = write(tmp_path / "long.csv", f"{names},kind", f"{long},N", f"{long},V")
    assert from_file(path, target="kind").values[:, 0, :2].tolist() == [[0.5, 0.25], [0.5, 0.25]]


def test_empty_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", "", *LINES[:2], "", *LINES[2:], ",,1,p1,V", "")
    assert re.search(r": 1 row .* first at line 7, column 'a'; ", refusal(path, group="who"))


def test_a_fault_is_found_past_empty_lines_and_missing_values(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", "", *LINES[:2], "", ",NA,1,p1,V", "1,x,3,p1,V")
    assert ": line 6, column 'b': 'x' is not a number; " in refusal(path, group="who")
    path = write(path, "", "", *LINES[:2], "", "0.1,0.2")
    assert ": line 6 has 2 columns, the first line 5; " in refusal(path, group="who")


def test_a_fault_of_a_file_with_a_byte_order_mark_and_no_names(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_bytes(b"\xef\xbb\xbf0.5,1,0\n0.5,1,0\n0.5,x,1\n")
    assert ": line 3, column '1': 'x' is not a number; " in refusal(path, target="-1")


def test_windows_line_ends_and_byte_order_marks(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(LINES).encode())
    found = from_file(path, target="kind", group="who")
    assert found.classes == ("N", "V")
    assert found.n_times == 3


NAMES = ",".join(f"t{number}" for number in range(14))


@pytest.mark.parametrize(
    ("content", "request_", "message"),
    [
        (None, {}, "there is no file PATH; check its name and the folder you are in"),
        ("", {}, "PATH is empty; write or download it again"),
        ("\n\r\n", {}, "PATH has only empty lines; write or download it again"),
        ("a,b,kind\n", {}, "PATH: the file has columns but no rows; write or download it again"),
        (
            "kind\nN\nV\n",
            {},
            "PATH: the first line has one column; columns are separated by commas; if another sign separates "
            "them, state it with --set dataset.separator=…",
        ),
        ("b,kind\n1,N\n2,V\n", {}, "PATH: 1 sample columns besides kind; a series needs at least 2"),
        (
            "a,b,kind\n1,2,N\n2,V\n",
            {},
            "PATH: line 3 has 2 columns, the first line 3; complete the line, or write or download the file again",
        ),
        (
            "a,b,kind\n1,2,N\n2,3,4,V\n",
            {},
            "PATH: line 3 has 4 columns, the first line 3; complete the line, or write or download the file again",
        ),
        (
            "a,b,kind\n1,two,N\n",
            {},
            "PATH: line 2, column 'b': 'two' is not a number; correct it, or leave the column out with --drop b (only "
            "the target and the group may be text)",
        ),
        ("a,b,a,kind\n1,2,3,N\n", {}, "PATH: 1 column names are repeated, 'a' first; rename them"),
        (
            "a,,b,kind\n1,2,3,N\n",
            {},
            "PATH: column 2 of 4 has no name; name it, or leave it out with --drop 'Unnamed: 1' if it only numbers the "
            "rows",
        ),
        ("a,b,kind\n1,2,N\n", {"target": "kidn"}, "PATH: no column named 'kidn'. Did you mean kind?"),
        ("a,b,kind\n1,2,N\n", {"group": "knid"}, "PATH: no column named 'knid'. Did you mean kind?"),
        ("a,b,kind\n1,2,N\n", {"group": "patient"}, "PATH: no column named 'patient'. Available: a, b, kind."),
        ("a,b,kind\n1,2,N\n", {"target": "-4"}, "PATH: no column named '-4'. Available: a, b, kind."),
        ("a,b,kind\n1,2,N\n", {"target": "-0"}, "PATH: no column named '-0'. Available: a, b, kind."),
        (
            f"{NAMES},kind\n{NAMES.replace('t', '')},N\n",
            {"target": "label"},
            "PATH: no column named 'label'. It has 15 columns, from 't0' to 'kind'; -1 is the last.",
        ),
        (
            "a,b,kind\n1,2,N\n",
            {"group": "kind"},
            "PATH: column 'kind' is requested as target and as group; name two columns",
        ),
        (
            "a,b,kind\n1,2,N\n",
            {"group": "-1"},
            "PATH: column 'kind' is requested as target and as group; name two columns",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line_with_the_way_out(
    tmp_path: Path, content: str | None, request_: dict[str, str], message: str
) -> None:
    path = tmp_path / "beats.csv"
    if content is not None:
        path.write_text(content, newline="")
    shown = repr(str(path)) if content is None else str(path)
    assert refusal(path, **request_) == message.replace("PATH", shown)


def test_parquet_files_of_no_use(tmp_path: Path) -> None:
    path = tmp_path / "beats.parquet"
    twice = pa.table([pa.array([1.0]), pa.array([2.0]), pa.array(["N"])], names=["a", "a", "kind"])
    pq.write_table(twice, path)
    assert refusal(path) == f"{path}: 1 column names are repeated, 'a' first; rename them"
    pq.write_table(twice.rename_columns(["a", "b", "kind"]).slice(0, 0), path)
    assert refusal(path) == f"{path}: the file has columns but no rows; write or download it again"


def test_a_flipped_bit_of_a_parquet_file_with_checksums_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "beats.parquet"
    plain = {"use_dictionary": False, "compression": "none", "write_statistics": False}
    pq.write_table(pa.table({**COLUMNS, "b": [0.5, 0.25, 123.456]}), path, **plain, write_page_checksum=True)
    whole = path.read_bytes()
    assert from_file(path, target="kind", group="who").n_times == 3
    flipped = bytearray(np.float64(123.456).tobytes())
    flipped[-2] ^= 1
    path.write_bytes(whole.replace(np.float64(123.456).tobytes(), flipped, 1))
    assert "cut short or damaged; write or download it again" in refusal(path, group="who")


def test_absent_folder_empty_and_unknown_files(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "absent.csv")
    assert "there is no file" in refusal(tmp_path / "absent" / "beats.parquet")
    assert "is a folder" in refusal(tmp_path)
    assert "is empty" in refusal(write(tmp_path / "empty.csv"))
    assert "only empty lines" in refusal(write(tmp_path / "blank.csv", "", ""))
    assert "there is no file" in refusal(tmp_path / "absent.arff")
    unknown = refusal(write(tmp_path / "beats.pickle", "x"))
    assert "'.pickle' is not one of .csv, .tsv, .parquet, .parq, .pq, .npz, .ts; convert the file" in unknown
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
    assert "separated by commas" in refusal(write(path, "a b kind", "1 2 N"))


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


def test_lines_of_a_csv_without_names_are_counted_from_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", "0.5,0.1,0.9,2", "", "0.7,,0.9,1", "1,1,1,2")
    assert ": 1 row with missing, NaN or infinite samples, the first at line 3, column '1'; " in refusal(
        path, target="-1"
    )
    path = write(path, "0.5,0.1,0.9,2", "", "1,1,1,2", "0.7,0.2,0.9,1")
    assert ": 1 row where all samples are equal, the first at line 3; " in refusal(path, target="-1")


@pytest.mark.parametrize("cells", [[0.5, None, 1.0], [0.5, float("nan"), 1.0], [1, None, 2], [1.0, np.inf, 2.0]])
def test_missing_and_infinite_samples_in_parquet(tmp_path: Path, cells: list[object]) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "b": cells})
    assert ": 1 row with missing, NaN or infinite samples, the first at row 2, column 'b'; " in refusal(
        path, group="who"
    )


def test_a_column_without_any_value(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "beats.parquet", **{**COLUMNS, "b": [None, None, None]})
    assert ": 3 rows with missing, NaN or infinite samples, the first at row 1, column 'b'; " in refusal(
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
    assert "no column named 'patient'. Available: a, b, c, kind, who." in refusal(path, group="patient")
    assert "no column named '-6'" in refusal(path, target="-6")
    assert "target and as group" in refusal(path, target="who", group="who")
    assert "target and as group" in refusal(write(path.with_suffix(".csv"), "1,2,3", "2,3,4"), target="-1", group="2")


def test_columns_without_a_name_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.csv", ",a,b,kind", "0,0.5,1,N", "1,0.5,0,V")
    assert "column 1 of 4 has no name" in refusal(path)
    assert "'a' first" in refusal(write(path, "a,b,a,kind", "0,0.5,1,N"))


def test_ids_of_groups_are_text_where_numbers_would_merge_them(tmp_path: Path) -> None:
    for ids in (["01", "1", "2"], ["1.10", "1.1", "2.0"], ["12345678901234567890", "12345678901234567891", "7"]):
        rows = [f"{row}.5,{row},{name},{'NVN'[row]}" for row, name in enumerate(ids)]
        found = from_file(write(tmp_path / "beats.csv", "a,b,who,kind", *rows), target="kind", group="who")
        assert found.groups is not None
        assert found.groups.tolist() == ids
    assert found.notes == ()
    found = from_file(write(tmp_path / "beats.csv", "a,b,who,kind", "1,2,01,N", "2,3,1,V"), target="kind", group="who")
    assert found.notes == ("groups '01' and '1' are kept apart: they are text, not numbers",)


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
    assert "a series needs at least 2" in refusal(path)


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
    with pytest.raises(UsageError, match="constant must be one of error, keep, drop, not 'dorp'"):
        from_file(path, target="kind", group="who", constant="dorp")


def test_constant_rows_are_an_error_in_every_form_until_they_are_spoken_of(tmp_path: Path) -> None:
    table = write(tmp_path / "beats.csv", "a,b,kind", "1,1,N", "1,2,V")
    archive = tmp_path / "beats.npz"
    np.savez(archive, X=[[1, 1], [1, 2]], y=["N", "V"])
    single = write(tmp_path / "beats.ts", "@classLabel true N V", "@data", "1,1:N", "1,2:V")
    for read in (partial(from_table, table, target="kind"), partial(from_npz, archive), partial(from_ts, single)):
        with pytest.raises(DataError, match="1 row where all samples are equal"):
            read()
        assert len(read(constant="keep").labels) == 2


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


def test_a_folder_named_like_a_file_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "Waves.npz"
    folder.mkdir()
    for half in ("TRAIN", "TEST"):
        write(folder / f"Waves_{half}.ts", "@classLabel true N V", "@data", "1,3:N", "1,2:V")
    assert from_file(folder).values.shape == (4, 1, 2)


def test_a_folder_is_a_path_where_it_has_a_pair() -> None:
    Path("Waves").mkdir()
    assert not is_path("Waves")
    for half in ("TRAIN", "TEST"):
        (Path("Waves") / f"Waves_{half}.ts").touch()
    assert is_path("Waves")
