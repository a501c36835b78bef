"""The table of `zoo check --parity`: how far the outputs of each architecture are from those of public code."""

import re
import sys
from collections.abc import Sequence
from typing import Any

from zoo.cli.views.table import Column, Row, count, emit
from zoo.testing.comparisons import Compared
from zoo.testing.running import CheckStatus
from zoo.wording import count_text

NOT_COMPARED = "not compared"
STYLES = {CheckStatus.FAILED: "red", None: "dim"}


def _power(value: Any) -> str:
    return "-" if value is None else f"{value:.1e}"


COLUMNS = (
    Column("architecture", "name"),
    Column("plugin", "plugin"),
    Column("status", "status"),
    Column("difference", "difference"),
    Column("tolerance", "tolerance"),
    Column("cases", "cases"),
    Column("source", "source"),
    Column("message", "message"),
    Column("note", "note"),
)
TABLE = (
    Column("architecture", "name"),
    Column("status", "status"),
    Column("difference", "difference", _power, numeric=True),
    Column("tolerance", "tolerance", _power, numeric=True, drop=1),
    Column("cases", "cases", count, numeric=True, drop=2),
    Column("source; or error, or reason", "about", wraps=True),
)


def emit_comparisons(found: Sequence[Compared], *, as_json: bool) -> None:
    """Write the comparisons to stdout: a table on a terminal, tab-separated in a pipe, or JSON."""
    columns = TABLE if sys.stdout.isatty() else COLUMNS
    emit(columns, [_row(each) for each in found], as_json=as_json, objects=map(_object, found))


def summary(found: Sequence[Compared]) -> str:
    """Return the last line: the number of architectures by status."""
    compared = [each for each in found if each.status is not None]
    failed = sum(each.status == CheckStatus.FAILED for each in compared)
    ends = f", {failed} failed" if failed else ""
    left = f"; {len(found) - len(compared)} not compared" if len(compared) < len(found) else ""
    return f"{count_text(len(compared), 'architecture')} compared: {len(compared) - failed} passed{ends}{left}"


def _row(each: Compared) -> Row:
    return {**_object(each), "about": each.message or _short(each.source), "style": STYLES.get(each.status, "")}


def _object(each: Compared) -> Row:
    return {
        "name": each.name,
        "plugin": each.plugin,
        "status": each.status or NOT_COMPARED,
        "difference": each.difference,
        "tolerance": each.tolerance,
        "cases": each.cases,
        "source": each.source,
        "message": each.message,
        "note": each.note,
    }


def _short(source: str) -> str:
    """Return a source without the name of GitHub, and with the first seven digits of its commit."""
    return re.sub(r"@([0-9a-f]{7})[0-9a-f]{33}\b", r"@\1", source.removeprefix("github.com/"))
