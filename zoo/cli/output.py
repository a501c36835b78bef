"""Tables as people and programs want them: Rich on a terminal, TSV in a pipe, JSON when asked."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Column:
    """One column: its heading, the row's key, and how it looks on a terminal.

    plain     how a value is written for a terminal; TSV gets the value itself
    numeric   right-aligned
    optional  hidden on a terminal where no row has a value
    wraps     may be broken into lines when room is short; else cut
    """

    title: str
    key: str
    plain: Callable[[Any], str] = str
    numeric: bool = False
    optional: bool = False
    wraps: bool = False


def emit(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
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
        console = Console(highlight=False)
        console.print(_table(columns, rows, title) if rows else Text(empty, style="dim"))
    else:
        print_tsv(columns, rows)


def print_json(value: Any) -> None:
    """JSON as it is documented: no NaN, UTF-8 as it stands."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False, default=_jsonable)
    sys.stdout.write("\n")


def print_tsv(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
    """A line of keys, then a line per row; tabs and line breaks within a value become spaces."""
    lines = ["\t".join(column.key for column in columns)]
    lines += ["\t".join(_cell(row.get(column.key)) for column in columns) for row in rows]
    sys.stdout.write("\n".join(lines) + "\n")


def number(digits: int) -> Callable[[Any], str]:
    """A value with that many decimals; a dash for none."""
    return lambda value: "-" if value is None else f"{value:.{digits}f}"


def count(value: Any) -> str:
    """A whole number as people read it: 838,469 or 82.9 M."""
    if value is None:
        return "-"
    return f"{value / 1e6:,.1f} M" if value >= 10_000_000 else f"{value:,}"


def _table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    shown = [column for column in columns if not column.optional or any(row.get(column.key) for row in rows)]
    for column in shown:
        table.add_column(
            column.title,
            justify="right" if column.numeric else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in rows:
        table.add_row(*[_styled(column, row) for column in shown])
    return table


def _styled(column: Column, row: Mapping[str, Any]) -> Text:
    value = row.get(column.key)
    text = column.plain(value) if value is not None or column.plain is not str else "-"
    return Text(text, style=str(row.get("style", "")))


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return " ".join(text.split()) if any(sign in text for sign in "\t\n\r") else text


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)
