"""`.ts` files as data sets: the archive's own against a parse of their own, pairs, and one line for what is wrong.

The real data are looked for in ZOO_TEST_DATA, else in ../shared/data beside the checkout.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo import DataError, UsageError
from zoo.data import TEST, TRAIN, LabelledSeries
from zoo.data.files import data_set_name, from_file
from zoo.data.protocols import default_protocol, separate
from zoo.data.tsfile import read_ts

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ZOO_TEST_DATA", ROOT.parent / "shared" / "data"))
HEADER = (
    "#Two channels: a comment",
    "@problemName Waves",
    "@timeStamps false",
    "@missing false",
    "@univariate false",
    "@dimensions 2",
    "@equalLength false",
    "@classLabel true calm busy",
    "@data",
)
ROWS = ("0.5,1,2:3,4,5:busy", "1,-2.5E-1:0,7:calm", "1,2,3:0,0,1:busy")
FIRST = len(HEADER) + 1  # the line of the first row


def real(name: str) -> Path:
    folder = DATA / "ucr" / name
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}; set ZOO_TEST_DATA to the folder above ucr")
    return folder


def write(path: Path, *rows: str, header: tuple[str, ...] = HEADER) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in (*header, *rows)))
    return path


def write_pair(folder: Path, train: tuple[str, ...] = ROWS, test: tuple[str, ...] = ROWS[:2]) -> tuple[Path, Path]:
    return write(folder / "Waves_TRAIN.ts", *train), write(folder / "Waves_TEST.ts", *test)


def without(key: str, *more: str) -> tuple[str, ...]:
    """The header with another line, or none, in place of one."""
    place = next(number for number, line in enumerate(HEADER) if line.startswith(key))
    return (*HEADER[:place], *more, *HEADER[place + 1 :])


def refusal(path: Path, **request: Any) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(DataError) as caught:
        from_file(path, **request)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path.parent) in message
    return message


def parsed(path: Path) -> list[tuple[list[list[float]], str]]:
    """The rows of a file of the archive, each as its channels and its class."""
    lines = path.read_text().split("@data\n")[1].splitlines()
    return [
        ([[float(cell) for cell in channel.split(",")] for channel in line.split(":")[:-1]], line.split(":")[-1])
        for line in lines
    ]


def assert_rows(found: LabelledSeries, part: int, path: Path) -> None:
    index = np.flatnonzero(found.splits["official"].parts == part)
    expected = parsed(path)
    assert len(index) == len(expected)
    for row, (channels, name) in zip(index, expected, strict=True):
        length = len(channels[0])
        assert found.lengths is None or found.lengths[row] == length
        np.testing.assert_array_equal(found.values[row, :, :length], np.array(channels, np.float32))
        assert not found.values[row, :, length:].any()
        assert found.classes[found.labels[row]] == name


@pytest.mark.parametrize(
    ("name", "rows", "shape", "lengths"),
    [("JapaneseVowels", (270, 370), (12, 29), (7, 29)), ("BasicMotions", (40, 40), (6, 100), None)],
)
def test_the_archives_problems(
    name: str, rows: tuple[int, int], shape: tuple[int, int], lengths: tuple[int, int] | None
) -> None:
    folder = real(name)
    found = from_file(folder / f"{name}_TRAIN.ts")
    parts = found.splits["official"].parts
    assert ((parts == TRAIN).sum(), (parts == TEST).sum()) == rows
    assert found.values.shape == (sum(rows), *shape)
    if lengths is None:
        assert found.lengths is None
    else:
        assert found.lengths is not None
        assert (found.lengths.min(), found.lengths.max()) == lengths
    assert_rows(found, TRAIN, folder / f"{name}_TRAIN.ts")
    assert_rows(found, TEST, folder / f"{name}_TEST.ts")
    assert default_protocol(found) == "official"


def test_classes_of_an_archives_problem_stand_in_the_headers_order() -> None:
    assert from_file(real("BasicMotions")).classes == ("Standing", "Running", "Walking", "Badminton")


def test_series_labels_and_lengths_of_one_file(tmp_path: Path) -> None:
    found = from_file(write(tmp_path / "waves.ts", *ROWS))
    assert found.values.dtype == np.float32
    assert found.values.tolist() == [
        [[0.5, 1, 2], [3, 4, 5]],
        [[1, -0.25, 0], [0, 7, 0]],
        [[1, 2, 3], [0, 0, 1]],
    ]
    assert found.classes == ("calm", "busy")
    assert found.labels.tolist() == [1, 0, 1]
    assert found.lengths is not None
    assert found.lengths.tolist() == [3, 2, 3]
    assert (found.groups, found.splits, found.notes) == (None, {}, ())


def test_equal_lengths_are_none_and_one_channel_needs_no_dimensions(tmp_path: Path) -> None:
    header = ("@univariate true", "@equalLength true", "@seriesLength 3", "@classLabel true a b", "@data")
    found = from_file(write(tmp_path / "waves.ts", "1,2,3:a", "4,5,6:b", header=header))
    assert found.values.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]
    assert found.lengths is None
    assert from_file(write(tmp_path / "short.ts", "1,2:a", "4,5:b", header=header)).n_times == 2


def test_keys_in_any_case_blanks_comments_and_windows_line_ends(tmp_path: Path) -> None:
    expected = from_file(write(tmp_path / "waves.ts", *ROWS))
    header = [line.upper() if "classLabel" not in line else line.replace("classLabel", "CLASSLABEL") for line in HEADER]
    rows = ["", "  ", *(row.replace(",", " , ").replace(":", " : ") for row in ROWS), "# the end"]
    path = tmp_path / "windows.ts"
    path.write_bytes(b"\xef\xbb\xbf#caf\xe9\r\n" + "\r\n".join([*header, *rows]).encode())
    found = from_file(path)
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.classes == expected.classes


def test_rows_that_are_taken_keep_their_lines(tmp_path: Path) -> None:
    read = read_ts(write(tmp_path / "waves.ts", ROWS[0], "", *ROWS[1:]))
    assert [read.place(row) for row in range(3)] == [f"line {FIRST}", f"line {FIRST + 2}", f"line {FIRST + 3}"]
    taken = read.take(np.array([False, True, True]))
    assert taken.labels == ("calm", "busy")
    assert [row.tolist() for row in taken.series] == [[[1, -0.25], [0, 7]], [[1, 2, 3], [0, 0, 1]]]
    assert [taken.place(row) for row in range(2)] == [f"line {FIRST + 2}", f"line {FIRST + 3}"]


def test_every_way_to_name_a_pair_is_the_same_data_set(tmp_path: Path) -> None:
    folder = tmp_path / "problem"
    train, test = write_pair(folder)
    write(folder / "other.ts", *ROWS)
    for path in (train, test, folder):
        found = from_file(path)
        assert found.splits["official"].parts.tolist() == [TRAIN] * 3 + [TEST] * 2
        assert found.labels.tolist() == [1, 0, 1, 1, 0]
        assert data_set_name(path) == "Waves.ts"
        (note,) = found.splits["official"].notes
        assert note == "official: Waves_TRAIN.ts is the training set, Waves_TEST.ts the test set"
    assert from_file(folder / "other.ts").splits == {}
    assert data_set_name(folder / "other.ts") == "other.ts"


def test_a_pair_in_small_letters(tmp_path: Path) -> None:
    train, test = write_pair(tmp_path)
    train.rename(tmp_path / "waves_train.ts")
    test.rename(tmp_path / "waves_test.ts")
    assert [*from_file(tmp_path).splits] == ["official"]
    assert data_set_name(tmp_path / "waves_test.ts") == "waves.ts"


def test_a_pair_is_padded_to_the_longest_of_both_files(tmp_path: Path) -> None:
    train, _ = write_pair(tmp_path, test=("1,2,3,4:1,2,3,4:calm", "1,2:1,2:busy"))
    found = from_file(train)
    assert found.n_times == 4
    assert found.lengths is not None
    assert found.lengths.tolist() == [3, 2, 3, 4, 2]


def test_a_test_file_may_name_fewer_classes_or_name_them_in_another_order(tmp_path: Path) -> None:
    train, test = write_pair(tmp_path)
    write(test, *ROWS[:2], header=without("@classLabel", "@classLabel true late busy calm"))
    found = from_file(train)
    assert found.classes == ("calm", "busy", "late")
    assert found.labels.tolist() == [1, 0, 1, 1, 0]


def test_half_a_pair(tmp_path: Path) -> None:
    train, test = write_pair(tmp_path)
    test.unlink()
    found = from_file(train)
    assert found.splits == {}
    assert found.notes == ("Waves_TRAIN.ts is used as a complete data set: Waves_TEST.ts is not in the folder",)
    assert data_set_name(train) == "Waves_TRAIN.ts"
    train.rename(test)
    assert "is a test set, but its training set Waves_TRAIN.ts is not in the folder; download both" in refusal(test)
    assert "there is no file" in refusal(tmp_path / "Absent_TEST.ts")


def test_folders_without_a_pair_or_with_several(tmp_path: Path) -> None:
    assert "is a folder without a pair NAME_TRAIN and NAME_TEST of .ts or .tsv files" in refusal(tmp_path)
    write_pair(tmp_path)
    for name in ("Noise", "Xylem", "Beats", "Steps", "Gears"):
        for half in ("TRAIN", "TEST"):
            write(tmp_path / f"{name}_{half}.ts", *ROWS)
    names = ", ".join(f"{name}_TRAIN.ts" for name in ("Beats", "Gears", "Noise", "Steps", "Waves", "Xylem"))
    assert f"is a folder with 6 pairs; name a file of one of them: {names}" in refusal(tmp_path)
    write_pair(tmp_path / "one")
    (tmp_path / "one" / "Lone_TRAIN.ts").write_text("")
    assert from_file(tmp_path / "one").values.shape == (5, 2, 3)


def test_a_pair_of_other_channels(tmp_path: Path) -> None:
    train, test = write_pair(tmp_path)
    write(test, "1,2:calm", header=without("@dimensions", "@dimensions 1"))
    assert f"{train} and {test}: the files have 2 and 1 channels" in refusal(train)


@pytest.mark.parametrize("protocol", ["inter-patient", "inter-patient-strict"])
def test_there_are_no_groups_to_separate_by(tmp_path: Path, protocol: str) -> None:
    train, _ = write_pair(tmp_path)
    with pytest.raises(DataError, match=r"a \.ts file has no groups .* use --protocol official or holdout"):
        separate(from_file(train), protocol, seed=0)
    with pytest.raises(DataError, match=r"use --protocol holdout$"):
        separate(from_file(write(tmp_path / "waves.ts", *ROWS)), protocol, seed=0)


def test_what_only_other_files_have(tmp_path: Path) -> None:
    path = write(tmp_path / "waves.ts", *ROWS)
    for request in ({"target": "kind"}, {"group": "who"}):
        with pytest.raises(UsageError, match="leave out --target and --group"):
            from_file(path, **request)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"dataset\.header is for \.csv files"):
        from_file(path, header=True)


def test_constant_rows_are_those_of_one_value_in_each_channel(tmp_path: Path) -> None:
    train, test = write_pair(tmp_path, test=("1,1:1,2:calm", "3,3:0,0:busy", "1,2,3,4:0,0,0,0:calm"))
    message = refusal(train)
    assert f"Waves_TEST.ts: 1 row where all samples are equal, the first at line {FIRST + 1}; " in message
    assert len(from_file(train, constant="keep").labels) == 6
    dropped = from_file(train, constant="drop")
    assert dropped.splits["official"].parts.tolist() == [TRAIN] * 3 + [TEST] * 2
    assert dropped.lengths is not None
    assert dropped.lengths.tolist() == [3, 2, 3, 2, 4]
    assert dropped.notes == ("Waves_TEST.ts: 1 of 3 rows left out: all their samples are equal",)
    write(test, "3,3:0,0:busy")
    assert "no row is left: all samples are equal in 1 row of 1; " in refusal(train, constant="drop")


def test_absent_and_empty_files(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "absent.ts")
    path = tmp_path / "waves.ts"
    path.write_text("")
    assert "is empty" in refusal(path)
    assert "there are no rows after @data" in refusal(write(path))
    assert "there is no line @data, so the file is cut short" in refusal(write(path, header=HEADER[:-1]))


def test_what_is_no_such_file(tmp_path: Path) -> None:
    path = write(tmp_path / "waves.ts", "import { x } from './x'", header=())
    assert ": line 1 comes before @data but does not start with @" in refusal(path)
    path.write_bytes(b"G@\x00\x10\xff\xfe\n" * 3)
    assert ": line 1 is not UTF-8 text" in refusal(path)
    path.write_bytes("\n".join([*HEADER, *ROWS]).encode() + "\n1,2:3,4:café".encode("latin-1"))
    assert f": line {FIRST + 3} is not UTF-8 text" in refusal(path)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (without("@timeStamps", "@timestamps true"), "@timeStamps true: time stamps are not supported"),
        (without("@timeStamps", "@TIMESTAMPS TRUE"), "@timeStamps true: time stamps are not supported"),
        (without("@classLabel", "@targetLabel true"), "@targetLabel true: this is a regression problem"),
        (without("@classLabel", "@classLabel false"), "the header names no classes"),
        (without("@classLabel"), "the header names no classes"),
        (without("@classLabel", "@"), "the header names no classes"),
        (without("@classLabel", "@classLabel true"), "@classLabel names 0 classes"),
        (without("@classLabel", "@classLabel true busy"), "@classLabel names 1 classes"),
        (without("@classLabel", "@classLabel true a b a"), "@classLabel names 3 classes, 2 of them distinct"),
        (without("@dimensions", "@dimensions two"), "@dimensions is 'two', not a number of channels"),
        (without("@dimensions", f"@dimensions {'9' * 5000}"), f"@dimensions is '{'9' * 23}…', not a number of"),
        (without("@dimensions", "@dimension -2"), "@dimensions is '-2', not a number of channels"),
        (without("@dimensions", "@dimensions 0"), "@dimensions is '0', not a number of channels"),
    ],
)
def test_headers_of_no_use(tmp_path: Path, header: tuple[str, ...], reason: str) -> None:
    assert f"waves.ts: {reason}" in refusal(write(tmp_path / "waves.ts", *ROWS, header=header))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2:busy", " has 1 channel before its class, not 2; "),
        ("1,2:1,2:1,2:busy", " has 3 channels before its class, not 2; "),
        ("1,2", " has 0 channels before its class, not 2; "),
        ("1,2:1,2:bsuy", ": no class named 'bsuy'. Did you mean busy?"),
        ("1,2:1,2:?", ": no class named '?'. Available: busy, calm."),
        (f"1,2:1,2:{'l' * 24}", f": no class named '{'l' * 24}'. "),
        (f"1,2:1,2:{'l' * 25}", f": no class named '{'l' * 23}…'. "),
        ("1,2:1,2:1.25,1.5,1.75,2.0,2.25,2.5,2.75", ": no class named '1.25,1.5,1.75,2.0,2.25,…'. "),
        ("1,2,3:1,2:busy", ": channel 2 has 2 samples and channel 1 has 3; all channels of a row have the same length"),
        ("1,2:1,?:busy", ", channel 2, sample 2: '?' is a missing value; fill it in or remove the row"),
        ("NaN,1:?,1:busy", ", channel 1, sample 1: 'NaN' is a missing value; "),
        ("1,NaN,NaN:1,2,?:busy", ", channel 1, sample 2: 'NaN' is a missing value; "),
        ("?,NaN:NaN,?:busy", " has only missing samples; remove the row"),
        ("1,2:1,:busy", ", channel 2, sample 2: '' is a missing value; "),
        ("1,2,3::busy", ": channel 2 has 1 sample and channel 1 has 3; "),
        ("1,2:1,x2:busy", ", channel 2, sample 2: 'x2' is not a number; "),
        ("1,2:(0,1),(1,2):busy", ": channel 2 has 4 samples and channel 1 has 2; "),
        ("1,-inf:1,2:busy", ", channel 1, sample 2: '-inf' is infinite or too large; "),
        ("1,1e300:1,2:busy", ", channel 1, sample 2: '1e300' is infinite or too large; "),
    ],
)
def test_rows_of_no_use(tmp_path: Path, row: str, reason: str) -> None:
    path = write(tmp_path / "waves.ts", *ROWS, "", row)
    assert f"waves.ts: line {FIRST + 4}{reason}" in refusal(path)


def test_channels_are_counted_by_the_first_row_where_the_header_does_not_say(tmp_path: Path) -> None:
    path = write(tmp_path / "waves.ts", *ROWS, "1,2:busy", header=without("@dimensions"))
    assert f": line {FIRST + 2} has 1 channel before its class, not 2; " in refusal(path)
    path = write(tmp_path / "waves.ts", "1,2:busy", header=without("@dimensions", "@dimension 2"))
    assert f": line {FIRST} has 1 channel before its class, not 2; " in refusal(path)
    path = write(tmp_path / "waves.ts", "1,2,3", header=without("@dimensions"))
    assert f": line {FIRST - 1} has 0 channels before its class, not one or more; " in refusal(path)


def test_lengths_that_the_header_says_are_equal(tmp_path: Path) -> None:
    path = write(tmp_path / "waves.ts", *ROWS, header=without("@equalLength", "@equalLength true"))
    message = refusal(path)
    lines = f": line {FIRST + 1} has 2 samples and line {FIRST} has 3, but the header declares @equalLength true; "
    assert lines in message
    for line in ("@equalLength", "@equalLength no"):
        assert len(from_file(write(path, *ROWS, header=without("@equalLength", line))).labels) == 3


def test_one_sample_is_too_few(tmp_path: Path) -> None:
    path = write(tmp_path / "waves.ts", "1:2:busy", "2:1:calm")
    assert "all series have one sample" in refusal(path, constant="keep")


@pytest.mark.parametrize(
    ("header", "rows", "classes"),
    [
        ("standing still walking", ("standing still", "walking"), ("standing still", "walking")),
        ("walking standing still sitting", ("sitting", "standing still"), ("walking", "standing still", "sitting")),
        ("very calm very busy", ("very busy", "very calm"), ("very calm", "very busy")),
        ('"standing still" walking', ("standing still", "walking"), ("standing still", "walking")),
        ("'standing still' 'walking'", ("'standing still'", "'walking'"), ("standing still", "walking")),
        ("a b c d e", ("a b c", "d e"), ("a b c", "d e")),
        ("'a' 'b'", ("'a'", "'b'"), ("'a'", "'b'")),
    ],
)
def test_classes_that_contain_spaces(
    tmp_path: Path, header: str, rows: tuple[str, str], classes: tuple[str, ...]
) -> None:
    path = tmp_path / "waves.ts"
    path.write_text(f"@classLabel true {header}\n@data\n1,2:{rows[0]}\n2,1:{rows[1]}\n")
    found = from_file(path)
    assert found.classes == classes
    expected = [row if row in classes else row.strip("'") for row in rows]
    assert [found.classes[label] for label in found.labels] == expected


def test_a_class_that_contains_a_space_is_the_same_in_both_files_of_a_pair(tmp_path: Path) -> None:
    head = "@classLabel true standing still walking\n@data\n"
    (tmp_path / "Waves_TRAIN.ts").write_text(f"{head}1,2:standing still\n2,1:walking\n")
    (tmp_path / "Waves_TEST.ts").write_text(f"{head}2,5:walking\n3,1:walking\n")
    found = from_file(tmp_path)
    assert (found.classes, found.labels.tolist()) == (("standing still", "walking"), [0, 1, 1, 1])


def test_a_class_with_spaces_that_the_header_does_not_name_is_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "waves.ts"
    path.write_text("@classLabel true still standing walking\n@data\n1,2:standing still\n2,1:walking\n")
    assert refusal(path) == (
        f"{path}: line 3: the class 'standing still' contains a space, but spaces separate the classes in @classLabel; "
        "put it in quotes there, or write an underscore instead, in the header and in the rows"
    )


def test_an_empty_class_in_quotes_is_no_class(tmp_path: Path) -> None:
    path = tmp_path / "waves.ts"
    path.write_text("@classLabel true '' 'a b'\n@data\n1,2:''\n2,1:a b\n")
    assert "@classLabel names 2 classes, 1 of them distinct" in refusal(path)


def test_a_declared_length_that_is_wrong_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "waves.ts"
    path.write_text("@equalLength true\n@seriesLength 2\n@classLabel true a b\n@data\n1,5,2,5:a\n2,5,3,5:b\n")
    assert from_file(path).notes == ("waves.ts: the header declares @seriesLength 2, the rows have 4 samples",)
    path.write_text(path.read_text().replace("Length 2", "Length 4"))
    assert from_file(path).notes == ()
