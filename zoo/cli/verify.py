"""`zoo verify`: published results, repeated at their protocol and compared with their bands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli import options
from zoo.cli.complete import names_of
from zoo.cli.session import Session, session_of
from zoo.cli.views.table import quiet_stdout
from zoo.cli.views.verifications import show_verifications
from zoo.errors import UsageError
from zoo.interruption import exit_code

if TYPE_CHECKING:
    from zoo.missing.training import Options
    from zoo.verification.plan import Asked
    from zoo.verification.result import Verifications


def verify_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="An architecture with references, ARCH.PRESET, a pattern of names, or a plugin.",
            metavar="NAME",
            autocompletion=names_of("architecture", presets=True),
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Verify all references.")] = False,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            help="Only the references on this data set. Repeat the option for more.",
            metavar="NAME",
            rich_help_panel=options.DATA,
            show_default="all",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the archive, such as the UCR archive.",
            metavar="DIR",
            rich_help_panel=options.DATA,
            show_default="ZOO_DATA",
        ),
    ] = None,
    seeds: Annotated[int, options.number("--seeds", "Number of seeds.", least=1, panel=options.WHAT)] = 3,
    no_run: Annotated[
        bool,
        typer.Option("--no-run", help="Train nothing: answer from stored runs.", rich_help_panel=options.TRAINING),
    ] = False,
    time_budget: Annotated[
        float | None, options.time("--time-budget", "Time for all runs together: 90s, 20m, 2h.", panel=options.TRAINING)
    ] = None,
    jobs: Annotated[
        int, options.number("--jobs", "Number of parallel runs, each with one thread.", least=1, panel=options.WHERE)
    ] = 1,
    device: options.Device = None,
    threads: Annotated[
        int | None,
        options.number(
            "--threads", "CPU threads; 0 is automatic.", least=0, panel=options.WHERE, default="registry.toml"
        ),
    ] = None,
    results: options.ResultsToWrite = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Write the answers into the reference files of the plugins.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a table in Markdown.", rich_help_panel=options.OUTPUT)
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Repeat published results at their protocol: verified, above or below the band of the reference.

    Missing runs are trained, those of the shortest references first; stored runs are reused. A command that was
    interrupted can be repeated.

    Exits with 1 if a reference is below its band and not known as not reproduced, if a run failed, or if no reference
    has an answer.
    """
    from zoo.missing.training import Options
    from zoo.verification.plan import Asked
    from zoo.verification.write import write_verifications

    if as_json and markdown:
        raise UsageError("--json and --markdown are two formats: choose one")
    if bool(names) == everything:
        raise UsageError("name an architecture to verify: `zoo verify NAME`, or use `zoo verify --all`")
    if no_run and time_budget is not None:
        raise UsageError("--time-budget is for training: leave out --no-run")
    session = session_of(context)
    asked = Asked(tuple(names or ()), tuple(dataset or ()), seeds, data_dir)
    train = None if no_run else Options(jobs, time_budget, threads, device)
    found = _answers(session, asked, session.settings.results_folder(results), train)
    show_verifications(session.say, found, trained=not no_run, as_json=as_json, markdown=markdown)
    for path in write_verifications(found) if write else ():
        session.say(f"written: {path}")
    nothing = train is not None and not found.answered
    if nothing:
        session.say("error: nothing was verified: no reference has an answer")
    if nothing or not found.passed:
        raise typer.Exit(1)


def _answers(session: Session, asked: "Asked", folder: Path, train: "Options | None") -> "Verifications":
    from zoo.cli.views.bench_progress import BenchDisplay
    from zoo.verification.run import verified_in

    with BenchDisplay(session.stderr, ["dataset"]) as display:
        try:
            with quiet_stdout():
                return verified_in(session.workspace, asked, folder, display, train)
        except KeyboardInterrupt as stopped:
            display.progress.stop()
            session.say("interrupted; the finished runs are stored. The same command resumes")
            raise typer.Exit(exit_code(stopped)) from None
