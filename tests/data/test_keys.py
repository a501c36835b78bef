"""Labels and groups from a column: whole numbers or text, and what is neither."""

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from zoo.data.keys import classes_of, keys_of
from zoo.errors import DataError


def keys(cells: Any, kind: Any = None) -> Any:
    """The keys of a column of two chunks, with rows counted from 1 over both."""
    array = cells if isinstance(cells, pa.Array) else pa.array(cells, kind)
    return keys_of(pa.chunked_array([array[:1], array[1:]]), "column 'kind'", lambda row: f"row {row + 1}")


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([2.0, -1.0, 0.0], pa.float32(), [2, -1, 0]),
        ([2.0**53 - 1, 1 - 2.0**53, 1.0], pa.float64(), [2**53 - 1, 1 - 2**53, 1]),
        ([2**63 - 1, 0, 7], pa.uint64(), [2**63 - 1, 0, 7]),
        ([-(2**63), 2**53 + 1, 2**63 - 1], pa.int64(), [-(2**63), 2**53 + 1, 2**63 - 1]),
        ([True, False, True], pa.bool_(), [1, 0, 1]),
        ([" 2 ", "10.0", "\t-3"], pa.string(), [2, 10, -3]),
        (["9007199254740993", "1", "2"], pa.large_string(), [2**53 + 1, 1, 2]),
    ],
)
def test_whole_numbers_are_read_as_such_from_any_type(cells: list[Any], kind: Any, expected: list[int]) -> None:
    found = keys(cells, kind)
    assert found.dtype == np.int64
    assert found.tolist() == expected


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_text_is_read_without_the_blanks_around_it(kind: Any) -> None:
    found = keys(pa.array([" b", "2", "a c\n"], pa.string()).cast(kind))
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
        ([datetime.date(2026, 1, 1)] * 3, pa.date32(), "holds date32[day]; labels and groups are whole numbers or"),
        ([1, 2, 3], pa.timestamp("s"), "holds timestamp[s]; "),
        ([b"a", b"b", b"a"], None, "holds binary; "),
    ],
)
def test_what_is_neither_is_one_line(cells: list[Any], kind: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        keys(cells, kind)
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
