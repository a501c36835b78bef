"""The application and its global options. Every command has its own module."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import bench, check, leaderboard, new, plugins, results, show, studies, tune
from zoo.cli import list as list_
from zoo.cli.group import GridCommand, ZooGroup
from zoo.cli.session import Session
from zoo.version import VERSION

app = typer.Typer(
    cls=ZooGroup,
    name="zoo",
    help="A model zoo for imbalanced time series: sealed tests, scores with intervals, cost beside score.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"zoo {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    registry: Annotated[
        Path | None,
        typer.Option(help="Settings that lie over the shipped registry.toml; else ./registry.toml.", metavar="FILE"),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Create the session that all commands share."""
    context.obj = Session(registry)


app.command("list")(list_.list_command)
app.command("show")(show.show_command)
app.command("bench", cls=GridCommand)(bench.bench_command)
app.command("tune")(tune.tune_command)
app.command("results")(results.results_command)
app.command("leaderboard")(leaderboard.leaderboard_command)
app.add_typer(studies.studies, name="studies")
app.command("new")(new.new_command)
app.command("check")(check.check_command)
app.command("plugins")(plugins.plugins_command)
