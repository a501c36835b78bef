"""What rows and files are checked for, whatever form they came in, and where series of unequal lengths end."""

import os
from pathlib import Path

import numpy as np
import pytest

from zoo.data.checks import check_file, dropped_note, flat_rows, one_line, rows_to_keep
from zoo.data.lengths import settled, within
from zoo.errors import DataError, UsageError
from zoo.wording import count_text

VALUES = np.array([[1, 1, 1], [1, 1, 2], [2, 1, 1], [0, 0, 0]], np.float32)


def kept(constant: str, values: np.ndarray = VALUES) -> list[bool]:
    return rows_to_keep(values, constant, "beats.csv", lambda row: f"line {row + 2}").tolist()


def test_constant_rows_are_kept_dropped_or_an_error() -> None:
    assert kept("keep") == [True] * 4
    assert kept("drop") == [False, True, True, False]
    with pytest.raises(DataError, match=r"beats\.csv: 2 rows where all samples are equal, the first at line 2; "):
        kept("error")
    with pytest.raises(DataError, match=r"beats\.csv: 1 row where all samples are equal, the first at line 4; "):
        kept("error", VALUES[1:])
    for constant in ("error", "keep", "drop"):
        assert kept(constant, VALUES[1:3]) == [True, True]


def test_a_word_that_is_none_of_three_is_an_error_of_use_whatever_the_rows() -> None:
    for values in (VALUES, VALUES[1:3]):
        with pytest.raises(UsageError, match="constant must be one of error, keep, drop, not 'dorp'"):
            kept("dorp", values)


def test_dropping_leaves_a_row() -> None:
    with pytest.raises(DataError, match=r"beats\.csv: no row is left: all samples are equal in 1 row of 1; "):
        kept("drop", VALUES[:1])


def test_a_row_is_flat_where_each_channel_is_at_one_value_up_to_its_end() -> None:
    values = np.array(
        [[[1, 1, 5], [2, 2, 6]], [[1, 5, 5], [2, 2, 2]], [[1, 1, 1], [2, 2, 6]], [[3] * 3] * 2], np.float32
    )
    assert flat_rows(values).tolist() == [False, False, False, True]
    assert flat_rows(values, np.array([2, 2, 3, 3])).tolist() == [True, False, False, True]
    assert flat_rows(values, np.array([1, 1, 1, 1])).tolist() == [True] * 4


def test_notes_and_messages_count_rows() -> None:
    assert dropped_note(np.array([True, True])) == ()
    assert dropped_note(np.array([True, False, False])) == ("2 of 3 rows left out: all their samples are equal",)
    assert [count_text(count, "row") for count in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert one_line(ValueError("two\n  lines\tof text ")) == "two lines of text"


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_bytes(b"x")
    check_file(path)
    path.write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    for wrong, message in (
        (path, "is empty; write or download it again"),
        (tmp_path, "is a folder; name a file in it"),
        (tmp_path / "pipe", "is not a regular file; copy the data to one"),
        (tmp_path / "absent", "check its name and the folder you are in"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long; choose a shorter one"),
    ):
        with pytest.raises(DataError) as caught:
            check_file(wrong)
        assert message in str(caught.value)
        assert str(wrong)[:70] in str(caught.value)  # a message abridges long names


def test_samples_stand_within_a_row_up_to_its_length() -> None:
    assert within(np.array([1, 3]), 3).tolist() == [[[True, False, False]], [[True, True, True]]]


@pytest.mark.parametrize(
    ("lengths", "times", "left"),
    [
        (None, 3, None),
        ([2, 3, 1, 3], 3, [2, 3, 1, 3]),
        ([2, 1, 1, 2], 2, [2, 1, 1, 2]),
        ([3] * 4, 3, None),
        ([2] * 4, 2, None),
    ],
)
def test_no_more_padding_than_it_takes(lengths: list[int] | None, times: int, left: list[int] | None) -> None:
    values, found = settled(VALUES[:, np.newaxis], None if lengths is None else np.array(lengths))
    assert values.tolist() == VALUES[:, np.newaxis, :times].tolist()
    assert values.flags.c_contiguous
    assert (None if found is None else found.tolist()) == left


def test_no_rows_have_no_lengths() -> None:
    values, found = settled(VALUES[:0, np.newaxis], np.array([], np.int64))
    assert (values.shape, found) == ((0, 1, 3), None)
