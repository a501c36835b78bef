"""Series in one column of lists of a Parquet file, as pandas, polars and Spark write them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoo import DataError
from zoo.data.files import from_file

ROWS = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
LABELS = ["calm", "busy"] * 15
LISTS = [row.tolist() for row in ROWS]


def write(path: Path, lists: Any, **columns: Any) -> Path:
    pq.write_table(pa.table({"X": lists, **columns, "label": LABELS}), path, row_group_size=7)
    return path


def refusal(path: Path, **request: Any) -> str:
    with pytest.raises(DataError) as caught:
        from_file(path, target="label", **request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 6)],
)
def test_lists_of_one_length_are_series(tmp_path: Path, kind: Any) -> None:
    found = from_file(write(tmp_path / "beats.parquet", pa.array(LISTS, kind)), target="label")
    np.testing.assert_array_equal(found.values[:, 0], ROWS)
    assert (found.lengths, found.notes, found.classes) == (None, (), ("busy", "calm"))
    assert found.read == 'read beats.parquet: 30 rows x 6 samples (X), label "label": 2 classes 15/15'


def test_lists_that_pandas_writes(tmp_path: Path) -> None:
    path = tmp_path / "beats.parquet"
    pd.DataFrame({"X": [*(ROWS * 100).astype(int)], "label": LABELS}).to_parquet(path)
    np.testing.assert_array_equal(from_file(path, target="label").values[:, 0], (ROWS * 100).astype(int))


def test_lists_of_unequal_lengths(tmp_path: Path) -> None:
    lists = [row[: 2 + place % 4] for place, row in enumerate(LISTS)]
    path = tmp_path / "beats.parquet"
    found = from_file(write(path, lists), target="label")
    assert found.lengths is not None
    assert found.lengths.tolist() == [2 + place % 4 for place in range(30)]
    for place, row in enumerate(found.values[:, 0]):
        assert row.tolist() == lists[place] + [0] * (5 - len(lists[place]))
    assert found.notes == ()
    lists[3] = [0.5, 1, None]
    ended = from_file(write(path, lists), target="label")
    assert ended.lengths is not None
    assert ended.lengths[:5].tolist() == [2, 3, 4, 2, 2]
    assert ended.notes == ("beats.parquet: NaN at the end of rows is read as padding",)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([[1, None, 2]] * 30, "30 rows with missing, NaN or infinite samples, the first at row 1, column 'X[1]'"),
        ([[1, 2]] * 29 + [[]], "row 30 has only missing samples"),
        ([[1, 2]] * 29 + [None], "row 30 has only missing samples"),
        ([[1]] * 30, "column 'X' has lists of 1; a series needs at least 2 samples"),
        ([["a", "b"]] * 30, "column 'X' holds list<element: string>, not numbers; write one column"),
        (
            [[[1, 2], [1, 2]]] * 30,
            "column 'X' holds list<element: list<element: int64>>, not numbers; write",
        ),
        ([{"a": 1}] * 30, "column 'X' holds struct<a: int64>, not numbers; write one column for each sample, or"),
    ],
)
def test_lists_that_are_no_series_are_one_line(tmp_path: Path, lists: Any, message: str) -> None:
    assert message in refusal(write(tmp_path / "beats.parquet", lists))


def test_lists_beside_other_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "beats.parquet", LISTS, rate=[60.5] * 30, more=[{"a": 1}] * 30)
    assert "column 'more' holds struct<a: int64>, not numbers; " in refusal(path)
    message = refusal(path, drop="more")
    assert "column 'X' holds lists of samples, and 'rate' is a sample as well; use --columns X or --drop X" in message
    for choice in ({"columns": "X"}, {"drop": "rate,more"}):
        found = from_file(path, target="label", **choice)
        np.testing.assert_array_equal(found.values[:, 0], ROWS)
        assert found.read.endswith("left out: rate, more")
    frame = pd.DataFrame(ROWS, columns=["0.5", "0", "1", "1.5", "2", "2.5"]).assign(label=LABELS, more=LISTS)
    frame.set_index("label").to_parquet(path)
    found = from_file(path, target="label", drop="more")
    np.testing.assert_array_equal(found.values[:, 0], ROWS)
