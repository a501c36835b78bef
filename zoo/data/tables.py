"""Labelled tables, CSV or Parquet, as data sets.

Nothing is unpickled: a cell is a number or text, and a file with any other cell is refused.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow

from zoo.data.checks import check_file, dropped_note, flat_rows, kept_of
from zoo.data.columns import check_one_meaning, column_name
from zoo.data.counting import describing
from zoo.data.csvs import Choose, CsvForm, line_number, read_csv
from zoo.data.keys import Cells, alike_note, classes_of, keys_of
from zoo.data.lengths import ends_of, padding_note, settled, within
from zoo.data.lists import ends_with_missing, from_lists, is_list
from zoo.data.parquets import read_parquet
from zoo.data.reading import read_line
from zoo.data.samples import Choice
from zoo.data.series import Floats, Ints, LabelledSeries
from zoo.errors import DataError
from zoo.wording import count_text

CSV_SUFFIXES = (".csv", ".tsv")
PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")
_MOST_NAMES = 6  # of columns that are left out, in the line that reports how a file was read


@dataclass(frozen=True)
class Table:
    """The columns of a file, and the places of its rows.

    path    the file
    names   the column names, in file order, without those of an index
    data    a `pyarrow.Table` with the columns that were read
    header  whether the first line of a CSV holds the names; None for Parquet
    index   the columns of a Parquet file that pandas wrote as the index of the rows
    details  how a CSV was read, where it is not the usual way
    """

    path: Path
    names: tuple[str, ...]
    data: Any
    header: bool | None = None
    index: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def place(self, row: int) -> str:
        """Return the place of a row (counted from 0): `line 7` of a CSV, `row 7` of a Parquet file, counted from 1."""
        if self.header is None:
            return f"row {row + 1}"
        return f"line {line_number(self.path, row + self.header)}"

    def column(self, asked: str) -> str:
        """Return the name of the requested column, given by name or by position from the end (`-1` is the last).

        A column of the index is given by name. Raises DataError if there is none.
        """
        return asked if asked in self.index else column_name(self.path, self.names, asked)

    def numbers(self, names: Sequence[str]) -> Floats:
        """Return the columns as float32 `(rows, len(names))`.

        Raises DataError if a column holds no numbers, or a value is missing, NaN or infinite.
        """
        values = self._values(names)
        check_finite(values, self, names)
        return values

    def series(self, names: Sequence[str]) -> tuple[Floats, Ints | None]:
        """Return the columns as series `(len(self), 1, len(names))`, and their lengths if rows end with missing values.

        A single column of lists holds all samples of each row.

        Raises as `numbers`, except that missing values and NaN at the end of a row are padding, and become zeros.
        """
        lists = self.lists(names)
        if lists is None:
            values = self._values(names)
        else:
            values = from_lists(self.data.column(lists), self.what(lists))
            names = [f"{lists}[{place}]" for place in range(values.shape[1])]
            if len(names) < 2:
                raise DataError(f"{self.what(lists)} has lists of {len(names)}; a series needs at least 2 samples")
        lengths = ends_of(values[:, np.newaxis])
        if lengths is not None:
            if (lengths == 0).any():
                place = self.place(int(np.argmin(lengths)))
                raise DataError(f"{self.path}: {place} has only missing samples; remove such rows")
            np.copyto(values, 0, where=~within(lengths, len(names))[:, 0])
        check_finite(values, self, names)
        return values[:, np.newaxis], lengths

    def lists(self, names: Sequence[str]) -> str | None:
        """Return the column of lists that holds the series; None if each column is a sample.

        Raises DataError for a column of lists beside other samples.
        """
        found = [name for name in names if is_list(self.data.column(name).type)]
        if found and len(names) > 1:
            others = [name for name in names if name != found[0]]
            raise DataError(
                f"{self.what(found[0])} holds lists of samples, and {others[0]!r} is a sample as well; use "
                f"--columns {shlex.quote(found[0])} or --drop {shlex.quote(found[0])}"
            )
        return found[0] if found else None

    def keys(self, name: str, *, groups: bool = False) -> npt.NDArray[Any]:
        """Return a column of labels, or with `groups` of groups: int64 `(rows,)` if all are whole numbers, else text.

        Text becomes numbers only if all of it is written alike, such as `1` and `2`. Raises DataError if a value is
        missing, or is neither a whole number nor text; groups such as `1.10` are text.
        """
        return keys_of(self.cells(name), groups=groups)

    def cells(self, name: str) -> Cells:
        """Return a column of labels or groups, unconverted."""
        return Cells(self.data.column(name), self.what(name), self.place)

    def what(self, name: str) -> str:
        """Return the name of a column in messages."""
        return f"{self.path}: column {name!r}"

    def _values(self, names: Sequence[str]) -> Floats:
        """Return the columns as float32 `(len(self), len(names))`, not yet checked for NaN."""
        values = np.empty((len(self), len(names)), np.float32)
        # A float64 too large for float32 becomes infinite; `check_finite` refuses it with its place.
        with np.errstate(over="ignore"):
            for position, name in enumerate(names):
                values[:, position] = self._floats(name)
        return values

    def _floats(self, name: str) -> npt.NDArray[np.floating[Any]]:
        column = self.data.column(name)
        if not _is_number(column.type):
            raise DataError(
                f"{self.what(name)} holds {column.type}, not numbers; "
                f"leave it out with --drop {shlex.quote(name)} (only the target and the group may be text)"
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
    separator: str | None = None,
    decimal: str | None = None,
    columns: str | None = None,
    drop: str | None = None,
) -> LabelledSeries:
    """Read a labelled table as a data set of one channel: each row is a series, each column a sample.

    path      a `.csv` or `.parquet` (`.parq`, `.pq`) file
    target    the column with the labels; -1 is the last
    group     the column with the group of each row, such as the patient
    constant  the treatment of rows whose samples are all equal: "error", "keep" or "drop"
    header    whether the first line of a CSV holds the column names; None decides by the file
    separator, decimal  the sign between cells of a CSV, and the sign before decimals; None decides by the file
    columns   the samples: names, patterns such as `t*`, ranges such as `t0:t139`, separated by commas
    drop      the columns to leave out, in the same form

    All other columns are the samples, in file order; a column that counts or describes the rows is refused. Columns of
    pandas' index in a Parquet file are no samples. NaN and missing values at the end of a row are padding. Classes are
    sorted, numeric ones by value. Raises DataError for data that cannot be used, in one line with the file, the place
    and the way out.
    """
    asked = (target,) if group is None else (target, group)
    _check_differ(path, asked)
    choice = Choice(asked, columns, drop)
    table = read_table(
        path, header=header, separator=separator, decimal=decimal, text=asked, choose=partial(choice.read, path)
    )
    for name in asked:
        check_one_meaning(path, table.names, name)
    named = [table.column(name) for name in asked]
    _check_differ(path, named)
    samples = choice.samples(path, table.names, named)
    lists = table.lists(samples)
    if lists is None and len(samples) < 2:
        raise DataError(f"{path}: {len(samples)} sample columns besides {', '.join(named)}; a series needs at least 2")
    values, lengths = table.series(samples)
    labelled = table.keys(named[0])
    if lists is None:
        choice.check(path, table.names, samples, describing(values[:, 0], labelled, lengths))
    ended = lengths is not None and (lists is None or ends_with_missing(table.data.column(lists)))
    padded = (padding_note(path.name),) if ended else ()
    kept = kept_of(flat_rows(values, lengths), constant, str(path), table.place)
    keys = labelled[kept]
    labels, classes = classes_of(keys, table.what(named[0]))
    groups = table.keys(named[1], groups=True)[kept] if group is not None else None
    settled_values, lengths = settled(values[kept], None if lengths is None else lengths[kept])
    return LabelledSeries(
        values=settled_values,
        labels=labels,
        classes=classes,
        groups=groups,
        group_noun=named[1] if group is not None else "group",
        lengths=lengths,
        notes=(*dropped_note(kept), *padded, *alike_note(keys, "labels"), *alike_note(groups, "groups")),
        read=read_line(
            path.name,
            settled_values,
            lengths,
            labels,
            classes,
            samples=lists or f"{samples[0]} … {samples[-1]}",
            label=named[0],
            details=_details(table, samples, named, groups),
        ),
    )


def read_table(
    path: Path,
    *,
    header: bool | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    text: Sequence[str] = (),
    choose: Choose = lambda names, _index: names,
) -> Table:
    """Read one CSV or Parquet file, by its extension; a folder is refused.

    header  whether the first line of a CSV holds names; None decides by the file. Without names the columns are called
            "0", "1", …
    separator, decimal  the sign between cells of a CSV, and the sign before decimals; None decides by the file
    text    the requested columns of a CSV that stay text, the label first; all others must be numbers
    choose  returns the columns that are read, given the names of all, and those of the index of a Parquet file

    Raises DataError if the file is absent, empty, damaged or ragged, if a cell is not a number, or if the first line
    can be names as well as a row.
    """
    check_file(path)
    suffix = path.suffix.lower()
    if suffix in CSV_SUFFIXES:
        csv = read_csv(path, CsvForm(header, separator, decimal), text, choose)
        table = Table(path, csv.names, csv.data, csv.header, details=tuple(csv.dialect.details()))
    elif suffix in PARQUET_SUFFIXES:
        table = _read_parquet(path, choose)
    else:
        known = ", ".join(CSV_SUFFIXES + PARQUET_SUFFIXES)
        raise DataError(f"{path}: extension {path.suffix!r} is not one of {known}; convert the file")
    if not len(table):
        raise DataError(f"{path}: the file has columns but no rows; write or download it again")
    return table


def check_finite(values: Floats, table: Table, names: Sequence[str]) -> None:
    """Raise DataError if rows of `(rows, len(names))` hold a missing, NaN or infinite value."""
    finite = np.isfinite(values)
    broken = np.flatnonzero(~finite.all(axis=1))
    if broken.size:
        first = broken[0]
        name = names[int(np.argmin(finite[first]))]
        raise DataError(
            f"{table.path}: {count_text(broken.size, 'row')} with missing, NaN or infinite samples, the first at "
            f"{table.place(first)}, column {name!r}; fill them in or remove these rows"
        )


def _details(table: Table, samples: Sequence[str], named: Sequence[str], groups: npt.NDArray[Any] | None) -> list[str]:
    """Return what was decided besides the samples and the label."""
    details = [] if groups is None else [f'group "{named[1]}": {count_text(len(np.unique(groups)), "value")}']
    taken = {*samples, *named}
    unread = [name for name in (*table.names, *table.index) if name not in taken]
    if unread:
        details.append("left out: " + ", ".join(unread[:_MOST_NAMES]) + (", …" if len(unread) > _MOST_NAMES else ""))
    return [*details, *table.details, *(["no header"] if table.header is False else [])]


def _check_differ(path: Path, named: Sequence[str]) -> None:
    if len(set(named)) < len(named):
        raise DataError(f"{path}: column {named[0]!r} is requested as target and as group; name two columns")


def _is_number(kind: Any) -> bool:
    types = pyarrow.types
    known = (types.is_floating, types.is_integer, types.is_boolean, types.is_decimal, types.is_null)
    return any(is_kind(kind) for is_kind in known)


def _read_parquet(path: Path, choose: Choose) -> Table:
    parquet = read_parquet(path, choose)
    given = tuple(name for name in parquet.index if not name.startswith("__index_level_"))
    return Table(path, parquet.names, parquet.data, index=given)
