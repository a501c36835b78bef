"""The application and its global options. Every command has its own module."""

import os
import warnings
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import bench, check, leaderboard, new, plugins, results, show, studies, tune
from zoo.cli import list as list_
from zoo.cli.group import GridCommand, ZooGroup
from zoo.cli.session import Session
from zoo.deprecation import renamed_text
from zoo.errors import UsageError
from zoo.settings import OLD_FILE_VARIABLE, file_in_environment
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
    config: Annotated[
        Path | None,
        typer.Option(
            help="Your settings file.", metavar="FILE", show_default="ZOO_CONFIG, else ./registry.toml if it exists"
        ),
    ] = None,
    registry: Annotated[Path | None, typer.Option(hidden=True, metavar="FILE")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Create the session that all commands share."""
    context.obj = Session(_settings_file(config, registry))


def _settings_file(config: Path | None, registry: Path | None) -> Path | None:
    """Return the settings file of the command line, or None for that of `Settings.load`. Prints a line for an old name.

    Raises UsageError if --config and the old --registry name different files.
    """
    if config and registry and config != registry:
        raise UsageError(f"--config is {str(config)!r} and --registry is {str(registry)!r}: leave out --registry")
    if registry:
        typer.echo(f"warning: {renamed_text('--registry')}", err=True)
    elif config is None and os.environ.get(OLD_FILE_VARIABLE):
        typer.echo(f"warning: {renamed_text(OLD_FILE_VARIABLE)}", err=True)
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # the line above says the same
            return file_in_environment(os.environ)
    return config or registry


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
