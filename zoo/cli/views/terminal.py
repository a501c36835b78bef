"""The only way of text to the terminal: without markup, and with visible control characters."""

from rich.console import Console
from rich.text import Text

from zoo.visible import visible


def plain(text: str, style: str = "") -> Text:
    """Return text for Rich. Nothing in it is markup or an emoji code, and control characters are visible."""
    return Text(visible(text), style=style)


def print_lines(console: Console, *lines: str, wrap: bool = True) -> None:
    """Print lines, on a terminal wrapped between words. A line break in a line is visible, and breaks no line."""
    for line in lines:
        console.print(plain(line), soft_wrap=not (wrap and console.is_terminal))
