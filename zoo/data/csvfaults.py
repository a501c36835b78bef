"""Why a CSV file cannot be read: its first error, in words, with the way out. Slow; used after reading has failed."""

import csv
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pyarrow.csv

from zoo.data.checks import one_line
from zoo.data.dialects import Dialect, repair_of
from zoo.errors import DataError

_COMMENTS = ("#", "%", "//")
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


def first_fault(
    path: Path, names: Sequence[str], skip: int, dialect: Dialect, texts: Collection[str], error: Exception
) -> str:
    """Return the first error below the first `skip` lines, or that of pyarrow if none is found.

    `names` are those of all columns, `texts` those that may be text or are not read.
    """
    numeric = [(place, name) for place, name in enumerate(names) if name not in texts]
    try:
        return next(_faults(path, len(names), numeric, skip, dialect))
    # A quote that is never closed makes a field too long to be read.
    except (StopIteration, csv.Error):
        pass
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not _is_utf8(line):
                return f"line {number} is not UTF-8 text; write the file again as comma-separated UTF-8"
    return f"{one_line(error)}; write the file again as comma-separated UTF-8"


def check_not_packed(path: Path) -> None:
    """Raise DataError if a file is a compressed one under the name of a CSV."""
    with path.open("rb") as file:
        start = file.read(8)
    for mark, name in _PACKED.items():
        if start.startswith(mark):
            raise DataError(f"{path} is not UTF-8 text but a {name} file; unpack it, or save the table as CSV")


def may_be_comment(line: str) -> bool:
    """Return whether a line starts as comments do."""
    return line.lstrip().startswith(_COMMENTS)


def check_no_comment(path: Path, number: int, lines: Sequence[str], dialect: Dialect) -> None:
    """Raise DataError if the first line has another number of cells than the last; `number` is its number."""
    with suppress(csv.Error):
        first, last = dialect.cells(lines[:1]), dialect.cells(lines[-1:])
        if [*map(len, first)] != [*map(len, last)]:
            raise DataError(f"{path}: line {number} seems to be a comment; remove such lines")


def _faults(path: Path, columns: int, numeric: Sequence[tuple[int, str]], skip: int, dialect: Dialect) -> Iterator[str]:
    missing = set(pyarrow.csv.ConvertOptions().null_values)
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = csv.reader(file, delimiter=dialect.separator)
        filled = (cells for cells in islice(lines, skip, None) if cells)
        for row, cells in enumerate(filled):
            where = f"line {lines.line_num}"
            if len(cells) != columns:
                yield _other_width(where, cells, columns)
            wrong = {
                name: cells[place]
                for place, name in numeric
                if cells[place] not in missing and not dialect.is_number(cells[place])
            }
            if wrong:
                yield _no_numbers(where, wrong, most=row == 0 and 2 * len(wrong) > len(numeric) > 2)


def _other_width(where: str, cells: Sequence[str], columns: int) -> str:
    if len(cells) < columns and may_be_comment(cells[0]):
        return f"{where} seems to be a comment; remove such lines"
    return (
        f"{where} has {len(cells)} columns, the first line {columns}; complete the line, or write or download the "
        "file again"
    )


def _no_numbers(where: str, wrong: Mapping[str, str], *, most: bool) -> str:
    """Describe the first cell of a line that is no number; with `most`, most cells of the first row are none."""
    name, cell = next(iter(wrong.items()))
    repair = repair_of(cell)
    if most and not repair:
        return (
            f"{where}, column {name!r}: {cell!r} is not a number, and most of this line is not; if it holds units or "
            "more names, remove the line"
        )
    return (
        f"{where}, column {name!r}: {cell!r} is not a number; {repair and f'{repair}; else '}correct it, or leave the "
        f"column out with --drop {shlex.quote(name)} (only the target and the group may be text)"
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
