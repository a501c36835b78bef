"""`zoo check`: run the conformance checks on installed components."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli import options
from zoo.cli.complete import names_of
from zoo.cli.session import Session, session_of
from zoo.cli.views.table import Row, print_json, quiet_stdout
from zoo.errors import UsageError
from zoo.specs import KINDS

if TYPE_CHECKING:
    from zoo.cli.views.check_progress import CheckDisplay
    from zoo.testing.collection import Subject
    from zoo.testing.running import CheckRunner, Outcome, Report


def check_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="A component, PLUGIN:NAME, a plugin with all its components, or a pattern of names.",
            metavar="NAME",
            autocompletion=names_of(*KINDS),
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Check all installed components and plugins.")] = False,
    parity: Annotated[
        bool,
        typer.Option(
            "--parity",
            help="Compare the outputs of architectures with those of public code, all architectures without a NAME. "
            "No other check runs.",
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        options.time(
            "--timeout",
            "Time for one check: 90s, 30m. The checks then run in a process of their own, which may hang or crash.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Run the conformance checks on components and plugins.

    Exits with 1 if a check fails. docs/checks.md explains each check. With `--parity`, it compares the outputs of
    networks with those of public code instead, and exits with 1 if a difference is above its tolerance.
    """
    from zoo.cli.guesses import check_installed

    if bool(names) == everything and not (parity and not names):
        raise UsageError("name a component or a plugin to check: `zoo check NAME`, or use `zoo check --all`")
    session = session_of(context)
    registry = session.registry
    for name in names or ():
        check_installed(session, "check", name)
    if parity:
        if timeout is not None:
            raise UsageError("--timeout is for checks; `zoo check --parity` has no time limit")
        _parity(session, names, as_json=as_json)
        return
    import torch

    from zoo.cli.views.check_progress import CheckDisplay, stand_ins, summary
    from zoo.testing.collection import subjects

    torch.set_num_threads(1)  # small networks gain nothing from more threads and slow down on a busy machine
    with quiet_stdout():
        chosen = subjects(registry, names or None)
    debug = bool(context.find_root().params.get("debug"))
    with (
        _runner(session, chosen, timeout) as runner,
        CheckDisplay(session.stderr, chosen, tables=not as_json, debug=debug) as display,
    ):
        reports = [_report(runner, subject, display) for subject in chosen]
    if as_json:
        print_json([_object(report) for report in reports])
    for line in (*stand_ins(registry, chosen), summary(reports)):
        session.say(line)
    if any(report.failed for report in reports):
        raise typer.Exit(1)


def _parity(session: Session, names: list[str] | None, *, as_json: bool) -> None:
    """Compare architectures with public code. Raises UsageError if no name is that of an architecture."""
    import torch

    from zoo.cli.views.parity import emit_comparisons, summary
    from zoo.specs import Architecture
    from zoo.testing.collection import selected
    from zoo.testing.comparisons import comparisons
    from zoo.testing.running import CheckStatus

    torch.set_num_threads(1)
    with quiet_stdout():
        plugins, entries = selected(session.registry, names or None)
        own = [entry for entry in session.registry.of_kind(Architecture) if entry in entries]
        if not own:
            raise UsageError(f"{', '.join(names or ())} is no architecture: --parity compares architectures")
        found = list(comparisons(session.registry, plugins, own))
    emit_comparisons(found, as_json=as_json)
    session.say(summary(found))
    if any(each.status == CheckStatus.FAILED for each in found):
        raise typer.Exit(1)


def _runner(session: Session, subjects: "Sequence[Subject]", timeout: float | None) -> "CheckRunner":
    """Return a context that runs checks: in this process, or with a time limit in a process of its own."""
    from zoo.testing.apart import ChecksApart
    from zoo.testing.running import ChecksHere

    return ChecksHere(session.registry) if timeout is None else ChecksApart(session.registry, subjects, timeout)


def _report(runner: "CheckRunner", subject: "Subject", display: "CheckDisplay") -> "Report":
    from zoo.testing.running import report

    found = report(subject, _outcomes(runner, subject, display), partial(runner.measures, subject))
    display.on_report(found)
    return found


def _outcomes(runner: "CheckRunner", subject: "Subject", display: "CheckDisplay") -> "Iterator[Outcome]":
    from zoo.testing.running import CheckStatus

    for check in subject.checks:
        display.on_check(check)
        with quiet_stdout():
            outcome = runner.run(subject, check)
        display.on_outcome(outcome)
        yield outcome
        if (check.name, outcome.status) == ("factory", CheckStatus.FAILED):
            return  # every further check builds the component and would fail in the same way


def _object(report: "Report") -> Row:
    return {
        "kind": report.subject.kind,
        "name": report.subject.name,
        "plugin": report.subject.plugin.name,
        "checks": [
            {"name": each.check.name, "status": each.status, "seconds": each.seconds, "message": each.message}
            for each in report.outcomes
        ],
        "parameters": report.parameters,
        "seconds": report.seconds,
        "peak_memory_mib": report.peak_memory_mib,
    }
