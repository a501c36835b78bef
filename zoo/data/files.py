"""Any labelled table, CSV or Parquet, as a data set, and the checks that every file of rows goes through.

Nothing is unpickled: cells are numbers, text or a reason to refuse the file.
"""

import csv
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from zoo.data.series import Floats, Ints, LabelledSeries
from zoo.errors import DataError, UsageError, unknown_name

CONSTANT = ("error", "keep", "drop")
CSV_SUFFIXES = (".csv",)
PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")

# A line must fit into a block of pyarrow's reader; 4 MiB holds lines of 160,000 samples.
_BLOCK_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Table:
    """The columns of a file, and where its rows stand in it.

    path    the file
    names   the columns' names, in file order
    data    a `pyarrow.Table` with these columns
    header  whether the first line of a CSV holds the names; None for Parquet
    """

    path: Path
    names: tuple[str, ...]
    data: Any
    header: bool | None = None

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def place(self, row: int) -> str:
        """Where a row, counted from 0, stands: `line 7` of a CSV, `row 7` of a Parquet file, from 1 on."""
        if self.header is None:
            return f"row {row + 1}"
        return f"line {_line_number(self.path, row + self.header)}"

    def column(self, asked: str) -> str:
        """The name of the column a user asks for: a name, or a place from the end (`-1` is the last).

        Raises DataError where there is none.
        """
        return _column_name(self.path, self.names, asked)

    def numbers(self, names: Sequence[str]) -> Floats:
        """The columns as float32 `(rows, len(names))`.

        Raises DataError where a column holds no numbers, or a value is missing, NaN or infinite.
        """
        values = np.empty((len(self), len(names)), np.float32)
        # A float64 too large for float32 becomes infinite, which is refused below by its place.
        with np.errstate(over="ignore"):
            for position, name in enumerate(names):
                values[:, position] = self._floats(name)
        check_finite(values, self, names)
        return values

    def keys(self, name: str) -> npt.NDArray[Any]:
        """A column of labels or groups: int64 `(rows,)` where all are whole numbers, else text.

        Raises DataError where a value is missing or is neither a whole number nor text.
        """
        cells = _numbers_if_possible(_plain(self.data.column(name)))
        self._check_none_missing(cells, name)
        kind = cells.type
        if pyarrow.types.is_floating(kind):
            return self._whole(cells.to_numpy(), name)
        if pyarrow.types.is_integer(kind) or pyarrow.types.is_boolean(kind):
            return np.asarray(cells.cast("int64", safe=False).to_numpy(), np.int64)
        if _is_text(kind):
            return np.array(cells.to_pylist(), np.str_)
        raise DataError(f"{self.path}: column {name!r} holds {kind}; labels and groups are whole numbers or text")

    def _floats(self, name: str) -> npt.NDArray[np.floating[Any]]:
        column = self.data.column(name)
        if not _is_number(column.type):
            raise DataError(
                f"{self.path}: column {name!r} holds {column.type}, not numbers; "
                "take it out of the file (only the target and the group may be text)"
            )
        if column.type != pyarrow.float32():
            column = column.cast("float64", safe=False)
        return np.asarray(column.to_numpy())

    def _check_none_missing(self, cells: Any, name: str) -> None:
        missing = np.flatnonzero(pyarrow.compute.is_null(cells, nan_is_null=True).to_numpy())
        if missing.size:
            raise DataError(
                f"{self.path}: column {name!r} is empty in {_rows(missing.size)}, the first at "
                f"{self.place(missing[0])}; fill it in or take these rows out"
            )

    def _whole(self, values: npt.NDArray[np.float64], name: str) -> Ints:
        broken = np.flatnonzero(~np.isfinite(values) | (values != np.floor(values)) | (np.abs(values) > 2**53))
        if broken.size:
            raise DataError(
                f"{self.path}: column {name!r} is {values[broken[0]]!s} at {self.place(broken[0])}; "
                "labels and groups are whole numbers or text"
            )
        return values.astype(np.int64)


def from_file(
    path: Path,
    *,
    target: str,
    group: str | None = None,
    constant: str = "error",
    header: bool | None = None,
) -> LabelledSeries:
    """A labelled table as a data set of one channel: one row a series, one column a sample.

    path      a `.csv` or `.parquet` (`.parq`, `.pq`) file
    target    the column with the labels; -1 is the last
    group     the column of what rows must not be separated by, such as the patient
    constant  what becomes of rows whose samples are all equal: "error", "keep" or "drop"
    header    whether the first line of a CSV holds the columns' names; None looks at the line

    All other columns are the samples, in file order. Classes are sorted, numbers as numbers.
    Raises DataError, in one line that names the file, the place and the way out, for what cannot be used.
    """
    asked = (target,) if group is None else (target, group)
    _check_differ(path, asked)
    table = read_table(path, header=header, text=asked)
    named = [table.column(name) for name in asked]
    _check_differ(path, named)
    samples = [name for name in table.names if name not in named]
    if len(samples) < 2:
        raise DataError(f"{path}: {len(samples)} sample columns beside {', '.join(named)}; a series has at least 2")
    values = table.numbers(samples)
    kept = rows_to_keep(values, constant, str(path), table.place)
    labels, classes = _labels(table, named[0], kept)
    return LabelledSeries(
        values=values[kept][:, np.newaxis, :],
        labels=labels,
        classes=classes,
        groups=table.keys(named[1])[kept] if group is not None else None,
        group_noun=named[1] if group is not None else "group",
        notes=dropped_note(kept),
    )


