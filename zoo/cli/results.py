"""`zoo results`: the stored runs."""

import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import options
from zoo.cli.session import session_of
from zoo.cli.views.table import Column, count, emit, number, print_json, steps_column
from zoo.errors import UsageError
from zoo.scores import CLASS_SCORES, MACRO_SCORES

if TYPE_CHECKING:
    from zoo.store.run import Run

COLUMNS = (
    Column("run", "id"),
    Column("status", "status"),
    Column("architecture", "architecture"),
    Column("block", "block", optional=True, drop=2),
    Column("data", "data"),
    Column("dataset", "dataset", drop=1),
    Column("seed", "seed", numeric=True, drop=3),
    Column("macro recall", "macro_recall", number(3), numeric=True),
    steps_column(drop=5),
    Column("train s", "train_seconds", number(1), numeric=True, drop=4),
    Column("precision", "precision", optional=True, drop=7),
    Column("created", "created", drop=6),
    Column("error", "error", optional=True, wraps=True),
)
SCORES = (
    Column("score", "name"),
    Column("value", "value", number(4), numeric=True),
    Column("low", "low", number(4), numeric=True),
    Column("high", "high", number(4), numeric=True),
    Column("test rows", "support", count, numeric=True, optional=True),
    Column("groups", "groups", count, numeric=True, optional=True, drop=2),
    Column("effective", "effective_groups", number(1), numeric=True, optional=True, drop=1),
    Column("why no interval", "reason", optional=True, wraps=True),
)


def results_command(
    context: typer.Context,
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Show one run: its id, or the start of its id.")
    ] = None,
    architecture: Annotated[
        str,
        typer.Option(
            help="List only architectures that match a pattern, such as 'cnn*'.",
            metavar="PATTERN",
            rich_help_panel=options.OUTPUT,
        ),
    ] = "*",
    results: options.ResultsToRead = None,
    as_json: options.Json = False,
) -> None:
    """List the stored runs, or show one run.

    The scores of one run are computed again from its stored probabilities.
    """
    from zoo.store.hints import hints_of, with_hints
    from zoo.store.run import RunStatus
    from zoo.store.runs import Store

    session = session_of(context)
    if run is None:
        found = [each for each in session.stored_runs(results) if fnmatchcase(each.architecture, architecture)]
        objects = [with_hints(each) for each in found]
        emit(_columns(found), _rows(found), as_json=as_json, objects=objects)
        return
    if any(run == entry.name for entry in session.registry.of_kind("architecture")):
        raise UsageError(f"{run!r} is an architecture, not a run: zoo results --architecture {run}")
    with Store(session.settings.results_folder(results), create=False) as store:
        shown = store.get(run)
        if shown.status == RunStatus.DONE:
            from zoo.store.predictions import rescored  # imports pyarrow, which a list of runs does not need

            shown = rescored(store, shown)
        if as_json:
            print_json(with_hints(shown))
            return
        session.say(*_heading(shown))
        for note in (*shown.notes, *hints_of(shown)):
            session.say(f"note: {note}")
        emit(SCORES, list(_score_rows(shown)))
        session.say(f"files: {store.path(shown)}")


def _columns(runs: "list[Run]") -> list[Column]:
    """Return all columns for a pipe, and for a terminal those that tell something."""
    from zoo.cli.views.runs import steps_differ

    shown = not sys.stdout.isatty() or steps_differ(runs)
    return [column for column in COLUMNS if shown or column.key != "steps"]


def _heading(run: "Run") -> list[str]:
    cell = f"{run.reference} block={run.block or '-'} data={run.data} loss={run.loss or '-'} seed={run.seed}"
    parts = [f"{part} {count(rows)} rows" for part, rows in run.parts.rows.items()]
    where = ", ".join([run.dataset_label, run.protocol, f"scale {run.scale}", *parts])
    cost = ", ".join(f"{name} {_amount(value)}" for name, value in run.cost.items() if value is not None)
    plugins = ", ".join(f"{name} {version}" for name, version in run.plugins.items())
    trained = (
        f"{run.epochs} epochs of training in {run.precision}, {count(run.steps)} steps, best epoch {run.best_epoch}"
        if run.steps
        else ""
    )
    recall = run.train_macro_recall
    seen = "" if recall is None else f"macro recall on the training rows, before resampling: {recall:.4f}"
    first = f"run {run.id}: {run.status}. {run.error}".rstrip()
    lines = [first, cell, where, trained, seen, cost, plugins and f"plugins: {plugins}"]
    return [line for line in lines if line]


def _amount(value: float) -> str:
    return count(value) if isinstance(value, int) else f"{value:,.6g}"


def _score_rows(run: "Run") -> list[dict[str, Any]]:
    if not run.scores:
        return []
    rows: list[dict[str, Any]] = [{"name": name, **run.scores.of_all(name)} for name in MACRO_SCORES]
    for name in CLASS_SCORES:
        for label, interval in run.scores.by_class(name).items():
            counts = {key: run.scores[key].get(label) for key in ("support", "groups", "effective_groups")}
            rows.append({"name": f"{name} {label}", **interval, **counts})
    return rows


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
        "macro_recall": run.score("macro_recall"),
        "steps": run.steps,
        "train_seconds": run.cost.train_seconds,
        "created": run.created[:16].replace("T", " "),
        "error": run.error,
    } | ({"style": "red"} if run.error else {})
