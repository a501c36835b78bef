"""numpy's archives as data sets: what the arrays are read as, and the one line that says why they are not."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from zoo import DataError, UsageError
from zoo.data import LEFT_OUT, TEST, TRAIN, VALIDATION
from zoo.data.files import from_file
from zoo.data.protocols import separate

NAN = np.nan
VALUES = np.array([[0.5, 1, 2], [3, 1, 0], [1, 2, 4], [0, 1, 0]])
LABELS = np.array(["V", "N", "V", "N"])


def write(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def refusal(path: Path, **request: Any) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(DataError) as caught:
        from_file(path, **request)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "beats.npz"


@pytest.mark.parametrize("series", ["X", "values", "x", "data"])
@pytest.mark.parametrize("labels", ["y", "labels", "target"])
def test_series_and_labels_are_found_by_their_names(path: Path, series: str, labels: str) -> None:
    found = from_file(write(path, **{series: VALUES, labels: LABELS}))
    np.testing.assert_array_equal(found.values, VALUES.astype(np.float32)[:, np.newaxis])
    assert found.values.dtype == np.float32
    assert found.classes == ("N", "V")
    assert found.labels.tolist() == [1, 0, 1, 0]
    assert (found.lengths, found.groups, found.splits, found.notes) == (None, None, {}, ())


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4", "i2", "u1"])
def test_channels_stay_apart_whatever_numbers_are_stored_as(path: Path, kind: str) -> None:
    values = np.arange(24).reshape(4, 2, 3).astype(kind)
    found = from_file(write(path, X=np.asfortranarray(values), y=LABELS))
    np.testing.assert_array_equal(found.values, values.astype(np.float32))
    assert found.values.flags.c_contiguous


@pytest.mark.parametrize(
    ("labels", "classes", "indices"),
    [
        (np.array([10, 2, 10, 2], np.uint8), ("2", "10"), [1, 0, 1, 0]),
        (np.array([10.0, 2.0, 10.0, 2.0]), ("2", "10"), [1, 0, 1, 0]),
        (np.array(["10", "2", "10", "2"]), ("2", "10"), [1, 0, 1, 0]),
        (np.array(["10", "2", "10.0", "2"]), ("10", "10.0", "2"), [0, 2, 1, 2]),
        (np.array(["01", "1", "2", "1"]), ("01", "1", "2"), [0, 1, 2, 1]),
        (np.array([" b", "a", "b", "a "]), ("a", "b"), [1, 0, 1, 0]),
        (np.array([True, False, True, False]), ("0", "1"), [1, 0, 1, 0]),
        (np.array(["ä", "z", "ä", "z"], ">U1"), ("z", "ä"), [1, 0, 1, 0]),
        (np.array(["a\0b", "a", "a\0b", "a"]), ("a", "a\0b"), [1, 0, 1, 0]),
        (np.array([2**53 + 1, 2**53, 1, 2]), ("1", "2", str(2**53), str(2**53 + 1)), [3, 2, 0, 1]),
        (np.array([str(2**53 + 1), str(2**53), "2", "2"]), ("2", str(2**53), str(2**53 + 1)), [2, 1, 0, 0]),
        (np.array([2**63 - 1, 1, 2**63 - 1, 1], "u8"), ("1", str(2**63 - 1)), [1, 0, 1, 0]),
    ],
)
def test_labels_become_sorted_classes_as_those_of_tables_do(
    path: Path, labels: npt.NDArray[Any], classes: tuple[str, ...], indices: list[int]
) -> None:
    found = from_file(write(path, X=VALUES, y=labels))
    assert found.classes == classes
    assert found.labels.tolist() == indices


def test_arrays_of_other_names(path: Path) -> None:
    found = from_file(write(path, X=VALUES, y=[1, 2, 1, 2], kind=LABELS, who=["p", "q", "q", "p"]), target="kind")
    assert found.classes == ("N", "V")
    assert found.groups is None
    assert found.notes == ("beats.npz: arrays not read: y, who",)
    grouped = from_file(path, target="kind", group="who")
    assert grouped.groups is not None
    assert (grouped.groups.tolist(), grouped.group_noun) == (["p", "q", "q", "p"], "who")


def test_groups_are_found_by_their_name(path: Path) -> None:
    found = from_file(write(path, X=VALUES, y=LABELS, groups=[7, 7, 8.0, 9]))
    assert found.groups is not None
    assert (found.groups.tolist(), found.group_noun) == ([7, 7, 8, 9], "group")
    large = from_file(write(path, X=VALUES, y=LABELS, groups=[2**53 + 1, 2**53, 2**53, 0])).groups
    assert large is not None
    assert large.tolist() == [2**53 + 1, 2**53, 2**53, 0]


def test_groups_of_a_split_are_read_alike_in_all_of_its_sets(path: Path) -> None:
    halves = {"groups_train": ["01", "02", "03", "03"], "groups_test": ["01", "02", "X9", "03"]}
    split = {"X_train": VALUES, "y_train": LABELS, "X_test": VALUES + 9, "y_test": LABELS}
    found = from_file(write(path, **split, **halves))
    assert found.groups is not None
    assert found.groups.tolist() == ["01", "02", "03", "03", "01", "02", "X9", "03"]
    write(path, **split, groups_train=["01", "02", "03", "03"], groups_test=[1, 2, 3, 3])
    assert "array 'groups_train' and array 'groups_test' have groups of two types" in refusal(path)


def test_declared_lengths(path: Path) -> None:
    values = np.ones((4, 2, 5)) * np.arange(1, 6)
    values[1, :, 3:] = NAN
    found = from_file(write(path, X=values, y=LABELS, lengths=[2, 3, 4, 3]))
    assert found.lengths is not None
    assert found.lengths.tolist() == [2, 3, 4, 3]
    assert found.n_times == 4
    assert found.values[0].tolist() == [[1, 2, 0, 0]] * 2
    assert found.values[2].tolist() == [[1, 2, 3, 4]] * 2
    assert found.notes == ()


def test_a_series_may_be_of_one_sample_where_others_are_longer(path: Path) -> None:
    values = np.array([[1, NAN, NAN], [1, 2, 3], [4, NAN, NAN], [2, 3, 4]])
    ended = from_file(write(path, X=values, y=LABELS), constant="keep")
    declared = from_file(write(path, X=np.nan_to_num(values), y=LABELS, lengths=[1, 3, 1, 3]), constant="keep")
    for found in (ended, declared):
        assert found.lengths is not None
        assert found.lengths.tolist() == [1, 3, 1, 3]
        assert found.lengths.dtype == np.int64
        assert found.values[:, 0].tolist() == [[1, 0, 0], [1, 2, 3], [4, 0, 0], [2, 3, 4]]


def test_dropped_rows_take_their_lengths_and_groups_with_them(path: Path) -> None:
    values = np.array([[1, 2, 3, 4], [5, 5, 5, NAN], [1, 2, NAN, NAN], [1, 2, 4, NAN], [3, 4, 5, NAN]])
    write(path, X=values, y=["a", "b", "b", "a", "c"], groups=[1, 2, 3, 4, 5])
    found = from_file(path, constant="drop")
    assert found.lengths is not None
    assert found.lengths.tolist() == [4, 2, 3, 3]
    assert found.groups is not None
    assert found.groups.tolist() == [1, 3, 4, 5]
    assert found.labels.tolist() == [0, 1, 0, 2]


def test_lengths_that_are_all_the_same_are_none(path: Path) -> None:
    found = from_file(write(path, X=VALUES, y=LABELS, lengths=[2, 2, 2, 2]))
    assert found.lengths is None
    assert found.values[:, 0].tolist() == VALUES[:, :2].tolist()


def test_nan_at_the_end_of_rows_gives_their_lengths(path: Path) -> None:
    values = np.array([[[1, 2, NAN, NAN], [3, 4, NAN, NAN]], [[1, 2, 3, NAN], [4, 5, 6, NAN]]])
    found = from_file(write(path, X=values, y=[0, 1]))
    assert found.lengths is not None
    assert found.lengths.tolist() == [2, 3]
    assert found.values.tolist() == [[[1, 2, 0], [3, 4, 0]], [[1, 2, 3], [4, 5, 6]]]
    assert found.notes == ("beats.npz: NaN at the end of rows is read as padding",)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([[1, 2, 3], [1, NAN, 3]], "X[1, 1]"),
        ([[1, 2, NAN], [NAN, 2, 3]], "X[1, 0]"),
        ([[1, 2, NAN], [1, 2, np.inf]], "X[1, 2]"),
        ([[1, 2, 3], [1, -np.inf, NAN]], "X[1, 1]"),
        ([[1, 2, 3], [1, 1e300, 3]], "X[1, 1]"),
        ([[[1, 2], [1, 2]], [[1, 2], [1, NAN]]], "X[1, 1, 1]"),
        ([[[1, 2, NAN], [1, 2, NAN]], [[1, NAN, NAN], [1, 2, NAN]]], "X[1, 0, 1]"),
        ([[1, 2, np.inf], [1, 2, 3]], "X[0, 2]"),
    ],
)
def test_missing_and_infinite_samples(path: Path, values: list[Any], place: str) -> None:
    message = refusal(write(path, X=np.array(values), y=[0, 1]))
    assert f": 1 row with NaN or infinite samples before the end, the first at {place}; fill them in" in message


def test_nan_within_declared_lengths_is_missing(path: Path) -> None:
    values = np.array([[1, 2, NAN], [1, 2, 3]])
    assert "the first at X[0, 2]; " in refusal(write(path, X=values, y=[0, 1], lengths=[3, 2]))
    values[0, 2] = np.inf
    assert from_file(write(path, X=values, y=[0, 1], lengths=[2, 3])).values[:, 0].tolist() == [[1, 2, 0], [1, 2, 3]]


def test_a_row_of_nothing_but_nan(path: Path) -> None:
    values = np.array([[1, 2, 3], [NAN, NAN, NAN]])
    assert ": X[1] has only NaN samples; " in refusal(write(path, X=values, y=[0, 1]))


def test_a_published_split(path: Path) -> None:
    parts = {"_train": TRAIN, "_val": VALIDATION, "_test": TEST}
    arrays: dict[str, Any] = {}
    for number, end in enumerate(parts):
        arrays |= {f"x{end}": VALUES + 10 * number, f"y{end}": LABELS, f"groups{end}": [number] * 4}
    found = from_file(write(path, **arrays))
    assert [*found.splits] == ["official"]
    for number, (end, part) in enumerate(parts.items()):
        chosen = found.splits["official"].parts == part
        np.testing.assert_array_equal(found.values[chosen, 0], arrays[f"x{end}"].astype(np.float32))
        assert found.groups is not None
        assert found.groups[chosen].tolist() == [number] * 4
    assert not (found.splits["official"].parts == LEFT_OUT).any()
    assert separate(found, "official", seed=0).summary["rows"] == {"train": 4, "validation": 4, "test": 4}


def test_a_published_split_of_unequal_lengths_under_names_of_its_own(path: Path) -> None:
    ended = VALUES.copy()
    ended[0, 2] = NAN
    arrays = {"X_train": VALUES, "kind_train": LABELS, "who_train": [1, 2, 3, 4]}
    arrays |= {"X_test": ended, "kind_test": LABELS, "who_test": [5, 6, 7, 8]}
    found = from_file(write(path, **arrays), target="kind", group="who")
    whole = from_file(path, target="kind_train", group="who_test")
    assert (whole.classes, whole.group_noun) == (found.classes, "who")
    np.testing.assert_array_equal(whole.groups, found.groups)
    assert found.lengths is not None
    assert found.lengths.tolist() == [3, 3, 3, 3, 2, 3, 3, 3]
    assert found.groups is not None
    assert found.groups.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_constant_rows_are_those_of_one_value_in_each_channel_up_to_their_end(path: Path) -> None:
    values = np.array(
        [
            [[1, 2, 3], [2, 2, 2]],
            [[1, 1, NAN], [2, 2, NAN]],
            [[1, 1, 2], [2, 2, 2]],
            [[3, 3, 3], [0, 0, 0]],
        ]
    )
    write(path, X=values, y=LABELS)
    message = refusal(path)
    assert ": 2 rows where all samples are equal, the first at X[1]; `--set dataset.constant=drop`" in message
    assert len(from_file(path, constant="keep").labels) == 4
    assert ": array 'y' has one class, 'V'; " in refusal(path, constant="drop")
    dropped = from_file(write(path, X=values, y=["a", "c", "b", "b"]), constant="drop")
    assert (dropped.classes, dropped.labels.tolist(), dropped.lengths) == (("a", "b"), [0, 1], None)
    assert dropped.notes[0] == "2 of 4 rows left out: all their samples are equal"
    with pytest.raises(UsageError, match="constant must be one of error, keep, drop, not "):
        from_file(path, constant="dorp")


def test_constant_rows_of_a_split_are_named_by_their_array(path: Path) -> None:
    flat = VALUES.copy()
    flat[2] = 5
    write(path, X_train=VALUES, y_train=LABELS, X_test=flat, y_test=LABELS)
    assert "the first at X_test[2]; " in refusal(path)
    dropped = from_file(path, constant="drop")
    assert dropped.splits["official"].parts.tolist() == [TRAIN] * 4 + [TEST] * 3


@pytest.mark.parametrize(("part", "row"), [("train", 3), ("val", 0), ("val", 3), ("test", 0), ("test", 3)])
def test_a_constant_row_of_three_parts_is_counted_from_the_first_of_its_own(path: Path, part: str, row: int) -> None:
    flat = VALUES.copy()
    flat[row] = 5
    arrays: dict[str, Any] = {f"X_{each}": flat if each == part else VALUES for each in ("train", "val", "test")}
    write(path, **arrays, **{f"y_{each}": LABELS for each in ("train", "val", "test")})
    assert f": 1 row where all samples are equal, the first at X_{part}[{row}]; " in refusal(path)


def test_objects_are_never_unpickled(path: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    write(path, X=np.array([Trap(), Trap()], object), y=[0, 1])
    assert ": array 'X' holds objects, which are never unpickled; save numbers or text, " in refusal(path)
    write(path, X=VALUES, y=np.array([Trap()] * 4, object))
    assert ": array 'y' holds objects" in refusal(path)
    column = pytest.importorskip("pandas").Series(LABELS)
    write(path, X=VALUES, y=column)
    assert "pandas stores text as objects: save it as np.asarray(column, dtype=str)" in refusal(path)
    assert from_file(write(path, X=VALUES, y=np.asarray(column, dtype=str))).classes == ("N", "V")
    path.write_bytes(pickle.dumps(Trap()))
    assert "is not an .npz archive" in refusal(path)
    assert not (tmp_path / "sprung").exists()


def test_absent_empty_and_other_files(path: Path, tmp_path: Path) -> None:
    assert "there is no file" in refusal(path)
    path.write_bytes(b"")
    assert "is empty" in refusal(path)
    path.write_text("a,b\n1,2\n")
    assert "is not an .npz archive, or is cut short or damaged; write it again with numpy.savez" in refusal(path)
    with path.open("wb") as file:
        np.save(file, VALUES)
    assert "holds one array without a name; write it with numpy.savez(path, X=…, y=…)" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X", "text")
        archive.writestr("y", "text")
    assert ": 'X' is not a NumPy array; " in refusal(path)
    with zipfile.ZipFile(path, "w"):
        pass
    assert "; the file has no array" in refusal(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_anywhere_is_one_line_or_does_no_harm(path: Path, save: Any) -> None:
    save(path, X=VALUES.astype(np.float32), y=LABELS)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    cut = [whole[:size] for size in range(1, len(whole) - 22, 29)]
    for damaged in cut:
        path.write_bytes(damaged)
        assert "is not an .npz archive" in refusal(path)
    for position in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[position] ^= int(rng.integers(1, 256))
        path.write_bytes(flipped)
        try:
            found = from_file(path)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017 - some flips hit what nothing is read from
        else:
            np.testing.assert_array_equal(found.values[:, 0], VALUES)
            assert (found.classes, found.labels.tolist()) == (("N", "V"), [1, 0, 1, 0])


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 99999999999999999999)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, -3)}",
        "{[]: 1}",
        "(",
    ],
)
def test_headers_that_promise_what_is_not_there(path: Path, header: str) -> None:
    labels = io.BytesIO()
    np.save(labels, LABELS)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        archive.writestr("y.npy", labels.getvalue())
    assert ": array 'X' is cut short or damaged; write the file again" in refusal(path)


def test_series_that_no_memory_holds(path: Path) -> None:
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 72057594037927936)}"  # an exbibyte
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    assert refusal(path) == f"{path}: array 'X' does not fit into memory; save it as float32, or save fewer rows"


@pytest.mark.parametrize("shape", [(4,), (4, 3, 2, 1), (4, 1), (4, 187, 1), (0, 3), (4, 0, 3), ()])
def test_series_of_no_use(path: Path, shape: tuple[int, ...]) -> None:
    message = refusal(write(path, X=np.zeros(shape), y=LABELS))
    assert f": array 'X' has the shape {shape}; series are (rows, times) or (rows, channels, times)" in message


def test_series_that_are_no_numbers(path: Path) -> None:
    assert ": array 'X' holds complex128, not numbers; " in refusal(write(path, X=VALUES + 1j, y=LABELS))
    assert ": array 'X' holds <U1, not numbers; " in refusal(write(path, X=VALUES.astype("U1"), y=LABELS))


TALL = np.random.default_rng(0).normal(size=(4, 9, 2))


def test_more_channels_than_samples_are_refused_with_both_layouts(path: Path) -> None:
    message = refusal(write(path, X=TALL, y=LABELS))
    assert (
        "array 'X' has the shape (4, 9, 2); series are (rows, times) or (rows, channels, times), and 9 channels of 2 "
        "samples are unlikely: `--set dataset.layout=ntc` reads 9 samples of 2 channels, `nct` reads 9 channels"
    ) in message
    ntc, nct = (from_file(path, layout=layout) for layout in ("ntc", "nct"))
    np.testing.assert_array_equal(ntc.values, TALL.transpose(0, 2, 1).astype(np.float32))
    np.testing.assert_array_equal(nct.values, TALL.astype(np.float32))
    assert (ntc.values.flags.c_contiguous, ntc.notes, nct.notes) == (True, (), ())
    assert from_file(write(path, X=np.random.default_rng(0).normal(size=(4, 3, 3)), y=LABELS)).notes == ()


@pytest.mark.parametrize("name", ["X", "values", "x", "data"])
def test_the_name_of_an_array_may_state_its_layout(path: Path, name: str) -> None:
    for layout, values in (("ntc", TALL.transpose(0, 2, 1)), ("nct", TALL)):
        found = from_file(write(path, **{f"{name}_{layout}": TALL, "y": LABELS}))
        np.testing.assert_array_equal(found.values, values.astype(np.float32))
        arrays = {f"{name}_{layout}_{half}": TALL for half in ("train", "test")}
        split = from_file(write(path, **arrays, y_train=LABELS, y_test=LABELS))
        assert (split.values.shape[1:], [*split.splits]) == (values.shape[1:], ["official"])
    assert from_file(path, layout="nct").n_channels == 9
    with pytest.raises(UsageError, match=r"is named as nct, but dataset.layout is ntc: leave one out"):
        from_file(path, layout="ntc")


def test_the_last_axis_of_one_channel_needs_its_layout(path: Path) -> None:
    values = VALUES[:, :, np.newaxis]
    assert "with at least 2 samples; (rows, times, channels) needs `--set dataset.layout=ntc`" in refusal(
        write(path, X=values, y=LABELS)
    )
    np.testing.assert_array_equal(from_file(path, layout="ntc").values[:, 0], VALUES.astype(np.float32))


def test_padding_and_places_follow_the_layout(path: Path) -> None:
    values = TALL.copy()
    values[0, 6:] = NAN
    found = from_file(write(path, X=values, y=LABELS), layout="ntc")
    assert found.lengths is not None
    assert found.lengths.tolist() == [6, 9, 9, 9]
    values[1, 4, 1] = NAN
    assert "the first at X[1, 4, 1]; " in refusal(write(path, X=values, y=LABELS), layout="ntc")


def test_layouts_that_do_not_apply(path: Path) -> None:
    with pytest.raises(UsageError, match="must be one of ntc, nct, not 'tnc'"):
        from_file(write(path, X=TALL, y=LABELS), layout="tnc")
    with pytest.raises(UsageError, match=r"without channels: leave out dataset.layout=ntc"):
        from_file(write(path, X=VALUES, y=LABELS), layout="ntc")
    with pytest.raises(UsageError, match=r"dataset\.layout is for \.npz files"):
        from_file(path.with_suffix(".csv"), target="kind", layout="ntc")


def test_arrays_that_are_not_there(path: Path) -> None:
    write(path, signal=VALUES, y=LABELS)
    assert ": no array of series: expected X or values or x or data; the file has signal, y" in refusal(path)
    write(path, X=VALUES, kind=LABELS)
    message = refusal(path)
    assert (
        ": no array of labels: expected y or labels or target; the file has X, kind; name it with --target" in message
    )
    assert "no array named 'kidn'. Did you mean kind?" in refusal(path, target="kidn")
    assert "no array named 'who'. Available: X, kind." in refusal(path, target="kind", group="who")
    assert "requested as target and as group" in refusal(path, target="kind", group="kind")
    assert "'y' is requested as target and as group; name two arrays" in refusal(
        write(path, X=VALUES, y=LABELS), group="y"
    )
    write(path, X=VALUES, y=LABELS, **{f"more{number}": LABELS for number in range(12)})
    assert "no array named 'kind'. The file has 14 arrays, first 'X'." in refusal(path, target="kind")


def test_arrays_that_could_both_be_meant(path: Path) -> None:
    assert ": X and data could both be the series; keep one" in refusal(write(path, X=VALUES, data=VALUES, y=LABELS))
    write(path, X=VALUES, y=LABELS, labels=LABELS)
    assert ": y and labels could both be the labels; keep one; name it with --target" in refusal(path)
    assert len(from_file(path, target="labels").labels) == 4


def test_splits_that_are_not_whole(path: Path) -> None:
    assert ": the file has series for train only; " in refusal(write(path, X_train=VALUES, y_train=LABELS))
    write(path, X=VALUES, y=LABELS, X_test=VALUES, y_test=LABELS)
    assert "with and without '_test' in their names; keep one of the two" in refusal(path)
    split: dict[str, Any] = {"X_train": VALUES, "y_train": LABELS, "X_test": VALUES, "y_test": LABELS}
    assert "(1, 3) and (1, 2) (channels, times)" in refusal(write(path, **{**split, "X_test": VALUES[:, :2]}))
    two = np.stack([VALUES, VALUES], axis=1)
    assert ": X_train and X_test have the shapes (1, 3) and (2, 3) " in refusal(write(path, **{**split, "X_test": two}))
    third = {"X_val": VALUES[:, :2], "y_val": LABELS}
    assert ": X_train and X_val have the shapes (1, 3) and (1, 2) " in refusal(write(path, **split, **third))
    assert ": the file has series for val only; " in refusal(write(path, X_val=VALUES, y_val=LABELS))
    for half in ("y_train", "y_test"):
        assert "labels of two types" in refusal(write(path, **{**split, half: [0, 1, 0, 1]}))
    assert "only one of them has groups" in refusal(write(path, **split, groups_test=[0, 1, 0, 1]))


@pytest.mark.parametrize("name", ["y", "groups", "lengths"])
@pytest.mark.parametrize("shape", [(3,), (4, 1), ()])
def test_one_value_a_row(path: Path, name: str, shape: tuple[int, ...]) -> None:
    message = refusal(write(path, **{"X": VALUES, "y": LABELS, name: np.ones(shape)}))
    assert f": array {name!r} has the shape {shape}, not (4,): it needs one value per row" in message


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.array([0, 1, 0.5, 1]), ": array 'y' is 0.5 at y[2]; labels and groups are whole numbers or text"),
        (np.array([0, 1, NAN, 1]), ": array 'y' is empty in 1 row, the first at y[2]; "),
        (np.array(["a", "b", "", " "]), ": array 'y' is empty in 2 rows, the first at y[2]; "),
        (np.array([b"a", b"b", b"a", b"b"]), ": array 'y' holds |S1; save whole numbers or text (`.astype(str)`)"),
        (np.array([2**63, 1, 1, 1], "u8"), ": array 'y' holds whole numbers of 9223372036854775808 or more; "),
        (np.array(["\ud800", "a", "b", "a"]), ": array 'y' holds text that is not valid Unicode (lone surrogates); "),
        (np.array([1, 1, 1, 1]), ": array 'y' has one class, '1'; name the labels with --target"),
    ],
)
def test_labels_that_are_no_classes(path: Path, labels: npt.NDArray[Any], reason: str) -> None:
    assert reason in refusal(write(path, X=VALUES, y=labels))


@pytest.mark.parametrize(("length", "reason"), [(0, "is 0 at lengths[1]"), (4, "is 4 at lengths[1]"), ("a", "text")])
def test_lengths_out_of_range(path: Path, length: Any, reason: str) -> None:
    message = refusal(write(path, X=VALUES, y=LABELS, lengths=[1, length, 3, 3]))
    assert ": array 'lengths' " in message
    assert reason in message
