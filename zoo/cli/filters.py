"""Options that choose stored runs by patterns."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from zoo.store.run import Run

FILTERS = "Runs"


def pattern(text: str) -> Any:
    """An option for a pattern; `text` names what matches it."""
    return typer.Option(
        help=f"Only {text} that match a pattern.", metavar="PATTERN", rich_help_panel=FILTERS, show_default="all"
    )


def matches(run: "Run", patterns: Mapping[str, str]) -> bool:
    """Return whether a run matches all patterns; an architecture and a data set have two names each."""
    more = {"reference": [run.architecture], "dataset": [run.dataset_label]}
    return all(
        any(fnmatchcase(value, wanted) for value in (getattr(run, name), *more.get(name, ())))
        for name, wanted in patterns.items()
    )
