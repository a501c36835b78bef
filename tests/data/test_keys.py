"""Labels and groups from a column: whole numbers or text, and what is neither."""

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from zoo.data.keys import Cells, alike_note, classes_of, keys_of, keys_of_sets
from zoo.errors import DataError


def read(cells: Any, kind: Any = None, *, groups: bool = False) -> Any:
    """The keys of a column of two chunks, with rows counted from 1 over both."""
    array = cells if isinstance(cells, pa.Array) else pa.array(cells, kind)
    chunks = pa.chunked_array([array[:1], array[1:]])
    return keys_of(Cells(chunks, "column 'kind'", lambda row: f"row {row + 1}"), groups=groups)


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([2.0, -1.0, 0.0], pa.float32(), [2, -1, 0]),
        ([2.0**53 - 1, 1 - 2.0**53, 1.0], pa.float64(), [2**53 - 1, 1 - 2**53, 1]),
        ([2**63 - 1, 0, 7], pa.uint64(), [2**63 - 1, 0, 7]),
        ([-(2**63), 2**53 + 1, 2**63 - 1], pa.int64(), [-(2**63), 2**53 + 1, 2**63 - 1]),
        ([True, False, True], pa.bool_(), [1, 0, 1]),
        ([" 2 ", "10", "\t-3"], pa.string(), [2, 10, -3]),
        ([" 2.0 ", "10.0", "\t-3.0"], pa.string(), [2, 10, -3]),
        (["0.000e+00", "1.000e+00", "1.200e+01"], pa.string(), [0, 1, 12]),
        (["1", "2", "1"], pa.string_view(), [1, 2, 1]),
        (["9007199254740993", "1", "2"], pa.large_string(), [2**53 + 1, 1, 2]),
    ],
)
def test_whole_numbers_are_read_as_such_from_any_type(cells: list[Any], kind: Any, expected: list[int]) -> None:
    found = read(cells, kind)
    assert found.dtype == np.int64
    assert found.tolist() == expected


@pytest.mark.parametrize(
    "cells",
    [
        ["01", "1", "2"],
        ["1E2", "100", "7"],
        ["0x10", "16", "7"],
        ["10.0", "10", "2"],
        ["01", "02", "03"],
        ["+1", "1", "2"],
        ["1_0", "10", "2"],
        ["12345678901234567890", "12345678901234567891", "1"],
        ["9007199254740993.0", "9007199254740992.0", "1.0"],
        ["٣", "3", "4"],
    ],
)
def test_text_that_numbers_would_change_stays_text(cells: list[str]) -> None:
    for groups in (False, True):
        found = read(cells, groups=groups)
        assert (found.dtype.kind, found.tolist()) == ("U", cells)


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        (["1.10", "1.1", "1.2"], pa.string(), ["1.10", "1.1", "1.2"]),
        ([2**63, 2**64 - 1, 1], pa.uint64(), [str(2**63), str(2**64 - 1), "1"]),
    ],
)
def test_groups_are_ids_of_any_form(cells: list[Any], kind: Any, expected: list[str]) -> None:
    assert read(cells, kind, groups=True).tolist() == expected


def test_twelve_patients_stay_twelve() -> None:
    patients = [f"{number:02}" for number in range(1, 7)] + [str(number) for number in range(1, 7)]
    assert len(np.unique(read(patients, groups=True))) == 12


def sets(*each: list[Any]) -> list[Cells]:
    names = [f"file: array 'y{number}'" for number in range(len(each))]
    return [
        Cells(pa.chunked_array([pa.array(cells)]), name, lambda row: f"row {row}")
        for cells, name in zip(each, names, strict=True)
    ]


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ([["1", "2"], ["3"]], [[1, 2], [3]]),
        ([["1", "2"], ["01"]], [["1", "2"], ["01"]]),
        ([["1", "2"], ["X9"]], [["1", "2"], ["X9"]]),
        ([["1", "2"], ["1.0"]], [["1", "2"], ["1.0"]]),
        ([[1, 2], ["2"]], [[1, 2], [2]]),
        ([[1, 2], [2.0]], [[1, 2], [2]]),
    ],
)
def test_the_sets_of_a_file_are_read_alike(each: list[list[Any]], expected: list[list[Any]]) -> None:
    assert [found.tolist() for found in keys_of_sets(sets(*each))] == expected


