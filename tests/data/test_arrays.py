"""Arrays and tables in memory as data sets: what they are read as, and the one line that says why they are not."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
import torch
from torch import Tensor, nn

from zoo.data.arrays import ArrayOptions, content_name, from_memory
from zoo.data.protocols import separate
from zoo.data.scaling import moments
from zoo.data.series import TEST, TRAIN, LabelledSeries
from zoo.data.unread import Unread, stacked, unread
from zoo.errors import ZooError
from zoo.training.batches import in_order
from zoo.training.loop import predict

ROWS, TIMES = 24, 6
X = np.random.default_rng(0).normal(size=(ROWS, TIMES)).astype(np.float32)
Y = np.arange(ROWS) % 3
NAMES = np.array(["N", "S", "V"])[Y]
PATIENTS = np.arange(ROWS) // 4
FRAME = pandas.DataFrame(X, columns=[f"t{time}" for time in range(TIMES)])
LABELLED = FRAME.assign(kind=NAMES, patient=PATIENTS)
PADDED = np.where(np.arange(TIMES) < 4, X, np.nan)


def read(given: object, **options: Any) -> LabelledSeries:
    return from_memory(given, ArrayOptions(**options))


SAME: dict[str, Any] = {
    "float64": (X.astype(np.float64), Y),
    "three axes": (X[:, None], Y),
    "lists": (X.tolist(), Y.tolist()),
    "tensors": (torch.tensor(X, requires_grad=True), torch.tensor(Y)),
    "lists of tensors": ([torch.tensor(row) for row in X], [torch.tensor(label) for label in Y]),
    "fortran": (np.asfortranarray(X), Y.astype(np.float32)),
    "labels as text": (X, Y.astype(str)),
    "a column": (X, pandas.Series(Y, index=range(7, 7 + ROWS))),
    "nullable": (X, pandas.array(Y, dtype="Int64")),
    "a table": (FRAME, Y),
    "a table of columns named by numbers": (pandas.DataFrame(X), Y),
    "arrow": (pyarrow.table({f"t{time}": X[:, time] for time in range(TIMES)}), Y),
}


@pytest.mark.parametrize("form", SAME)
def test_one_content_is_one_data_set_in_every_form(form: str) -> None:
    found = read(SAME[form])
    np.testing.assert_array_equal(np.asarray(found.values), X[:, np.newaxis])
    assert found.labels.tolist() == Y.tolist()
    assert (found.classes, found.lengths, found.groups) == (("0", "1", "2"), None, None)
    assert content_name(found) == content_name(read((X, Y)))


def test_another_content_has_another_name() -> None:
    changed = X.copy()
    changed[3, 2] += 1
    others = [
        read((X, Y)),
        read((changed, Y)),
        read((X, Y[::-1])),
        read((X, NAMES)),
        read((X, Y), group=PATIENTS),
        read((X[::2], Y[::2], X[1::2], Y[1::2])),
        read((PADDED, Y)),
    ]
    assert len({content_name(each) for each in others}) == len(others)
    assert content_name(others[0]).startswith("array-")


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (LABELLED, {"target": "kind", "group": "patient"}),
        (LABELLED.drop(columns="kind"), {"target": NAMES, "group": "patient"}),
        (LABELLED, {"target": "kind", "group": PATIENTS, "drop": "patient"}),
        (LABELLED.assign(kind=pandas.Categorical(NAMES)), {"target": "kind", "group": "patient"}),
        (LABELLED.set_index("patient"), {"target": "-1", "group": PATIENTS}),
        (LABELLED.set_index("patient"), {"target": "kind", "group": "patient"}),
        (LABELLED.set_index(["patient", "kind"]), {"target": "kind", "group": "patient"}),
        (LABELLED[::-1][::-1].iloc[:].set_axis(range(9, 9 + ROWS)), {"target": "kind", "group": "patient"}),
        (pyarrow.Table.from_pandas(LABELLED.set_index("patient")), {"target": "kind", "group": "patient"}),
        (pyarrow.Table.from_pandas(LABELLED.set_axis([*range(1, ROWS), 0])), {"target": "kind", "group": "patient"}),
        (pyarrow.Table.from_pandas(LABELLED), {"target": "kind", "group": "patient"}),
        ((LABELLED.drop(columns="kind"), NAMES), {"group": "patient"}),
        ((X, NAMES.tolist()), {"group": PATIENTS.tolist()}),
    ],
)
def test_labels_and_groups_are_columns_or_arrays(given: object, options: dict[str, Any]) -> None:
    found = read(given, **options)
    np.testing.assert_array_equal(np.asarray(found.values), X[:, np.newaxis])
    assert np.array(found.classes)[found.labels].tolist() == NAMES.tolist()
    assert found.groups is not None
    assert found.groups.tolist() == PATIENTS.tolist()
    assert "24 rows x 6 samples" in found.read
    assert "3 classes 8/8/8" in found.read


def test_four_arrays_are_a_published_split() -> None:
    given = (X[:16], Y[:16], FRAME[16:], Y[16:])
    found = read(given, group=(PATIENTS[:16], PATIENTS[16:]))
    np.testing.assert_array_equal(np.asarray(found.values), X[:, np.newaxis])
    assert found.splits["official"].parts.tolist() == [TRAIN] * 16 + [TEST] * 8
    assert found.groups is not None
    assert found.groups.tolist() == PATIENTS.tolist()


def test_nan_at_the_end_is_padding_and_the_array_stays_as_it_is() -> None:
    given = PADDED.copy()
    given[0] = X[0]
    before = given.copy()
    found = read((given, Y))
    assert found.lengths is not None
    assert found.lengths.tolist() == [6] + [4] * 23
    assert (np.asarray(found.values)[1:, :, 4:] == 0).all()
    assert found.notes == ("the arrays: NaN at the end of rows is read as padding",)
    np.testing.assert_array_equal(given, before)


def with_value(value: float, *places: tuple[Any, ...]) -> Any:
    values = X.copy()
    for place in places:
        values[place] = value
    return values


MIXED = FRAME.set_axis([*range(ROWS - 1), "last"])
SHUFFLED = pandas.Series(Y).sample(frac=1, random_state=0)
REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (X, {}, "dataset= takes a name, a path, a table, a LabelledSeries, (X, y) or (X_train, y_train, X_test, y_test), "),
    ((X, Y, PATIENTS), {}, "not a tuple of 3; a list has several data sets"),
    ((X, Y[:-1]), {}, "y has the shape (23,), not (24,): it needs one value per row"),
    ((X, Y[:, None]), {}, "y has the shape (24, 1), not (24,)"),
    ((X, Y + 0.5), {}, "y is 0.5 at y[0]; labels and groups are whole numbers or text"),
    ((X, ["a", 1] * 12), {}, "y holds values of several types"),
    ((X, [None, *Y[1:].tolist()]), {}, "y is empty in 1 row, the first at y[0]"),
    ((X, Y * 0), {}, "y has one class, '0'"),
    ((with_value(np.nan, (5, 2)), Y), {}, "1 row with NaN or infinite samples before the end, the first at X[5, 2]"),
    ((with_value(np.nan, (5,)), Y), {}, "X[5] has only NaN samples"),
    (
        (X.astype(np.float64) * 1e300, Y),
        {},
        "24 rows with NaN or infinite samples before the end, the first at X[0, 0]",
    ),
    (
        (with_value(1, (7,)), Y),
        {},
        "1 row where all samples are equal, the first at X[7]; `--set dataset.constant=drop`",
    ),
    ((np.ones((24, 40, 3)) * np.arange(3), Y), {}, "40 channels of 3 samples are unlikely: `--set dataset.layout=ntc`"),
    ((X, Y), {"layout": "tnc"}, "dataset.layout must be one of ntc, nct"),
    ((FRAME, Y), {"layout": "ntc"}, "dataset.layout is for arrays with three axes"),
    ((X + np.complex64(0), Y), {}, "X holds complex64, not numbers"),
    ((np.ma.masked_less(X, 0), Y), {}, "X has masked values"),
    (([[1, 2], [3]], [0, 1]), {}, "X has rows of unequal lengths; pad them with NaN at the end"),
    ((X, Y), {"target": Y}, "target= is for a table or a file: (X, y) has its labels"),
    ((X, Y), {"group": "patient"}, "group='patient' names a column, but X is an array"),
    ((X, Y), {"columns": "t*"}, "columns and drop are for tables"),
    ((X, Y, X, Y), {"group": PATIENTS}, "group= takes (group_train, group_test)"),
    (LABELLED, {}, "the DataFrame: name the column of the labels with target="),
    (LABELLED, {"target": "kin"}, "the DataFrame: no column named 'kin'. Did you mean kind?"),
    (LABELLED, {"target": "kind"}, "the DataFrame: column 'patient' seems to be no sample"),
    ((LABELLED, Y), {}, "the DataFrame: column 'kind' holds "),
    (LABELLED, {"target": "kind", "group": "kind"}, "column 'kind' is requested as target and as group"),
    (
        LABELLED.assign(t2=with_value(np.nan, (4, 2))[:, 2]),
        {"target": "kind", "group": "patient"},
        "row 4 (counted from",
    ),
    (LABELLED[:0], {"target": "kind"}, "the DataFrame has no rows"),
    (pandas.concat([FRAME, FRAME], axis=1), {"target": Y}, "6 column names are repeated, 't0' first"),
    ((np.c_[np.arange(ROWS), X], Y), {}, "X[:, 0] seems to be no sample: it counts the rows"),
    (pandas.DataFrame(np.c_[X, Y]), {"target": Y}, "column '6' seems to be no sample: it repeats the labels"),
    ((FRAME, SHUFFLED), {}, "y has the rows in another order, by its index: pass y.loc[X.index]"),
    ((X, pandas.Series(Y)), {"group": SHUFFLED}, "group has the rows in another order, by its index: pass group.loc[y"),
    ((MIXED, pandas.Series(Y, index=MIXED.index[::-1])), {}, "y has the rows in another order, by its index"),
    ((FRAME[2:], pandas.Series(Y, index=range(1, 1 + ROWS))[:-2]), {}, "y has other rows than X, by its index"),
    ((LABELLED, None), {}, "y is None: pass the labels of X, or the table alone with target="),
    ((FRAME, Y, FRAME[FRAME.columns[::-1]], Y), {}, "X_train has 't0' where X_test has 't5'"),
    ((X, Y, X[:, :5], Y), {}, "X_train and X_test have the shapes (1, 6) and (1, 5)"),
    (read((X, Y)), {"target": "kind"}, "a LabelledSeries states its labels"),
]


@pytest.mark.parametrize(("given", "options", "line"), REFUSED, ids=[line[:40] for *_, line in REFUSED])
def test_what_cannot_be_used_is_refused_in_one_line(given: Any, options: dict[str, Any], line: str) -> None:
    with pytest.raises(ZooError) as caught:
        read(given, **options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unread_values_are_those_of_the_array() -> None:
    array = np.arange(60).reshape(10, 3, 2).transpose(0, 2, 1)
    values = stacked([unread(array), unread(array[:4])])
    expected = np.concatenate([array, array[:4]]).astype(np.float32)
    assert isinstance(values, Unread)
    assert (values.shape, values.nbytes) == (expected.shape, expected.nbytes)
    np.testing.assert_array_equal(values[8:12], expected[8:12])
    np.testing.assert_array_equal(values[np.array([13, 0, 9, 0])], expected[[13, 0, 9, 0]])
    np.testing.assert_array_equal(np.asarray(values), expected)
    assert values[0:1].flags.c_contiguous
    assert values[0:1].base is None


class Means(nn.Module):
    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return torch.stack([x.mean((1, 2)), x.amax((1, 2))], 1)


def test_a_memory_map_is_never_copied_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """80 MB on disk, of which what a bench on 200 rows does keeps less than a half in memory at any time."""
    monkeypatch.setattr("zoo.data.unread.AT_ONCE", 2**20)
    monkeypatch.setattr("zoo.data.unread.PIECE", 2**19)
    values = np.memmap(tmp_path / "values.dat", np.float32, "w+", shape=(80_000, 250))
    values[:] = np.random.default_rng(0).random(values.shape, dtype=np.float32) * 100
    values[::3, 200:] = np.nan
    tracemalloc.start()
    try:
        series = read((values, np.arange(len(values)) % 2))
        content_name(series)
        parts = separate(series, "holdout", seed=0, rows=200)
        moments(series.values, series.lengths, parts.pool)
        scaled = parts.scaled("standard")
        parts.test.training_ended()
        test = parts.test.open()
        for rows in (test, scaled.validation):
            assert predict(Means(), in_order(rows, torch.device("cpu"))).shape == (len(rows), 2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(test.values, Unread)
    assert isinstance(scaled.validation.values, Unread)
    np.testing.assert_array_equal(test.values[0:9], np.nan_to_num(values[test.index[:9], np.newaxis]))
    assert peak < values.nbytes / 2
