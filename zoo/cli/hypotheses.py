"""`zoo hypotheses`: which claims on configurations stored runs confirm or refute."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import options
from zoo.cli.answering import answered
from zoo.cli.session import session_of
from zoo.cli.views.hypotheses import show_hypotheses
from zoo.cli.views.pictures import check_file, write_hypotheses
from zoo.errors import UsageError


def hypotheses_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML file with the hypotheses.")],
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Only the hypothesis with this id.", metavar="ID", rich_help_panel=options.WHAT),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            help="Data set in place of those of the file. Repeat the option for more.",
            metavar="NAME",
            rich_help_panel=options.DATA,
            show_default="those of the file",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Protocol in place of that of the file.",
            metavar="NAME",
            rich_help_panel=options.DATA,
            show_default="that of the file",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        options.number("--rows", "Number of training rows.", least=1, panel=options.DATA, default="that of the file"),
    ] = None,
    data_dir: options.DataDir = None,
    seeds: Annotated[
        int | None,
        options.number("--seeds", "Number of seeds.", least=1, panel=options.WHAT, default="that of the file"),
    ] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Train the missing runs.", rich_help_panel=options.TRAINING)
    ] = False,
    time_budget: options.TimeBudget = None,
    jobs: options.Jobs = 1,
    device: options.Device = None,
    threads: options.Threads = None,
    results: options.ResultsToWrite = None,
    export: Annotated[
        Path | None,
        typer.Option(
            help="Copy the compared runs to a new folder of results, without weights.",
            metavar="DIR",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write a figure of all differences to FILE, a .svg or .png. Needs the extra plots.",
            metavar="FILE",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables in Markdown.", rich_help_panel=options.OUTPUT)
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Answer hypotheses about configurations from stored runs: confirmed, refuted or undecided.

    Without --run, nothing is trained. The missing runs are listed, with an estimate of their time.

    With --run, the runs that are nearest to a decision come first. A command that was interrupted can be repeated.
    """
    from zoo.claims.file import read_hypotheses
    from zoo.claims.hypothesis import Elsewhere
    from zoo.claims.run import answer_in
    from zoo.missing.training import Options

    if as_json and markdown:
        raise UsageError("--json and --markdown are two formats: choose one")
    if not run and time_budget is not None:
        raise UsageError("--time-budget is for --run, which trains the missing runs")
    if output is not None:
        check_file(output)
    session = session_of(context)
    other = Elsewhere(tuple(dataset or ()), protocol, seeds, rows, data_dir)
    asked = read_hypotheses(file).only(only or []).elsewhere(other)
    train = Options(jobs, time_budget, threads, device) if run else None
    folder = session.settings.results_folder(results)
    datasets = {name for each in asked.hypotheses for part in each.parts for name in part.datasets}
    found = answered(
        session,
        lambda reporter: answer_in(session.workspace, asked, folder, reporter, train, export),
        also=["dataset"] if len(datasets) > 1 else [],
    )
    show_hypotheses(session.say, found, trained=run, as_json=as_json, markdown=markdown)
    if output is not None:
        write_hypotheses(session.say, found, output)
