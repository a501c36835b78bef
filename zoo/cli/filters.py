"""Options that commands on stored runs share: patterns that choose runs, and the score."""

from typing import Annotated, Any

import typer

from zoo.cli import options
from zoo.scores import MACRO_SCORES

FILTERS = "Runs"


def pattern(text: str) -> Any:
    """An option for a pattern; `text` names what matches it."""
    return typer.Option(
        help=f"Only {text} that match a pattern.", metavar="PATTERN", rich_help_panel=FILTERS, show_default="all"
    )


Metric = Annotated[
    str,
    typer.Option(
        help=f"Score to compare by: {', '.join(MACRO_SCORES)}, or that of a class, such as recall:F.",
        metavar="NAME",
        rich_help_panel=options.OUTPUT,
    ),
]
