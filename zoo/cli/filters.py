"""Options that choose stored runs by patterns."""

from typing import Any

import typer

FILTERS = "Runs"


def pattern(text: str) -> Any:
    """An option for a pattern; `text` names what matches it."""
    return typer.Option(
        help=f"Only {text} that match a pattern.", metavar="PATTERN", rich_help_panel=FILTERS, show_default="all"
    )
