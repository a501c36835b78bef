"""5,000 files that were changed: none changes the values that are read without a word.

Two questions are asked of every form. A change whose right reading is known, such as another number in a cell or a row
that was removed, must be read exactly so. After random damage, what is read must be what another reader finds: pandas,
numpy, pyarrow, or a few lines of Python. Where the damaged bytes have checksums, it must be what was written.
"""

import io
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import CHANGES, changed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from zoo.data.files import from_file
from zoo.data.series import TEST, LabelledSeries
from zoo.errors import ZooError

TIMES = 5
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
MISSING = ("", "nan", "?")
NAMES = [f"t{place}" for place in range(TIMES)]


@dataclass(frozen=True)
class Row:
    """A series with its label, its group if the form has groups, and whether it is a test row."""

    samples: tuple[float, ...]
    label: str
    group: str = ""
    test: bool = False


Rows = list[Row]


def some_rows() -> Rows:
    draw = np.random.default_rng(0)
    values = draw.normal(size=(16, TIMES)).round(3).tolist()
    return [
        Row(tuple(row), ("calm", "busy", "odd")[place % 3], f"p{place % 5}", place >= 10)
        for place, row in enumerate(values)
    ]


def rows_of(series: LabelledSeries) -> Rows:
    """The rows that were read, without padding."""
    lengths = np.full(len(series.labels), series.n_times) if series.lengths is None else series.lengths
    parts = series.splits["official"].parts == TEST if series.splits else np.zeros(len(lengths), bool)
    return [
        Row(
            tuple(series.values[row, :, : lengths[row]].ravel().tolist()),
            series.classes[series.labels[row]],
            "" if series.groups is None else str(series.groups[row]),
            bool(parts[row]),
        )
        for row in range(len(lengths))
    ]


def exact(row: Row) -> Row:
    """The row as float32, without missing samples at its end."""
    with np.errstate(over="ignore"):
        samples = np.array(row.samples, np.float64).astype(np.float32)
    filled = np.flatnonzero(~np.isnan(samples))
    return replace(row, samples=tuple(samples[: filled[-1] + 1 if filled.size else 0].tolist()))


def key(text: str) -> str | float:
    """A label or a group as it is compared: numbers written alike, such as 1.0 and 2.0, are read as 1 and 2."""
    return float(text) if NUMBER.fullmatch(text.strip()) else text.strip()


def assert_same(found: Rows, expected: Rows) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, map(exact, expected), strict=True):
        assert one.samples == other.samples
        assert (key(one.label), key(one.group), one.test) == (key(other.label), key(other.group), other.test)
    for name in ("label", "group"):  # no two texts became one
        assert len({getattr(row, name) for row in found}) == len({getattr(row, name).strip() for row in expected})


def number(cell: str) -> float:
    """The number in a cell, NaN for a missing one. Raises ValueError for any other text."""
    text = cell.strip(" \t")
    if text.lower() in MISSING:
        return float("nan")
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


# How each form is written, and read by another reader.


Files = tuple[bytes, ...]


def csv_of(rows: Rows) -> Files:
    lines = (",".join([*map(cell, row.samples), row.label, row.group]) for row in rows)
    return ("\n".join([",".join([*NAMES, "label", "who"]), *lines, ""]).encode(),)


def cell(value: float) -> str:
    return "" if np.isnan(value) else repr(value)


def rows_of_frame(frame: pd.DataFrame) -> Rows:
    samples = frame.drop(columns=["label", "who"]).to_numpy()
    return [
        Row(tuple(map(number, map(str, row))), str(label), str(who))
        for row, label, who in zip(samples, frame["label"], frame["who"], strict=True)
    ]


def csv_by_pandas(files: Files) -> Rows:
    text = files[0].decode("utf-8-sig")
    return rows_of_frame(pd.read_csv(io.StringIO(text, newline=""), dtype=str, na_filter=False, index_col=False))


def parquet_of(rows: Rows) -> Files:
    columns: dict[str, Any] = {name: [row.samples[place] for row in rows] for place, name in enumerate(NAMES)}
    buffer = io.BytesIO()
    table = pa.table(columns | {"label": [row.label for row in rows], "who": [row.group for row in rows]})
    pq.write_table(table, buffer, row_group_size=7, write_page_checksum=True, compression="none")
    return (buffer.getvalue(),)


