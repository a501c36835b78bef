"""Any labelled table, CSV or Parquet, as a data set.

Nothing is unpickled: cells are numbers, text or a reason to refuse the file.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet

from zoo.data.checks import check_file, dropped_note, one_line, rows_to_keep
from zoo.data.columns import checked_names, column_name
from zoo.data.csvs import line_number, read_csv
from zoo.data.keys import classes_of, keys_of
from zoo.data.series import Floats, LabelledSeries
from zoo.errors import DataError
from zoo.wording import count_text

CSV_SUFFIXES = (".csv",)
PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")


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
        return f"line {line_number(self.path, row + self.header)}"

    def column(self, asked: str) -> str:
        """The name of the column a user asks for: a name, or a place from the end (`-1` is the last).

        Raises DataError where there is none.
        """
        return column_name(self.path, self.names, asked)

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
        return keys_of(self.data.column(name), self.what(name), self.place)

    def what(self, name: str) -> str:
        """A column as messages name it."""
        return f"{self.path}: column {name!r}"

    def _floats(self, name: str) -> npt.NDArray[np.floating[Any]]:
        column = self.data.column(name)
        if not _is_number(column.type):
            raise DataError(
                f"{self.what(name)} holds {column.type}, not numbers; "
                "take it out of the file (only the target and the group may be text)"
            )
        if column.type != pyarrow.float32():
            column = column.cast("float64", safe=False)
        return np.asarray(column.to_numpy())


def from_table(
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
    labels, classes = classes_of(table.keys(named[0])[kept], table.what(named[0]))
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
        csv = read_csv(path, header, text)
        table = Table(path, csv.names, csv.data, csv.header)
    elif suffix in PARQUET_SUFFIXES:
        table = _read_parquet(path)
    else:
        known = ", ".join(CSV_SUFFIXES + PARQUET_SUFFIXES)
        raise DataError(f"{path}: extension {path.suffix!r} is not one of {known}; convert the file")
    if not len(table):
        raise DataError(f"{path}: the file has columns but no rows; write or download it again")
    return table


def check_finite(values: Floats, table: Table, names: Sequence[str]) -> None:
    """Raise DataError where rows of `(rows, len(names))` hold a value that is missing, NaN or infinite."""
    finite = np.isfinite(values)
    broken = np.flatnonzero(~finite.all(axis=1))
    if broken.size:
        first = broken[0]
        name = names[int(np.argmin(finite[first]))]
        raise DataError(
            f"{table.path}: {count_text(broken.size, 'row')} with missing, NaN or infinite samples, the first at "
            f"{table.place(first)}, column {name!r}; fill them in or take these rows out"
        )


def _check_differ(path: Path, named: Sequence[str]) -> None:
    if len(set(named)) < len(named):
        raise DataError(f"{path}: column {named[0]!r} is asked for as target and as group; name two columns")


def _is_number(kind: Any) -> bool:
    types = pyarrow.types
    known = (types.is_floating, types.is_integer, types.is_boolean, types.is_decimal, types.is_null)
    return any(is_kind(kind) for is_kind in known)


def _read_parquet(path: Path) -> Table:
    try:
        # Not `read_table`, which would make columns of a folder named `a=b`.
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            data = file.read()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is no Parquet file, or is cut short or damaged; write or download it again ({one_line(error)})"
        ) from error
    kept = [name for name in data.column_names if not name.startswith("__index_level_")]
    names = checked_names(path, kept)
    return Table(path, names, data.select(names))