@pytest.mark.parametrize("each", [([1, 2], ["01"]), (["X"], [1, 2])])
def test_numbers_in_one_set_and_text_in_another_are_refused(each: tuple[list[Any], ...]) -> None:
    with pytest.raises(DataError, match=r"^file: array 'y.' and array 'y.' have groups of two types, numbers and text"):
        keys_of_sets(sets(*each), groups=True)


def test_ids_beyond_64_bits_in_one_set_make_text_of_all() -> None:
    large = Cells(pa.chunked_array([pa.array([2**63], pa.uint64())]), "y", str)
    found = keys_of_sets([large, *sets([7])], groups=True)
    assert [each.tolist() for each in found] == [[str(2**63)], ["7"]]


def test_one_number_written_in_two_ways_is_said() -> None:
    note = "labels '01' and '1' are kept apart: they are text, not numbers"
    assert alike_note(np.array(["1", "2", "01", "1"]), "labels") == (note,)
    assert alike_note(np.array(["1E2", "100"]), "groups") != ()
    apart = (["12345678901234567890", "12345678901234567891"], ["01", "02"], ["a", "b"], ["1e9999", "2"], [1, 2])
    for other in (*map(np.array, apart), None):
        assert alike_note(other, "labels") == ()


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_text_is_read_without_the_blanks_around_it(kind: Any) -> None:
    found = read(pa.array([" b", "2", "a c\n"], pa.string()).cast(kind))
    assert found.tolist() == ["b", "2", "a c"]
    assert found.dtype.kind == "U"


@pytest.mark.parametrize(
    ("cells", "kind", "message"),
    [
        ([1.0, 2.0, 2.5], None, "is 2.5 at row 3; labels and groups are whole numbers or text"),
        ([1.0, -np.inf, 2.5], None, "is -inf at row 2; "),
        ([1.0, 2.0**53, 2.0], None, "is 9007199254740992.0 at row 2; "),
        ([1.0, 2.0, -(2.0**53)], None, "is -9007199254740992.0 at row 3; "),
        ([1, 2**63, 2], pa.uint64(), "holds whole numbers of 9223372036854775808 or more; save them as text"),
        (["1", "1.5", "2"], None, "is 1.5 at row 2; "),
        ([1.0, None, np.nan], None, "is empty in 2 rows, the first at row 2; fill it in or remove these rows"),
        (["a", " ", "b"], None, "is empty in 1 row, the first at row 2; "),
        (["a", "nan", "<NA>"], None, "is empty in 2 rows, the first at row 2; "),
        (["1.10", "1.1", "1.2"], None, "is 1.10 at row 1; labels and groups are whole numbers or text: if it names"),
        ([datetime.date(2026, 1, 1)] * 3, pa.date32(), "holds date32[day]; labels and groups are whole numbers or"),
        ([1, 2, 3], pa.timestamp("s"), "holds timestamp[s]; "),
        ([b"a", b"b", b"a"], None, "holds binary; "),
    ],
)
def test_what_is_neither_is_one_line(cells: list[Any], kind: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(cells, kind)
    assert f"column 'kind' {message}" in str(caught.value)


def test_classes_are_sorted_as_numbers_or_as_text() -> None:
    labels, classes = classes_of(np.array([10, 2, -1, 10]), "y")
    assert (labels.tolist(), labels.dtype, classes) == ([2, 1, 0, 2], np.int64, ("-1", "2", "10"))
    labels, classes = classes_of(np.array(["b", "10", "2", "b"]), "y")
    assert (labels.tolist(), classes) == ([2, 0, 1, 2], ("10", "2", "b"))


@pytest.mark.parametrize(("found", "reason"), [([7, 7], "one class, '7'"), ([], "no class")])
def test_fewer_than_two_classes_are_refused(found: list[int], reason: str) -> None:
    with pytest.raises(DataError, match=f"^y has {reason}; name the labels with --target$"):
        classes_of(np.array(found), "y")
