"""CSV files: their columns, and the first error in a file that cannot be read."""

import contextlib
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.csv

from zoo.data.checks import one_line
from zoo.data.columns import checked_names, column_name, named
from zoo.data.csvfaults import check_no_comment, check_not_packed, first_fault, may_be_comment
from zoo.data.dialects import Dialect, dialect_of, hinted
from zoo.data.headers import FirstLine, Unclear
from zoo.data.memory import check_fits
from zoo.errors import DataError
from zoo.numerals import is_number, whole

# A line must fit into a block of pyarrow's reader; 4 MiB holds lines of 160,000 samples.
_BLOCK_BYTES = 4 * 2**20
_LONGEST_LINE = 2**28
_FIRST_LINES = 50  # that show how cells are separated
_SEEN_CELLS = 2_000_000  # below the first line, where it may hold names
_BYTES_OF_A_CELL = 8 + 2 * 4  # as read, as a sample of a series, and one copy


# From all columns, and those of an index, to those that are read besides the index
Choose = Callable[[Sequence[str], Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Csv:
    """The columns of a CSV as a `pyarrow.Table`; `header` is true if its first line holds their names.

    `names` are those of all columns, also of columns that were not read.
    """

    names: tuple[str, ...]
    data: Any
    header: bool
    dialect: Dialect


@dataclass(frozen=True)
class _Layout:
    """The layout of a CSV, taken from its first line that is not empty."""

    names: tuple[str, ...]
    header: bool
    dialect: Dialect
    skip: int
    block_bytes: int


@dataclass(frozen=True)
class _Start:
    """The first line with cells: the number of lines above it, its length in bytes, and its cells."""

    above: int
    length: int
    dialect: Dialect
    fields: list[str]


@dataclass(frozen=True)
class CsvForm:
    """What a user states of a CSV; None is decided by the file.

    header     whether the first line holds names
    separator  the sign between cells
    decimal    the sign before decimals, "." or ","
    """

    header: bool | None = None
    separator: str | None = None
    decimal: str | None = None


def read_csv(path: Path, form: CsvForm, text: Sequence[str], choose: Choose = lambda names, _index: names) -> Csv:
    """Read columns as numbers, but those in `text`, the label first, as text. Raises DataError; see `read_table`."""
    layout = _layout(path, form, text)
    chosen = choose(layout.names, ())
    _check_size(path, layout)
    kept_as_text = {column_name(path, layout.names, asked) for asked in text}
    types = {name: "string" if name in kept_as_text else "float64" for name in chosen}
    try:
        with path.open("rb") as file:  # pyarrow opens only paths in UTF-8
            data = pyarrow.csv.read_csv(
                file,
                pyarrow.csv.ReadOptions(
                    column_names=layout.names, skip_rows=layout.skip, block_size=layout.block_bytes
                ),
                pyarrow.csv.ParseOptions(delimiter=layout.dialect.separator),
                pyarrow.csv.ConvertOptions(
                    column_types=types, include_columns=chosen, decimal_point=layout.dialect.decimal
                ),
            )
    except (pyarrow.ArrowException, OSError) as error:
        texts = {name for name in layout.names if types.get(name) != "float64"}
        fault = first_fault(path, layout.names, layout.skip, layout.dialect, texts, error)
        raise DataError(f"{path}: {fault}") from error
    return Csv(layout.names, data, layout.header, layout.dialect)


def line_number(path: Path, index: int) -> int:
    """Return the 1-based number of a line, given its index among the lines that are not empty."""
    with path.open("rb") as lines:
        filled = (number for number, line in enumerate(lines, 1) if line.strip(b"\r\n") and not _hint(line))
        return next(islice(filled, index, None), index + 1)


def _layout(path: Path, form: CsvForm, text: Sequence[str]) -> _Layout:
    start = _start(path, form)
    fields = start.fields
    if len(fields) - 1 in [_position(fields, asked) for asked in text]:
        _check_last(path, start.above + 1, start.dialect)
    header = _is_header(path, start, text) if form.header is None else form.header
    names = checked_names(path, named(fields)) if header else tuple(str(place) for place in range(len(fields)))
    return _Layout(names, header, start.dialect, start.above + header, max(_BLOCK_BYTES, 4 * start.length))


def _check_last(path: Path, above: int, dialect: Dialect) -> None:
    """Raise DataError if the last column, which is the label or the group, is empty in the rows below some lines."""
    try:
        rows = dialect.cells(_first_lines(path, above))
    except csv.Error:  # reported with its place when the file is read
        return
    if rows and not any(row[-1] for row in rows):
        raise DataError(
            f"{path}: the last column is empty, because a separator ends each line; remove these separators, or name "
            "another column"
        )


def _start(path: Path, form: CsvForm) -> _Start:
    check_not_packed(path)
    blank, line, hint = _first_line(path)
    lines = _first_lines(path, blank)
    dialect = dialect_of(path, lines, form.separator or hint, form.decimal)
    if may_be_comment(lines[0]):
        check_no_comment(path, blank + 1, lines, dialect_of(path, lines[1:], form.separator or hint, form.decimal))
    try:
        fields = next(iter(dialect.cells([line.decode("utf-8-sig").strip("\r\n")])), [])
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text; write it as comma-separated UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path}: the first line cannot be read: {_reason(line, error)}") from error
    if len(fields) < 2:
        separated = "commas" if dialect.separator == "," else repr(dialect.separator)
        unstated = fields and form.separator is None
        way_out = "; if another sign separates them, state it with --set dataset.separator=…" if unstated else ""
        number = "one column" if fields else "no column"
        raise DataError(f"{path}: the first line has {number}; columns are separated by {separated}{way_out}")
    return _Start(blank, len(line), dialect, fields)


def _reason(line: bytes, error: csv.Error) -> str:
    if b"\r" in line.rstrip(b"\r\n"):
        return "its lines end with CR, as on old Macs; save it with the line ends LF or CRLF"
    if "field larger" in str(error):
        return f"a column name has more than {csv.field_size_limit():,} characters; shorten it"
    return f"{one_line(error)}; write the file again as comma-separated UTF-8"


def _hint(line: bytes) -> str | None:
    return hinted(line[:20].decode("utf-8-sig", errors="replace").strip("\r\n"))


def _first_line(path: Path) -> tuple[int, bytes, str | None]:
    """Return the number of lines at the top that hold no cells, the line after them, and the separator they state."""
    blank, hint = 0, None
    with path.open("rb") as lines:
        while not (line := lines.readline(_LONGEST_LINE)).strip(b"\r\n") or (hint is None and _hint(line)):
            if not line:
                raise DataError(f"{path} has only empty lines; write or download it again")
            blank, hint = blank + 1, hint or _hint(line)
    if len(line) == _LONGEST_LINE:
        raise DataError(f"{path}: the first line has more than {_LONGEST_LINE:,} bytes; write each row on its own line")
    return blank, line, hint


def _first_lines(path: Path, blank: int) -> list[str]:
    """Return the first lines with cells, as many as show how cells are separated."""
    found: list[str] = []
    left = _BLOCK_BYTES
    with path.open("rb") as lines:
        for line in islice(lines, blank, None):
            if line.strip(b"\r\n"):
                found.append(line.decode("utf-8-sig", errors="replace").strip("\r\n"))
            left -= len(line)
            if len(found) == _FIRST_LINES or (left < 0 and len(found) > 1):
                break
    return found


def _check_size(path: Path, layout: _Layout) -> None:
    """Raise DataError if the numbers do not fit in memory, judged by the length of the first lines."""
    with path.open("rb") as lines:
        start = lines.read(_BLOCK_BYTES)
    rows = path.stat().st_size * max(1, start.count(b"\n")) // max(1, len(start))
    needed = rows * len(layout.names) * _BYTES_OF_A_CELL
    check_fits(
        needed, f"{path}: reading about {rows:,} rows of {len(layout.names):,} columns", "save fewer rows or columns"
    )


def has_names(path: Path, form: CsvForm, label: str) -> bool:
    """Return whether the first line of a file without column names seems to hold names, such as numbers in order.

    `label` is the position of the label. A line that can be both is a row if its label occurs below.
    """
    first = _as_names(path, _start(path, form), [label])
    try:
        return first.is_header()
    except Unclear:
        return not first.label_recurs


def _is_header(path: Path, start: _Start, asked: Sequence[str]) -> bool:
    """Return whether the first line holds names. Raises DataError if it could as well be a row.

    `asked` are the requested columns, the label first. A name among them that the line has decides.
    """
    if any(name in start.fields and not is_number(name) for name in asked):
        return True
    try:
        return _as_names(path, start, asked).is_header()
    except Unclear as reason:
        raise DataError(
            f"{path}: line {start.above + 1} can be column names or a row: {reason}; if it holds names, use "
            "--set dataset.header=true, if it is a row, --set dataset.header=false"
        ) from reason


def _as_names(path: Path, start: _Start, asked: Sequence[str]) -> FirstLine:
    places = [_position(start.fields, name) for name in asked]
    keys = [place for place in places if place is not None]
    below = partial(_lines_below, path, start.above, start.dialect)
    return FirstLine(start.fields, keys, places[0] if places else None, below, comma=start.dialect.decimal == ",")


def _position(fields: Sequence[str], asked: str) -> int | None:
    """Return the position of a requested column, which may be a name or a position."""
    if asked in fields and not asked.startswith("-"):
        return fields.index(asked)
    try:
        place = whole(asked)
    except ValueError:
        return None
    return place % len(fields) if -len(fields) <= place < len(fields) else None


def _lines_below(path: Path, blank: int, dialect: Dialect) -> list[list[str]]:
    """Return the cells of lines after the first: enough to see the type and the values of its columns."""
    found: list[list[str]] = []
    left = _SEEN_CELLS
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file, contextlib.suppress(csv.Error):
        for cells in islice(csv.reader(file, delimiter=dialect.separator), blank + 1, None):
            if (left := left - len(cells)) < 0:
                break
            if cells:
                found.append(cells)
    return found
