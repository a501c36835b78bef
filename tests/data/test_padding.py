"""NaN at the end of a row is padding in files of every form, and a missing value before the end is an error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoo.data.files import from_file
from zoo.data.series import LabelledSeries
from zoo.errors import DataError

NAN = np.nan
ENDED = np.array([[1, 2, 3, 4], [5, 6, NAN, NAN], [7, 8, 9, NAN], [1, 0, 1, 0]])
LABELS = ["N", "V", "V", "N"]
Doubles = npt.NDArray[np.float64]


def csv(folder: Path, values: Doubles, missing: str = "") -> LabelledSeries:
    rows = [",".join([*(missing if np.isnan(cell) else str(cell) for cell in row)]) for row in values]
    path = folder / "beats.csv"
    path.write_text("\n".join(["kind,a,b,c,d", *(f"{label},{row}" for label, row in zip(LABELS, rows, strict=True))]))
    return from_file(path, target="kind")


def csv_of_pandas(folder: Path, values: Doubles) -> LabelledSeries:
    frame = pytest.importorskip("pandas").DataFrame(values, columns=list("abcd")).assign(kind=LABELS)
    frame.to_csv(folder / "beats.csv", index=False)
    return from_file(folder / "beats.csv", target="kind")


def parquet(folder: Path, values: Doubles) -> LabelledSeries:
    columns = {name: pa.array(column, from_pandas=True) for name, column in zip("abcd", values.T, strict=True)}
    pq.write_table(pa.table({**columns, "kind": LABELS}), folder / "beats.parquet")
    return from_file(folder / "beats.parquet", target="kind")


def parquet_of_pandas(folder: Path, values: Doubles) -> LabelledSeries:
    frame = pytest.importorskip("pandas").DataFrame(values, columns=list("abcd")).assign(kind=LABELS)
    frame.to_parquet(folder / "beats.parquet", index=False)
    return from_file(folder / "beats.parquet", target="kind")


def npz(folder: Path, values: Doubles) -> LabelledSeries:
    np.savez(folder / "beats.npz", X=values, y=LABELS)
    return from_file(folder / "beats.npz")


def ts(folder: Path, values: Doubles, missing: str = "NaN", equal: str = "true") -> LabelledSeries:
    rows = [",".join(missing if np.isnan(cell) else str(cell) for cell in row) for row in values]
    header = [f"@equalLength {equal}", "@classLabel true N V", "@data"]
    lines = [*header, *(f"{row}:{label}" for row, label in zip(rows, LABELS, strict=True))]
    (folder / "beats.ts").write_text("\n".join(lines) + "\n")
    return from_file(folder / "beats.ts")


FORMS: dict[str, Callable[[Path, Doubles], LabelledSeries]] = {
    "csv": csv,
    "csv with nan": lambda folder, values: csv(folder, values, "nan"),
    "csv of pandas": csv_of_pandas,
    "parquet": parquet,
    "parquet of pandas": parquet_of_pandas,
    "npz": npz,
    "ts": ts,
    "ts with ?": lambda folder, values: ts(folder, values, "?", "false"),
}


@pytest.mark.parametrize("form", FORMS)
def test_nan_at_the_end_is_padding_in_every_form(tmp_path: Path, form: str) -> None:
    found = FORMS[form](tmp_path, ENDED)
    assert found.values[:, 0].tolist() == np.nan_to_num(ENDED).tolist()
    assert found.lengths is not None
    assert (found.lengths.tolist(), found.lengths.dtype) == ([4, 2, 3, 4], np.int64)
    assert [found.classes[label] for label in found.labels] == LABELS
    (name,) = (path.name for path in tmp_path.iterdir())
    assert found.notes == (f"{name}: NaN at the end of rows is read as padding",)


@pytest.mark.parametrize("form", FORMS)
def test_a_last_sample_that_no_row_has_is_left_out_in_every_form(tmp_path: Path, form: str) -> None:
    found = FORMS[form](tmp_path, np.where(np.arange(4) == 3, NAN, np.nan_to_num(ENDED, nan=9)))
    assert (found.n_times, found.lengths, len(found.notes)) == (3, None, 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_value_before_the_end_is_refused_in_every_form(tmp_path: Path, form: str) -> None:
    for row in ([NAN, 2, 3, 4], [1, NAN, 3, NAN], [NAN, NAN, NAN, NAN]):
        broken = ENDED.copy()
        broken[2] = row
        with pytest.raises(DataError, match=r"missing|NaN") as caught:
            FORMS[form](tmp_path, broken)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["csv", "parquet", "npz", "ts"])
def test_constant_rows_are_constant_up_to_their_end(tmp_path: Path, form: str) -> None:
    flat = ENDED.copy()
    flat[1] = [5, 5, NAN, NAN]
    with pytest.raises(DataError, match="1 row where all samples are equal"):
        FORMS[form](tmp_path, flat)
