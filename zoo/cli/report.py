"""`zoo report`: one HTML file with the results, for a browser without a network."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import options
from zoo.cli.filters import Metric, pattern
from zoo.cli.session import session_of
from zoo.scores import metric_parts
from zoo.wording import count_text


def report_command(
    context: typer.Context,
    metric: Metric = "macro_recall",
    architecture: Annotated[str | None, pattern("architectures")] = None,
    dataset: Annotated[str | None, pattern("data sets")] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File to write.", metavar="FILE", rich_help_panel=options.OUTPUT),
    ] = Path("report.html"),
    rows: Annotated[
        bool | None,
        typer.Option(
            "--rows/--no-rows",
            help="Show the series of some test rows.",
            rich_help_panel=options.OUTPUT,
            show_default="unless they are grouped, by patient for example",
        ),
    ] = None,
    data_dir: options.DataDir = None,
    results: options.ResultsToRead = None,
) -> None:
    """Write a report of the stored results: one HTML file that a browser opens without a network.

    It has a verdict, a board and figures for each test set. Needs the extra report.
    """
    from zoo.reporting.collect import Data
    from zoo.reporting.write import written

    metric_parts(metric)
    session = session_of(context)
    patterns = {"architecture": architecture, "dataset": dataset}
    folder = session.settings.results_folder(results)
    data = Data(workspace=session.workspace, data_dir=data_dir, rows=rows)
    found = written(folder, output, metric, patterns, data)
    for line in found.notes:
        session.say(f"note: {line}")
    boards = count_text(len(found.boards), "test set")
    session.say(f"wrote {output}: {boards}, {count_text(found.runs, 'run')}, {output.stat().st_size / 1e6:.1f} MB")
