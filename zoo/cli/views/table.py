"""Tables: formatted on a terminal, tab-separated in a pipe, JSON with --json."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zoo.cli.views.terminal import plain, print_lines
from zoo.visible import visible

Row = dict[str, Any]  # a row of a table by column key, or a JSON object
Say = Callable[[str], None]  # prints a line, such as `Session.say`
WRAPPED = 24  # the smallest readable width of a column that wraps


@dataclass(frozen=True)
class Column:
    """One column: its heading, its key in the rows, and its format on a terminal.

    plain     formats a value for a terminal; TSV contains the value itself
    numeric   right-aligned
    optional  hidden on a terminal if no row has a value
    wraps     wrapped into several lines on a narrow terminal
    cut       truncated on a narrow terminal, so that a row stays one line
    drop      left out on a narrow terminal, highest number first; 0: never
    """

    title: str
    key: str
    plain: Callable[[Any], str] = str
    numeric: bool = False
    optional: bool = False
    wraps: bool = False
    cut: bool = False
    drop: int = 0


def emit(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    as_json: bool = False,
    objects: Iterable[Any] | None = None,
    title: tuple[str, ...] = (),
    empty: str = "nothing to show",
) -> None:
    """Write rows to stdout. With `as_json`, write `objects` instead if they are given. `title` holds lines."""
    if as_json:
        print_json(list(rows if objects is None else objects))
    elif sys.stdout.isatty():
        _print_table(columns, rows, title, empty)
    else:
        print_tsv(columns, rows)


def _print_table(columns: Sequence[Column], rows: Sequence[Row], title: tuple[str, ...], empty: str) -> None:
    console = Console(highlight=False)
    if not rows:
        console.print(plain(empty, "dim"))
        return
    wanted = [column for column in columns if has_value(column, rows)]
    shown = shown_columns(columns, rows)
    if title:
        console.print(Text("\n", "table.title").join(map(plain, title)))
    console.print(_table(shown, rows, _room(shown, rows, console.width)))
    if hidden := [column.title for column in wanted if column not in shown]:
        text = f"no room for: {', '.join(hidden)}. A wider terminal, a pipe or --json shows all columns."
        Console(stderr=True, highlight=False).print(plain(text, "dim"))


def shown_columns(columns: Sequence[Column], rows: Sequence[Row], width: int | None = None) -> list[Column]:
    """Return the columns that a terminal of `width` cells has room for, by default this terminal."""
    shown = [column for column in columns if has_value(column, rows)]
    while not fits(shown, rows, width) and any(column.drop for column in shown):
        shown.remove(max(reversed(shown), key=lambda column: column.drop))
    return shown


def has_value(column: Column, rows: Sequence[Row]) -> bool:
    """Return whether a terminal shows a column: an optional one needs a value in some row."""
    return not column.optional or any(row.get(column.key) for row in rows)


def fits(columns: Sequence[Column], rows: Sequence[Row], width: int | None = None) -> bool:
    """Return whether the table fits into `width` cells, by default the width of this terminal."""
    needed = [
        min(width, WRAPPED) if column.wraps or column.cut else width
        for column, width in zip(columns, _widths(columns, rows), strict=True)
    ]
    return sum(needed) + 2 * len(columns) <= (width or Console().width) + 2


def print_json(value: Any) -> None:
    """Write a value to stdout as JSON, in UTF-8 and without NaN. Characters that are not printable are escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=_jsonable)
    sys.stdout.write("".join(f"{_escaped(line)}\n" for line in text.split("\n")))


def print_tsv(columns: Sequence[Column], rows: Iterable[Row], *, heading: bool = True) -> None:
    """Write rows as tab-separated lines, after a line of keys if `heading`. Tabs and line breaks become spaces."""
    lines = ["\t".join(visible(column.key) for column in columns)] if heading else []
    lines += ["\t".join(_cell(row.get(column.key)) for column in columns) for row in rows]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def quiet_stdout() -> contextlib.AbstractContextManager[object]:
    """Redirect the output of components to stderr, since stdout holds only results."""
    return contextlib.redirect_stdout(sys.stderr)


def number(digits: int) -> Callable[[Any], str]:
    """Return a formatter with this number of decimals; None is a dash."""
    return lambda value: "-" if value is None else f"{value:.{digits}f}"


def count(value: Any) -> str:
    """Return a whole number with separators: 838,469; None is a dash."""
    return "-" if value is None else f"{value:,}"


def millions(value: Any) -> str:
    """Return a large number in millions: 82.9 M; None is a dash."""
    return "-" if value is None else f"{value / 1e6:,.1f} M"


def steps_column(drop: int) -> Column:
    """Return the column of gradient steps, which `_steps` formats."""
    return Column("steps", "steps", _steps, numeric=True, drop=drop)


def say(text: str) -> None:
    """Print a line of results outside a table: wrapped between words on a terminal, whole in a pipe."""
    print_lines(Console(highlight=False), text)


def text_of(column: Column, row: Row) -> str:
    """Return a cell as a terminal shows it; a dash for a text that is missing."""
    value = row.get(column.key)
    return visible(column.plain(value)) if value is not None or column.plain is not str else "-"


def _room(columns: Sequence[Column], rows: Sequence[Row], width: int) -> dict[str, int]:
    """Return the widths of the columns to truncate: they share the remaining width in proportion to their lengths."""
    widths = dict(zip((column.key for column in columns), _widths(columns, rows), strict=True))
    cut = {column.key: widths[column.key] for column in columns if column.cut}
    left = width - 2 * (len(columns) - 1) - (sum(widths.values()) - sum(cut.values()))
    if sum(cut.values()) <= left:
        return {}
    return {key: max(min(length, WRAPPED), length * left // sum(cut.values())) for key, length in cut.items()}


def _widths(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    texts = [[visible(column.title), *(text_of(column, row) for row in rows)] for column in columns]
    return [max(map(cell_len, each)) for each in texts]


def _table(columns: Sequence[Column], rows: Sequence[Row], room: Mapping[str, int]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            plain(column.title),
            justify="right" if column.numeric else "left",
            no_wrap=not column.wraps,
            max_width=room.get(column.key),
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in rows:
        table.add_row(*[Text(text_of(column, row), str(row.get("style", ""))) for column in columns])
    return table


def _steps(value: Any) -> str:
    """Return gradient steps, or their range over seeds: 1,008 or 980-1,008; a dash for 0, a blank for None."""
    if value is None:
        return ""
    return "-".join(f"{int(number):,}" for number in str(value).split("-")) if value else "-"


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return visible(" ".join(text.split()) if any(sign in text for sign in "\t\n\r") else text)


def _escaped(line: str) -> str:
    """Return a line of JSON in which characters that are not printable are escaped; outside strings there are none."""
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in line)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)
