"""`zoo verify`: published results, repeated at their protocol and compared with their bands."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import options
from zoo.cli.answering import answered
from zoo.cli.complete import names_of
from zoo.cli.session import session_of
from zoo.cli.views.verifications import show_verifications
from zoo.errors import UsageError


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
    time_budget: options.TimeBudget = None,
    jobs: options.Jobs = 1,
    device: options.Device = None,
    threads: options.Threads = None,
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
    from zoo.verification.run import verified_in
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
    folder = session.settings.results_folder(results)
    found = answered(
        session, lambda reporter: verified_in(session.workspace, asked, folder, reporter, train), also=["dataset"]
    )
    show_verifications(session.say, found, trained=not no_run, as_json=as_json, markdown=markdown)
    for path in write_verifications(found) if write else ():
        session.say(f"written: {path}")
    nothing = train is not None and not found.answered
    if nothing:
        session.say("error: nothing was verified: no reference has an answer")
    if nothing or not found.passed:
        raise typer.Exit(1)