def parquet_by_pyarrow(files: Files) -> Rows:
    table = pq.ParquetFile(io.BytesIO(files[0])).read()
    return rows_of_frame(pd.DataFrame({name: table[name].to_pylist() for name in table.column_names}))


def pages(content: bytes) -> int:
    """The size of the pages of a Parquet file, which end where its description begins."""
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def npz_of(rows: Rows) -> Files:
    buffer, arrays = io.BytesIO(), dict[str, Any]()
    for end, test in (("_train", False), ("_test", True)):
        of_set = [row for row in rows if row.test == test]
        arrays[f"X{end}"] = np.array([row.samples for row in of_set])
        arrays[f"y{end}"] = np.array([row.label for row in of_set])
        arrays[f"groups{end}"] = np.array([row.group for row in of_set])
    np.savez(buffer, **arrays)
    return (buffer.getvalue(),)


def npz_by_numpy(files: Files) -> Rows:
    with np.load(io.BytesIO(files[0]), allow_pickle=False) as file:
        return [
            Row(tuple(samples.tolist()), str(label), str(group), test)
            for end, test in (("_train", False), ("_test", True))
            for samples, label, group in zip(file[f"X{end}"], file[f"y{end}"], file[f"groups{end}"], strict=True)
        ]


TS_HEAD = "# waves\n@problemName Waves\n@timeStamps false\n@classLabel true calm busy odd\n@data\n"


def halves(rows: Rows) -> list[Rows]:
    """The rows of each file: those of the training set and the test set, or all."""
    sets = [[row for row in rows if row.test == test] for test in (False, True)]
    return [of_set for of_set in sets if of_set]


def ts_of(rows: Rows) -> Files:
    texts = ("".join(",".join(map(repr, row.samples)) + f":{row.label}\n" for row in half) for half in halves(rows))
    return tuple((TS_HEAD + text).encode() for text in texts)


def ts_by_hand(files: Files) -> Rows:
    rows: Rows = []
    for test, content in enumerate(files):
        filled = (line.removeprefix(b"\xef\xbb\xbf").strip() for line in content.split(b"\n"))
        lines = [line.decode() for line in filled if line and not line.startswith(b"#")]  # comments in any encoding
        start = next(place for place, line in enumerate(lines) if line.lower().split()[:1] == ["@data"])
        for *channels, label in (line.split(":") for line in lines[start + 1 :]):
            samples = tuple(number(cell) for channel in channels for cell in channel.split(","))
            rows.append(Row(samples, " ".join(label.split()), test=bool(test)))
    return rows


def tsv_of(rows: Rows) -> Files:
    lines = (
        "".join("\t".join([row.label, *map(repr, row.samples)]).replace("nan", "NaN") + "\n" for row in half)
        for half in halves(rows)
    )
    return tuple(text.encode() for text in lines)


def tsv_by_numpy(files: Files) -> Rows:
    rows: Rows = []
    for test, content in enumerate(files):
        lines = [line for line in re.split("[\r\n]", content.decode("utf-8-sig")) if line]
        table = np.loadtxt(lines, delimiter="\t", dtype=str, ndmin=2, quotechar='"', comments=None)
        rows += [Row(tuple(map(number, cells[1:])), str(cells[0]), test=bool(test)) for cells in table]
    return rows


@dataclass(frozen=True)
class Form:
    """A form of files.

    names   the names of its files
    write   returns files with these rows
    other   another reader
    groups, split  whether the form has groups, and a published split
    options  how labels and groups are requested
    known, damaged  the numbers of files that are changed in each way
    summed  returns the number of bytes, from the first, that have checksums
    """

    names: tuple[str, ...]
    write: Callable[[Rows], Files]
    other: Callable[[Files], Rows]
    known: int
    damaged: int
    groups: bool = False
    split: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    summed: Callable[[bytes], int] = lambda content: 0

    def rows(self, rows: Rows) -> Rows:
        """What this form can hold of the rows."""
        return [replace(row, group=row.group if self.groups else "", test=row.test and self.split) for row in rows]

    def read(self, folder: Path, files: Files) -> Rows:
        for name, content in zip(self.names, files, strict=True):
            (folder / name).write_bytes(content)
        return rows_of(from_file(folder / self.names[0], constant="keep", **dict(self.options)))


