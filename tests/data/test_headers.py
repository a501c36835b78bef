"""Whether the first line of a CSV is read as names or as a row, and what is refused because it could be both."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from zoo import DataError
from zoo.data.files import from_file

ROWS = np.random.default_rng(0).normal(size=(60, 140)).round(3).tolist()


def written(path: Path, first: str, labels: Sequence[object], *, label_first: bool = False) -> Path:
    """Write a first line, and below it a row of noise for each label."""
    times = first.count(",")
    rows = [
        [label, *row[:times]] if label_first else [*row[:times], label]
        for row, label in zip(ROWS, labels, strict=False)
    ]
    path.write_text("\n".join([first, *[",".join(map(str, row)) for row in rows]]) + "\n")
    return path


WORDS = ["calm", "busy", "odd"] * 20
NUMBERS = [0, 1, 2] * 20
TIMES = ",".join(f"{number / 360:.3f}" for number in range(140))


@pytest.mark.parametrize(
    ("first", "labels", "rows"),
    [
        ("0.1,0.4,0.9,calm", WORDS, 61),
        ("0.9,0.4,0.1,calm", WORDS, 61),
        ("0.1,0.4,calm", WORDS, 61),
        ("0.1,0.4,0.9,1", NUMBERS, 61),
        ("0.5,0.1,0.9,calm", WORDS, 61),
        ("0.5,0.1,0.5,V", WORDS, 61),
        ("t0,t1,t2,label", WORDS, 60),
        ("t0,t1,t2,0", WORDS, 60),
        ("0,1,2,3", WORDS, 60),
        ("0,1,2,kind", WORDS, 60),
        ("0,1,2,rhythm", WORDS, 60),
        ("0,1,2,rhythm", NUMBERS, 60),
        ("0.5,1,2,4,8,label", WORDS, 60),
        ("0.5,1,2,4,8,beat", NUMBERS, 60),
        (f"{TIMES},label", WORDS, 60),
        (f"{TIMES},rhythm", WORDS, 60),
        (",".join(map(str, range(140, -1, -1))), NUMBERS, 60),
        (",".join(map(str, range(141))), NUMBERS, 60),
        (",".join([*sorted(map(str, range(20))), "label"]), NUMBERS, 60),
    ],
)
def test_the_first_line_is_read_as_all_the_evidence_shows(
    tmp_path: Path, first: str, labels: Sequence[object], rows: int
) -> None:
    found = from_file(written(tmp_path / "beats.csv", first, labels), target="-1")
    assert len(found.labels) == rows
    assert found.n_times == first.count(",")


def test_names_that_count_from_one_with_the_label_first(tmp_path: Path) -> None:
    path = written(tmp_path / "beats.csv", ",".join(map(str, range(1, 18))), [1, 2] * 30, label_first=True)
    found = from_file(path, target="1")
    assert (len(found.labels), found.n_times, found.classes) == (60, 16, ("1", "2"))


def test_names_that_are_negative_frequencies(tmp_path: Path) -> None:
    path = written(tmp_path / "beats.csv", ",".join(map(str, [*range(-16, 0), 1])), NUMBERS)
    found = from_file(path, target="1")
    assert (len(found.labels), found.n_times, found.classes) == (60, 16, ("0", "1", "2"))
    with pytest.raises(
        DataError, match="'-1' is the name of a column, and as a position it is the column '1'; use '1'"
    ):
        from_file(path, target="-1")


def test_a_missing_sample_in_the_first_row_does_not_make_it_names(tmp_path: Path) -> None:
    path = written(tmp_path / "beats.csv", "0.1,NA,0.3,0.4,1", NUMBERS)
    with pytest.raises(DataError, match="1 row with missing, NaN or infinite samples, the first at line 1, column '1'"):
        from_file(path, target="-1")


@pytest.mark.parametrize(
    ("first", "labels", "reason"),
    [
        ("0.1,0.4,0.9,rhythm", WORDS, "its numbers go in one direction, and its label 'rhythm' occurs only there"),
        ("0.1,0.4,0.9,1", WORDS, "its numbers go in one direction, and its label '1' stands above labels of text"),
        ("0.1,0.2,0.3,calm", WORDS, "its numbers are equally spaced, but its label 'calm' is also a label below"),
        ("1,2,3,0", NUMBERS, "its numbers are equally spaced, but they are few"),
        ("3,1,2,beat", NUMBERS, "its numbers are in no order, but its label 'beat' stands above labels of another"),
        ("0.1,o.4,0.9,calm", WORDS, "'o.4' is no sample, but its label 'calm' is also a label below"),
        ("0.9,0.5,0.9.1,2", WORDS[:0] + NUMBERS, "'0.9.1' is no sample, but its label '2' is also a label below"),
        ("3,5,8,16,32,64,128,256,1", NUMBERS, "its numbers go in one direction, unlike those of any line below"),
    ],
)
def test_a_first_line_that_can_be_both_is_refused_with_the_two_ways_out(
    tmp_path: Path, first: str, labels: Sequence[object], reason: str
) -> None:
    path = written(tmp_path / "beats.csv", first, labels)
    with pytest.raises(DataError) as caught:
        from_file(path, target="-1")
    message = str(caught.value)
    assert message.startswith(f"{path}: line 1 can be column names or a row: {reason}")
    assert message.endswith("use --set dataset.header=true, if it is a row, --set dataset.header=false")
    assert "\n" not in message
    assert len(from_file(path, target="-1", header=True).labels) == 60


def test_rows_that_all_are_ramps_decide_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ramps.csv"
    path.write_text(
        "".join(f"{','.join(str(start + step) for step in range(12))},{start % 2 + 50}\n" for start in range(9))
    )
    with pytest.raises(DataError, match="its numbers are equally spaced, but so are those of lines below"):
        from_file(path, target="-1")
    assert len(from_file(path, target="-1", header=False).labels) == 9
