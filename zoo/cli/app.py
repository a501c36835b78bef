"""The application and its global options. Every command has its own module."""

import os
import warnings
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import (
    bench,
    check,
    compare,
    data,
    hypotheses,
    leaderboard,
    new,
    plugins,
    report,
    results,
    show,
    studies,
    tune,
    verify,
)
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
    help="A model zoo for imbalanced time series: sealed tests, scores with intervals and costs.\n\n"
    "Start with: zoo bench cnngru, then: zoo leaderboard",
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
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
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


def _examples(*lines: str) -> str:
    """Return the end of a help text: a heading, and one example per line."""
    return "\n\n".join(["Examples:", *lines])


BENCHMARKS, RESULTS, PLUGINS = "Benchmarks", "Results", "Components and plugins"  # groups of commands in `zoo --help`

app.command(
    "bench",
    cls=GridCommand,
    rich_help_panel=BENCHMARKS,
    epilog=_examples(
        "zoo bench cnngru --data original smote --seeds 3",
        "zoo bench 'cnn*' --dataset beats.csv --target label --group patient",
    ),
)(bench.bench_command)
app.command(
    "tune",
    rich_help_panel=BENCHMARKS,
    epilog=_examples(
        "zoo tune cnngru --search optuna --trials 30 --save cnngru.mine",
        "zoo tune cnngru --compare random,optuna --seeds 5",
    ),
)(tune.tune_command)
app.command(
    "leaderboard",
    rich_help_panel=RESULTS,
    epilog=_examples("zoo leaderboard", "zoo leaderboard --metric mcc --results my-results"),
)(leaderboard.leaderboard_command)
app.command(
    "compare",
    rich_help_panel=RESULTS,
    epilog=_examples("zoo compare --baseline 'cnngru original' --metric recall:F", "zoo compare 0b65 9f21"),
)(compare.compare_command)
app.command(
    "hypotheses",
    rich_help_panel=RESULTS,
    epilog=_examples(
        "zoo hypotheses claims.toml --run --time-budget 20m",
        "zoo hypotheses claims.toml --only smote --markdown",
    ),
)(hypotheses.hypotheses_command)
app.command(
    "report",
    rich_help_panel=RESULTS,
    epilog=_examples("zoo report -o report.html", "zoo report --dataset 'mit*' --metric mcc"),
)(report.report_command)
app.command(
    "verify",
    rich_help_panel=RESULTS,
    epilog=_examples(
        "zoo verify minirocket hydra --data-dir ucr",
        "zoo verify --all --data-dir ucr --no-run",
    ),
)(verify.verify_command)
app.command(
    "results",
    rich_help_panel=RESULTS,
    epilog=_examples(
        "zoo results --architecture 'cnn*'",
        "zoo results 0b65",
    ),
)(results.results_command)
app.add_typer(
    studies.studies,
    name="studies",
    rich_help_panel=RESULTS,
    epilog=_examples("zoo studies", "zoo studies show cnngru-optuna-0 --pictures pictures"),
)
app.command(
    "list",
    rich_help_panel=PLUGINS,
    epilog=_examples("zoo list architecture", "zoo list 'timm/*resnet*'"),
)(list_.list_command)
app.command(
    "show",
    rich_help_panel=PLUGINS,
    epilog=_examples("zoo show cnngru.study --block se", "zoo show smote"),
)(show.show_command)
app.command(
    "data",
    rich_help_panel=BENCHMARKS,
    epilog=_examples("zoo data heartbeats --resample", "zoo data beats.csv --target label --group patient"),
)(data.data_command)
app.command(
    "new",
    rich_help_panel=PLUGINS,
    epilog=_examples("zoo new architecture my-net", "zoo new block my-gate --author 'Ada Lovelace' --dir gate"),
)(new.new_command)
app.command(
    "check",
    rich_help_panel=PLUGINS,
    epilog=_examples("zoo check cnngru", "zoo check --all --json"),
)(check.check_command)
app.command(
    "plugins",
    rich_help_panel=PLUGINS,
    epilog=_examples("zoo plugins", "zoo plugins --verbose"),
)(plugins.plugins_command)
