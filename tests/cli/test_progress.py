"""The live display of a bench."""

import io

from rich.console import Console

from zoo.cli.progress import BenchDisplay


def test_brackets_in_a_path_are_shown_as_they_are() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with BenchDisplay(console) as display:
        display.on_phase("loading beats[old]/x[/y].csv")
        display.progress.refresh()
    assert "loading beats[old]/x[/y].csv" in console.file.getvalue()