def read_table(path: Path, *, header: bool | None = None, text: Collection[str] = ()) -> Table:
    """A CSV or Parquet file, by its extension; the files of a folder are not looked at.

    header  whether the first line of a CSV holds names; None looks: it does where it is not a row of numbers.
            Without names the columns are called "0", "1", …
    text    columns of a CSV that stay text, as a user asks for them; all others must be numbers

    Raises DataError where the file is absent, empty, damaged, ragged, or a cell is no number.
    """
    check_file(path)
    suffix = path.suffix.lower()
    if suffix in CSV_SUFFIXES:
        table = _read_csv(path, header, text)
    elif suffix in PARQUET_SUFFIXES:
        table = _read_parquet(path)
    else:
        known = ", ".join(CSV_SUFFIXES + PARQUET_SUFFIXES)
        raise DataError(f"{path}: extension {path.suffix!r} is not one of {known}; convert the file")
    if not len(table):
        raise DataError(f"{path}: the file has columns but no rows")
    return table


def check_file(path: Path) -> None:
    """Raise DataError unless there is a file that can be read and is not empty."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"{path} is a folder; name a file in it")
        if not stat.S_ISREG(mode):
            raise DataError(f"{path} is not a regular file; copy the data to one")
        with path.open("rb") as file:
            if not file.read(1):
                raise DataError(f"{path} is empty; write or download it again")
    except FileNotFoundError as error:
        raise DataError(f"there is no file {str(path)!r}; check its name and the folder you are in") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check its permissions") from error


def check_finite(values: Floats, table: Table, names: Sequence[str]) -> None:
    """Raise DataError where rows of `(rows, len(names))` hold a value that is missing, NaN or infinite."""
    finite = np.isfinite(values)
    broken = np.flatnonzero(~finite.all(axis=1))
    if broken.size:
        first = broken[0]
        name = names[int(np.argmin(finite[first]))]
        raise DataError(
            f"{table.path}: {_rows(broken.size)} with missing, NaN or infinite samples, the first at "
            f"{table.place(first)}, column {name!r}; fill them in or take these rows out"
        )


def rows_to_keep(values: Floats, constant: str, source: str, place: Callable[[int], str]) -> npt.NDArray[np.bool_]:
    """bool `(rows,)`, false for the constant rows of `(rows, times)` that `constant="drop"` leaves out.

    Raises DataError where there are any and `constant` is "error"; UsageError where it is no known word.
    """
    if constant not in CONSTANT:
        raise UsageError(f"constant is {constant!r}; it is one of {', '.join(CONSTANT)}")
    flat = (values == values[:, :1]).all(axis=1)
    if constant == "keep" or not flat.any():
        return np.ones(len(values), np.bool_)
    if constant == "error":
        raise DataError(
            f"{source}: {_rows(int(flat.sum()))} where all samples are equal, the first at "
            f"{place(int(np.argmax(flat)))}; `--set dataset.constant=drop` leaves them out, `keep` keeps them"
        )
    kept: npt.NDArray[np.bool_] = ~flat
    return kept


def dropped_note(kept: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    """What to say of the constant rows that were left out: one note, or none where none were."""
    dropped = int(np.count_nonzero(~kept))
    return (f"{dropped} of {len(kept)} rows left out: all their samples are equal",) if dropped else ()


def _labels(table: Table, name: str, kept: npt.NDArray[np.bool_]) -> tuple[Ints, tuple[str, ...]]:
    found, labels = np.unique(table.keys(name)[kept], return_inverse=True)
    if len(found) < 2:
        only = f"one class, {str(found[0])!r}" if len(found) else "no class"
        raise DataError(f"{table.path}: column {name!r} has {only}; name the column with the labels (--target)")
    return labels.astype(np.int64), tuple(str(value) for value in found)


def _check_differ(path: Path, named: Sequence[str]) -> None:
    if len(set(named)) < len(named):
        raise DataError(f"{path}: column {named[0]!r} is asked for as target and as group; name two columns")


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _column_name(path: Path, names: Sequence[str], asked: str) -> str:
    if asked in names:
        return asked
    if asked.startswith("-") and asked[1:].isdecimal() and 1 <= int(asked[1:]) <= len(names):
        return names[int(asked)]
    hint = f"There are {len(names)}, from {names[0]!r} to {names[-1]!r}; -1 is the last."
    raise DataError(f"{path}: {unknown_name('column', asked, names, hint)}")


def _is_text(kind: Any) -> bool:
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))


def _is_number(kind: Any) -> bool:
    types = pyarrow.types
    known = (types.is_floating, types.is_integer, types.is_boolean, types.is_decimal, types.is_null)
    return any(is_kind(kind) for is_kind in known)


def _plain(cells: Any) -> Any:
    """Text without blanks around it, null where nothing is left; categories as what they stand for."""
    if pyarrow.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if not _is_text(cells.type):
        return cells
    trimmed = pyarrow.compute.utf8_trim_whitespace(cells)
    return pyarrow.compute.if_else(pyarrow.compute.equal(trimmed, ""), None, trimmed)


def _numbers_if_possible(cells: Any) -> Any:
    for kind in ("int64", "float64") if _is_text(cells.type) else ():
        try:
            return cells.cast(kind)
        except pyarrow.ArrowInvalid:
            continue
    return cells


def _read_parquet(path: Path) -> Table:
    try:
        # Not `read_table`, which would make columns of a folder named `a=b`.
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            data = file.read()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is no Parquet file, or is cut short or damaged; write or download it again ({_one_line(error)})"
        ) from error
    kept = [name for name in data.column_names if not name.startswith("__index_level_")]
    names = _checked_names(path, kept)
    return Table(path, names, data.select(names))


@dataclass(frozen=True)
class _Layout:
    """How a CSV is laid out, from its first line that is not empty."""

    names: tuple[str, ...]
    header: bool
    skip: int
    block_bytes: int


def _read_csv(path: Path, header: bool | None, text: Collection[str]) -> Table:
    layout = _layout(path, header)
    kept_as_text = {_column_name(path, layout.names, asked) for asked in text}
    types = {name: "string" if name in kept_as_text else "float64" for name in layout.names}
    try:
        data = pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(column_names=layout.names, skip_rows=layout.skip, block_size=layout.block_bytes),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types),
        )
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: {_first_fault(path, layout, kept_as_text, error)}") from error
    return Table(path, layout.names, data, layout.header)


def _layout(path: Path, header: bool | None) -> _Layout:
    blank, line = _first_line(path)
    try:
        fields = [field.strip() for field in next(csv.reader([line.decode("utf-8-sig").strip("\r\n")]))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not UTF-8 text; write it as comma-separated UTF-8") from error
    if len(fields) == 1:
        raise DataError(f"{path}: the first line has one column; columns are separated by commas")
    header = _is_header(fields) if header is None else header
    names = _checked_names(path, fields) if header else tuple(str(place) for place in range(len(fields)))
    return _Layout(names, header, blank + header, max(_BLOCK_BYTES, 4 * len(line)))


def _first_line(path: Path) -> tuple[int, bytes]:
    """How many empty lines there are at the top, and the line after them."""
    with path.open("rb") as lines:
        for blank, line in enumerate(lines):
            if line.strip(b"\r\n"):
                return blank, line
    raise DataError(f"{path} has nothing but empty lines; write or download it again")


def _is_header(fields: Sequence[str]) -> bool:
    """Whether a first line holds names.

    Numbers alone are a row, unless they count the columns, as pandas names them. Among text, numbers that
    grow from left to right are names (`0,1,2,target` or times); others are the samples of a row whose label
    is text.
    """
    numbers = [float(field) for field in fields if _is_float(field)]
    if len(numbers) == len(fields):
        return list(fields) == [str(place) for place in range(len(fields))]
    return all(left < right for left, right in pairwise(numbers))


def _checked_names(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    if not all(names):
        raise DataError(
            f"{path}: column {list(names).index('') + 1} of {len(names)} has no name; "
            "name it, or take it out if it only numbers the rows"
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}: {len(twice)} column names stand more than once, {twice[0]!r} first; rename them")
    return tuple(names)


def _first_fault(path: Path, layout: _Layout, text: Collection[str], error: Exception) -> str:
    try:
        return next(_faults(path, layout, text))
    # A quote that is never closed makes a field too long to be read.
    except (StopIteration, csv.Error):
        return f"{_one_line(error)}; write the file again as comma-separated UTF-8"


def _faults(path: Path, layout: _Layout, text: Collection[str]) -> Iterator[str]:
    """What keeps a CSV from being read, line by line: slow, and only asked when reading failed."""
    numeric = [(place, name) for place, name in enumerate(layout.names) if name not in text]
    missing = set(pyarrow.csv.ConvertOptions().null_values)
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = csv.reader(file)
        for cells in islice(lines, layout.skip, None):
            if cells and len(cells) != len(layout.names):
                yield (
                    f"line {lines.line_num} has {len(cells)} columns, the first line {len(layout.names)}; "
                    "complete the line, or write or download the file again"
                )
            for place, name in numeric if cells else ():
                if cells[place] not in missing and not _is_float(cells[place]):
                    yield (
                        f"line {lines.line_num}, column {name!r}: {cells[place]!r} is not a number; "
                        "correct it, or take the column out (only the target and the group may be text)"
                    )


def _is_float(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _line_number(path: Path, index: int) -> int:
    """The 1-based number of a CSV's line, by its index among the lines that are not empty."""
    with path.open("rb") as lines:
        filled = (number for number, line in enumerate(lines, 1) if line.strip(b"\r\n"))
        return next(islice(filled, index, None), index + 1)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