STATED = (("target", "label"), ("group", "who"))
AS_CSV = (*STATED, ("separator", ","), ("decimal", "."), ("header", True))
FORMS = {
    "csv": Form(("beats.csv",), csv_of, csv_by_pandas, 300, 500, groups=True, options=AS_CSV),
    "parquet": Form(
        ("beats.parquet",), parquet_of, parquet_by_pyarrow, 250, 400, groups=True, options=STATED, summed=pages
    ),
    "npz": Form(("beats.npz",), npz_of, npz_by_numpy, 300, 450, groups=True, split=True, summed=len),
    "ts": Form(("beats.ts",), ts_of, ts_by_hand, 600, 700),
    "tsv": Form(("beats.tsv",), tsv_of, tsv_by_numpy, 300, 500),
    "pair of ts": Form(("Waves_TRAIN.ts", "Waves_TEST.ts"), ts_of, ts_by_hand, 200, 200, split=True),
    "pair of tsv": Form(("Waves_TRAIN.tsv", "Waves_TEST.tsv"), tsv_of, tsv_by_numpy, 150, 150, split=True),
}
DRAWN = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)

NUMBERS = st.one_of(
    st.floats(-1e6, 1e6, width=32),
    st.sampled_from([0.0, 1e-30, -3e38, 16777217.0, 0.1, 1 / 3]),
    st.integers(-(10**9), 10**9).map(float),
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["number", "label", "group", "remove", "repeat", "swap", "end"]), *[st.integers(0, 99)] * 3
    ),
    min_size=1,
    max_size=4,
)


def edited(rows: Rows, edits: Sequence[tuple[str, int, int, int]], value: float) -> Rows:
    """Rows with other numbers, labels or groups, without rows, with a row twice, in another order, or cut short."""
    for kind, first, second, third in edits:
        rows = [*rows]
        place, other = first % len(rows), second % len(rows)
        row = rows[place]
        if kind == "number":
            samples = [*row.samples]
            samples[second % len(samples)] = value
            rows[place] = replace(row, samples=tuple(samples))
        elif kind == "label":
            rows[place] = replace(row, label=rows[other].label)
        elif kind == "group":
            rows[place] = replace(row, group=f"p0{third % 7}")
        elif kind == "remove":
            del rows[place]
        elif kind == "repeat":
            rows.insert(place, row)
        elif kind == "swap":
            rows[place], rows[other] = replace(rows[other], test=row.test), replace(row, test=rows[other].test)
        elif kind == "end":
            end = TIMES - second % (TIMES - 1)
            rows[place] = replace(row, samples=(*row.samples[:end], *[float("nan")] * (TIMES - end)))
    return rows


@pytest.mark.parametrize("name", FORMS)
def test_a_change_whose_reading_is_known_is_read_exactly(name: str, tmp_path: Path) -> None:
    form = FORMS[name]

    @settings(DRAWN, max_examples=form.known)
    @given(EDITS, NUMBERS)
    def try_all(edits: list[tuple[str, int, int, int]], value: float) -> None:
        rows = form.rows(edited(some_rows(), edits, value))
        assert_same(form.read(tmp_path, form.write(rows)), rows)

    try_all()


@pytest.mark.parametrize("name", FORMS)
def test_after_damage_the_values_are_those_of_another_reader(name: str, tmp_path: Path) -> None:
    form = FORMS[name]
    files = form.write(form.rows(some_rows()))
    read = 0

    @settings(DRAWN, max_examples=form.damaged)
    @given(st.integers(0, len(files) - 1), CHANGES, st.booleans())
    def try_all(place: int, changes: list[tuple[str, int, int, bytes]], sums: bool) -> None:
        nonlocal read
        content = files[place]
        end = form.summed(content) if sums else 0
        content = changed(content[:end], changes) + content[end:] if end else changed(content, changes)
        damaged = (*files[:place], content, *files[place + 1 :])
        with suppress(ZooError):
            found = form.read(tmp_path, damaged)
            assert_same(found, form.other(damaged))
            if end:
                assert_same(found, form.rows(some_rows()))
            read += 1

    try_all()
    assert read * 20 > form.damaged, "most files are refused, so little is compared"


def test_these_are_5000_files() -> None:
    assert sum(form.known + form.damaged for form in FORMS.values()) >= 5000
