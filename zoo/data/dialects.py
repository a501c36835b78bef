"""The separator and the decimal sign of a CSV: stated by the user, or detected from its first lines."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import DataError, UsageError
from zoo.numerals import is_nan_or_infinity, is_number

SEPARATORS = (",", ";", "\t", "|")
_DECIMALS = (".", ",")
_WORDS = {"tab": "\t", "\\t": "\t"}
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:([.,' \u00a0\u202f\u2019])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]+)?")
_HINT = re.compile(r"sep=(.)")  # the first line of some files for Excel


@dataclass(frozen=True)
class Dialect:
    """How the cells of a line are separated, and the sign before the decimals of a number."""

    separator: str = ","
    decimal: str = "."

    def cells(self, lines: Sequence[str]) -> list[list[str]]:
        """Return the cells of lines, without spaces around them."""
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=self.separator) if row]

    def is_number(self, cell: str) -> bool:
        """Return whether pyarrow reads a cell as a number; NaN and infinite samples are refused later."""
        text = cell.strip(" \t")
        if self.decimal == ",":
            if "." in text:
                return False
            text = text.replace(",", ".")
        return is_number(text) or is_nan_or_infinity(text)

    def details(self) -> list[str]:
        """Return what differs from a comma between cells and a decimal point, in words."""
        called = {"\t": "tabs", " ": "spaces"}.get(self.separator, f'"{self.separator}"')
        separated = [] if self.separator == "," else [f"separated by {called}"]
        return separated if self.decimal == "." else [*separated, "decimal comma"]


def hinted(line: str) -> str | None:
    """Return the separator that a first line `sep=;` states, None for any other line."""
    found = _HINT.fullmatch(line)
    return None if found is None else found[1]


def checked(name: str, value: object) -> str | None:
    """Return a separator or a decimal sign that the user states. Raises UsageError for any other value."""
    if value is None:
        return None
    text = _WORDS.get(value, value) if isinstance(value, str) else ""
    if name == "decimal":
        if text not in _DECIMALS:
            raise UsageError(f'dataset.decimal must be "." or ",", not {value!r}')
    elif len(text) != 1 or text.isalnum() or text in "\"'\r\n.+-\0" or not text.isascii():
        raise UsageError(f'dataset.separator must be one sign, such as ";" or "tab", not {value!r}')
    return text


def dialect_of(path: Path, lines: Sequence[str], separator: str | None, decimal: str | None) -> Dialect:
    """Return the dialect in which most columns of the lines hold numbers; the first line may hold names.

    Without evidence, cells are separated by commas. Raises DataError if the commas in numbers may separate thousands.
    """
    separators = SEPARATORS if separator is None else (separator,)
    decimals = _DECIMALS if decimal is None else (decimal,)
    given = Dialect(separators[0], decimals[0])
    if separator is None and decimal is None and not any(sign in line for sign in SEPARATORS[1:] for line in lines):
        separators = (",",)
    best, found = 0.0, given
    for each in (Dialect(sign, point) for point in decimals for sign in separators):
        if (share := _numeric(each, lines)) > best:
            best, found = share, each
    if not best:
        found = next((each for sign in separators if _columns(each := Dialect(sign, given.decimal), lines)), given)
    if decimal is None and (found.decimal == "," or found.separator == ";") and _may_be_thousands(found, lines):
        signs = "commas" if found.decimal == "," else "points"
        raise DataError(
            f"{path}: the {signs} in its numbers can separate decimals or thousands; use --set "
            f"'dataset.decimal=\"{found.decimal}\"' for decimals, or write the numbers without thousands separators"
        )
    return found


def repair_of(cell: str) -> str:
    """Return how to write a cell that is no number but looks like one; empty for any other cell."""
    sign = next((sign for sign in SEPARATORS[1:] if sign in cell), None)
    if sign is not None:
        name = "tab" if sign == "\t" else f'"{sign}"'
        return f"if {name} separates the columns, use --set 'dataset.separator={name}' (and 'dataset.decimal=\",\"')"
    text = cell.strip()
    if (grouped := _GROUPED.fullmatch(text)) is not None:
        return f"if {grouped[1]!r} separates thousands, write the numbers without it"
    if text.endswith("%") and is_number(text[:-1].strip()):
        return "write the numbers without %"
    if is_number(text):
        return "remove the spaces around the numbers"
    return "write 1 and 0 for true and false" if text.lower() in ("true", "false") else ""


def _columns(dialect: Dialect, lines: Sequence[str]) -> list[list[str]]:
    """Return the rows that have the usual number of cells.

    Return none if they have one cell, or if the first or many other rows differ.
    """
    try:
        rows = dialect.cells(lines)
    except csv.Error:
        return []
    if not rows:
        return []
    width, count = Counter(map(len, rows)).most_common(1)[0]
    usual = width > 1 and 5 * count >= 4 * len(rows) and len(rows[0]) == width
    return [row for row in rows if len(row) == width] if usual else []


def _numeric(dialect: Dialect, lines: Sequence[str]) -> float:
    """Return the share of columns with numbers alone below the first line; 0 if the lines are no table."""
    rows = _columns(dialect, lines)
    columns = [*zip(*(rows[1:] or rows), strict=True)]
    numeric = [all(not cell or dialect.is_number(cell) for cell in column) and any(column) for column in columns]
    return sum(numeric) / len(numeric) if numeric else 0.0


def _may_be_thousands(dialect: Dialect, lines: Sequence[str]) -> bool:
    """Return whether each number with a decimal sign looks like thousands: `1,234`, and no other is above 999."""
    numbers = {cell for row in _columns(dialect, lines) for cell in row if dialect.is_number(cell)}
    signed = {cell for cell in numbers if dialect.decimal in cell}
    plain = (cell for cell in numbers - signed if is_number(cell))
    return bool(signed) and all(map(_THOUSANDS.fullmatch, signed)) and all(abs(float(cell)) < 1000 for cell in plain)
