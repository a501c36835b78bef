"""`zoo results`: the stored runs."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import options
from zoo.cli.session import Session, session_of
from zoo.cli.views.table import Column, emit, fits, number, print_json, say, steps_column
from zoo.cli.views.terminal import plain
from zoo.errors import StoreError, UnknownName, UsageError
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.store.run import Run
    from zoo.store.selection import Selection

COLUMNS = (
    Column("run", "id"),
    Column("status", "status"),
    Column("architecture", "architecture"),
    Column("block", "block", optional=True, drop=2),
    Column("data", "data"),
    Column("dataset", "dataset", drop=1),
    Column("seed", "seed", numeric=True, drop=3),
    Column("fold", "fold", optional=True, drop=1),
    Column("macro recall", "macro_recall", number(3), numeric=True),
    steps_column(drop=5),
    Column("train s", "train_seconds", number(1), numeric=True, drop=4),
    Column("precision", "precision", optional=True, drop=7),
    Column("created", "created", drop=6),
    Column("error", "error", optional=True, wraps=True),
)
FILTERS = "Which runs"


def _filter(name: str, text: str, metavar: str) -> Any:
    return typer.Option(name, help=text, metavar=metavar, rich_help_panel=FILTERS, show_default="all")


def results_command(
    context: typer.Context,
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help="Show one run: its id, or the start of its id. List several."),
    ] = None,
    architecture: Annotated[
        str | None, _filter("--architecture", "Only architectures that match a pattern, such as 'cnn*'.", "PATTERN")
    ] = None,
    status: Annotated[
        str | None, _filter("--status", "Only runs with this status, or with one of several: failed,stale.", "STATUS")
    ] = None,
    dataset: Annotated[str | None, _filter("--dataset", "Only data sets that match a pattern.", "PATTERN")] = None,
    block: Annotated[str | None, _filter("--block", "Only blocks that match a pattern.", "PATTERN")] = None,
    data: Annotated[str | None, _filter("--data", "Only resamplers that match a pattern.", "PATTERN")] = None,
    since: Annotated[str | None, _filter("--since", "Only runs that began on this day (UTC) or later.", "DATE")] = None,
    until: Annotated[
        str | None, _filter("--until", "Only runs that began on this day (UTC) or earlier.", "DATE")
    ] = None,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Delete the named or filtered runs with their files, after a question.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --delete: do not ask.", rich_help_panel=options.OUTPUT)
    ] = False,
    results: options.ResultsToRead = None,
    as_json: options.Json = False,
) -> None:
    """List the stored runs, show one run, or delete runs.

    The scores of one run are computed again from its stored probabilities.
    """
    from zoo.store.selection import Selection

    session = session_of(context)
    named = runs or []
    picked = Selection.of(
        architecture=architecture, status=status, dataset=dataset, block=block, data=data, since=since, until=until
    )
    for word in named:
        if any(word == entry.name for entry in session.registry.of_kind("architecture")):
            raise UsageError(f"{word!r} is an architecture, not a run: zoo results --architecture {word}")
    if named and picked:
        raise UsageError("name runs or filter them, not both")
    if yes and not delete:
        raise UsageError("--yes answers the question of --delete: name both")
    if delete:
        _delete(session, results, named, picked, yes=yes, as_json=as_json)
    elif len(named) == 1:
        _show_one(session, results, named[0], as_json)
    else:
        _list(_chosen(session.stored_runs(results), named, picked), as_json)


def _list(found: "list[Run]", as_json: bool) -> None:
    from zoo.store.hints import with_hints

    emit(_columns(found), _rows(found), as_json=as_json, objects=[with_hints(each) for each in found])


def _show_one(session: Session, results: Path | None, identifier: str, as_json: bool) -> None:
    from zoo.cli.views.run import REASON, SCORES, heading, learning_curve, reason_lines, score_rows, tables
    from zoo.store.hints import hints_of, with_hints
    from zoo.store.run import RunStatus
    from zoo.store.runs import Store

    with Store(session.settings.results_folder(results), create=False) as store:
        shown = store.get(identifier)
        if shown.status == RunStatus.DONE:
            from zoo.store.predictions import rescored  # imports pyarrow, which a list of runs does not need

            shown = rescored(store, shown)
        if as_json:
            print_json(with_hints(shown))
            return
        session.say(*heading(shown))
        if curve := learning_curve(store, shown, session.stderr.encoding):
            session.say(curve)
        for note in (*shown.notes, *hints_of(shown)):
            session.say(f"note: {note}")
        rows, terminal = score_rows(shown), sys.stdout.isatty()
        emit([*SCORES, *[REASON] * (not terminal)], rows)
        for line in reason_lines(rows) if terminal else ():
            say(line)
        for title, columns, rows in tables(shown) if terminal else ():
            if fits(columns, rows):
                say("")
                say(title)
                emit(columns, rows)
            else:
                session.say(f"no room for the {title.partition(':')[0]}: --json shows it")
        session.say(f"files: {store.path(shown)}")


def _delete(
    session: Session, results: Path | None, named: Sequence[str], picked: "Selection", *, yes: bool, as_json: bool
) -> None:
    """List the runs to delete, ask, and delete them. Of filtered runs, those that something needs are kept."""
    from zoo.store.deletion import delete, size_of, why_kept
    from zoo.store.runs import Store

    if not (named or picked):
        raise UsageError("--delete needs runs or a filter; --architecture '*' deletes all runs")
    folder = session.settings.results_folder(results)
    Store(folder, create=False).close()  # raises StoreError if there is no store
    with Store(folder) as store:
        found = _chosen(store.runs(), named, picked)
        kept = {run.id: reason for run in found if (reason := why_kept(store, run))}
        for identifier, reason in kept.items():
            if named:
                raise StoreError(f"run {identifier} {reason}: nothing was deleted")
            session.say(f"kept: run {identifier} {reason}")
        runs = [run for run in found if run.id not in kept]
        if not runs:
            session.say("no run to delete")
            return
        _list(runs, as_json)
        size = f"{count_text(len(runs), 'run')} and {size_of(store, runs) / 2**20:,.1f} MiB of files"
        if not (yes or _agreed(session, f"delete {size}?")):
            session.say("nothing was deleted")
            raise typer.Exit(1)
        for left in delete(store, runs):
            session.say(f"warning: {left} could not be removed")
        session.say(f"deleted {size}")


def _agreed(session: Session, question: str) -> bool:
    """Ask on stderr. Without an answer, as in a script, print how to delete without a question."""
    session.stderr.print(plain(f"{question} [y/N] "), end="")  # not by typer.confirm, which also writes to stdout
    answer = sys.stdin.readline() if sys.stdin else ""
    if not answer:
        session.say("", "no answer: --yes deletes without a question")
    return answer.strip().lower() in ("y", "yes")


def _chosen(runs: "list[Run]", named: Sequence[str], picked: "Selection") -> "list[Run]":
    """Return the named runs, or those that pass the filters. Raises UnknownName for a name of no run, or of several."""
    if not named:
        return [run for run in runs if picked.picks(run)]
    found = {run.id: run for word in named for run in [_named(runs, word)]}
    return list(found.values())


def _named(runs: "Iterable[Run]", word: str) -> "Run":
    matching = [run for run in runs if word and run.id.startswith(word)]
    if not matching:
        raise UnknownName(f"no run {word!r}. `zoo results` shows them all.")
    if len(matching) > 1:
        raise UnknownName(f"{word!r} matches {len(matching)} runs: {', '.join(run.id for run in matching[:5])}")
    return matching[0]


def _columns(runs: "list[Run]") -> list[Column]:
    """Return all columns for a pipe, and for a terminal those that tell something."""
    from zoo.cli.views.runs import steps_differ

    shown = not sys.stdout.isatty() or steps_differ(runs)
    return [column for column in COLUMNS if shown or column.key != "steps"]


def _rows(runs: "list[Run]") -> list[dict[str, Any]]:
    """Return a row for each run; they have the precision if it differs between trained runs."""
    differs = len({run.precision for run in runs} - {""}) > 1
    return [_row(run) | ({"precision": run.precision} if differs else {}) for run in runs]


def _row(run: "Run") -> dict[str, Any]:
    return {
        "id": run.id,
        "status": run.status,
        "architecture": run.reference,
        "block": run.block,
        "data": run.data,
        "dataset": run.dataset_label,
        "protocol": run.protocol,
        "seed": run.seed,
        "fold": f"{run.fold}/{run.folds}" if run.fold else "",
        "macro_recall": run.score("macro_recall"),
        "steps": run.steps,
        "train_seconds": run.cost.train_seconds,
        "created": run.created[:16].replace("T", " "),
        "error": run.error,
    } | ({"style": "red"} if run.error else {})
