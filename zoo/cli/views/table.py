"""Tables as people and programs want them: Rich on a terminal, TSV in a pipe, JSON when asked."""

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

Row = dict[str, Any]  # of a table, by the keys of its columns, or of what JSON prints
Say = Callable[[str], None]  # writes a line of conversation, as `Session.say` does
WRAPPED = 24  # the least width at which a column that wraps is still good to read


@dataclass(frozen=True)
class Column:
    """One column: its heading, the row's key, and how it looks on a terminal.

    plain     how a value is written for a terminal; TSV gets the value itself
    numeric   right-aligned
    optional  hidden on a terminal where no row has a value
    wraps     may be broken into lines when room is short
    cut       loses its end when room is short, so that a row stays one line
    drop      left out on a terminal that is too narrow, those with the highest number first; 0: never
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
    title: str = "",
    empty: str = "nothing to show",
) -> None:
    """Write rows to stdout. `objects` are what JSON gets instead of the rows."""
    if as_json:
        print_json(list(rows if objects is None else objects))
    elif sys.stdout.isatty():
        _print_table(columns, rows, title, empty)
    else:
        print_tsv(columns, rows)


def _print_table(columns: Sequence[Column], rows: Sequence[Row], title: str, empty: str) -> None:
    console = Console(highlight=False)
    if not rows:
        console.print(Text(empty, style="dim"))
        return
    wanted = [column for column in columns if not column.optional or any(row.get(column.key) for row in rows)]
    shown = list(wanted)
    while not fits(shown, rows, console.width) and any(column.drop for column in shown):
        shown.remove(max(reversed(shown), key=lambda column: column.drop))
    console.print(_table(shown, rows, title, _room(shown, rows, console.width)))
    if hidden := [column.title for column in wanted if column not in shown]:
        text = f"no room for: {', '.join(hidden)}. A wider terminal, a pipe or --json shows all."
        Console(stderr=True, highlight=False).print(Text(text, style="dim"))


def fits(columns: Sequence[Column], rows: Sequence[Row], width: int | None = None) -> bool:
    """Whether a terminal of that width, or this one, shows a table without cutting anything."""
    needed = [
        min(width, WRAPPED) if column.wraps or column.cut else width
        for column, width in zip(columns, _widths(columns, rows), strict=True)
    ]
    return sum(needed) + 2 * len(columns) <= (width or Console().width) + 2


def print_json(value: Any) -> None:
    """JSON as it is documented: no NaN, UTF-8 as it stands."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False, default=_jsonable)
    sys.stdout.write("\n")


def print_tsv(columns: Sequence[Column], rows: Iterable[Row], *, heading: bool = True) -> None:
    """A line of keys, unless it was written before, then a line per row; tabs and line breaks within become spaces."""
    lines = ["\t".join(column.key for column in columns)] if heading else []
    lines += ["\t".join(_cell(row.get(column.key)) for column in columns) for row in rows]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def quiet_stdout() -> contextlib.AbstractContextManager[object]:
    """While components run: what they print goes to stderr, since stdout is data."""
    return contextlib.redirect_stdout(sys.stderr)


def number(digits: int) -> Callable[[Any], str]:
    """A value with that many decimals; a dash for none."""
    return lambda value: "-" if value is None else f"{value:.{digits}f}"


def count(value: Any) -> str:
    """A whole number as people read it: 838,469; a dash for none."""
    return "-" if value is None else f"{value:,}"


def millions(value: Any) -> str:
    """A large number in millions: 82.9 M; a dash for none."""
    return "-" if value is None else f"{value / 1e6:,.1f} M"


def say(text: str) -> None:
    """A line of data that is no table: wrapped between words on a terminal, whole in a pipe."""
    Console(highlight=False).print(text, markup=False, soft_wrap=not sys.stdout.isatty())


def _room(columns: Sequence[Column], rows: Sequence[Row], width: int) -> dict[str, int]:
    """How wide each column that may be cut is where not all is shown: what is left is shared out by their lengths."""
    widths = dict(zip((column.key for column in columns), _widths(columns, rows), strict=True))
    cut = {column.key: widths[column.key] for column in columns if column.cut}
    left = width - 2 * (len(columns) - 1) - (sum(widths.values()) - sum(cut.values()))
    if sum(cut.values()) <= left:
        return {}
    return {key: max(min(length, WRAPPED), length * left // sum(cut.values())) for key, length in cut.items()}


def _widths(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    return [max(cell_len(text) for text in (column.title, *(_text(column, row) for row in rows))) for column in columns]


def _table(columns: Sequence[Column], rows: Sequence[Row], title: str, room: Mapping[str, int]) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.numeric else "left",
            no_wrap=not column.wraps,
            max_width=room.get(column.key),
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in rows:
        table.add_row(*[Text(_text(column, row), style=str(row.get("style", ""))) for column in columns])
    return table


def _text(column: Column, row: Row) -> str:
    value = row.get(column.key)
    return column.plain(value) if value is not None or column.plain is not str else "-"


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return " ".join(text.split()) if any(sign in text for sign in "\t\n\r") else text


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)
