"""`zoo bench`: train and score every requested combination."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.assignments import parse_assignments
from zoo.cli import options
from zoo.cli.complete import names_of
from zoo.cli.session import Session, session_of
from zoo.cli.views.table import Row, emit, print_json, quiet_stdout
from zoo.deprecation import RENAMED
from zoo.interruption import exit_code
from zoo.scores import CLASS_SCORES

MOST_BY_CLASS = 4  # runs with a table of their classes

if TYPE_CHECKING:
    from zoo.harness.request import Request
    from zoo.store.run import Run


def bench_command(
    context: typer.Context,
    architectures: Annotated[
        list[str],
        typer.Argument(
            metavar="ARCH",
            help="NAME, NAME.PRESET or a pattern such as 'cnn*'; or your own network: FILE.py:NET, MODULE:NET.",
            autocompletion=names_of("architecture", presets=True),
        ),
    ],
    block: options.Blocks = None,
    data: options.Resamplers = None,
    loss: options.Losses = None,
    treatment: options.Treatments = None,
    dataset: options.Datasets = None,
    protocol: options.Protocols = None,
    cv: options.Folds = None,
    scale: options.Scales = None,
    seeds: Annotated[
        int, options.number("--seeds", "Number of seeds, counted from --seed.", least=1, panel=options.WHAT)
    ] = 1,
    seed: Annotated[int, options.number("--seed", "The first seed.", least=0, panel=options.WHAT)] = 0,
    rows: options.Rows = None,
    epochs: Annotated[
        int | None,
        options.number(
            "--epochs", "Maximum number of epochs.", least=1, panel=options.TRAINING, default=options.BY_SETTINGS
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A parameter of the network, or block.*, data.*, loss.*, dataset.*, training.*.",
            metavar="KEY=VALUE",
            rich_help_panel=options.TRAINING,
        ),
    ] = None,
    data_dir: options.DataDir = None,
    target: options.Target = None,
    group: options.Group = None,
    columns: options.Columns = None,
    drop: options.Drop = None,
    drop_class: options.DropClass = None,
    merge_class: options.MergeClass = None,
    device: options.Device = None,
    threads: options.Threads = None,
    jobs: options.Jobs = 1,
    address: options.Address = None,
    isolate: Annotated[
        bool,
        typer.Option(
            "--isolate",
            help="Train and score each network in worker processes, so that a crash ends only its run.",
            rich_help_panel=options.WHERE,
        ),
    ] = False,
    run_timeout: Annotated[
        float | None, options.time("--run-timeout", "Time for one run: 90s, 30m, 2h.", panel=options.TRAINING)
    ] = None,
    results: options.ResultsToWrite = None,
    force: Annotated[
        bool, typer.Option("--force", help="Train again; do not reuse stored runs.", rich_help_panel=options.OUTPUT)
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Resume interrupted runs from their last epoch.", rich_help_panel=options.OUTPUT),
    ] = False,
    as_json: Annotated[bool, options.json_option("Print JSON, one object per run.")] = False,
) -> None:
    """Train and score architectures under equal conditions. Stored runs are reused.

    The validation set chooses the epoch. The test set stays sealed until training has ended.
    """
    from zoo.cli.guesses import check_cell
    from zoo.store.run import RunStatus
    from zoo.unpackaged import with_unpackaged

    session = session_of(context)
    assignments = parse_assignments(set_ or [])
    check_cell(session, "bench", architectures, context.params)  # reports a typo before torch loads
    with quiet_stdout():
        registry, names = with_unpackaged(session.registry, architectures)
    session.workspace = replace(session.workspace, registry=registry)
    request = options.request_of(
        context,
        names,
        treatment=treatment,
        seeds=range(seed, seed + seeds),
        assignments=assignments,
        cv=cv,
        threads=threads,
        run_timeout=run_timeout,
        force=force,
        resume=resume,
    )
    runs: list[Run] = []
    try:
        workers = {"jobs": jobs, "address": None if address == "local" else address, "isolate": isolate}
        _run(session, request, results, runs, workers)
    finally:  # shows the finished runs even after an error or an interruption
        if runs:
            shown = _pooled(session, results, runs)
            _say_notes(session, runs, shown)
            _show(runs if as_json else shown, as_json)
            if sys.stdout.isatty() and not as_json:
                from zoo.cli.leaderboard import show_own_boards

                show_own_boards(session, results, runs)
    if any(run.status != RunStatus.DONE for run in runs):
        raise typer.Exit(1)


def _run(session: Session, request: "Request", results: Path | None, runs: "list[Run]", workers: Row) -> None:
    """Run a request and append each finished run to `runs`. `workers` holds `jobs`, `address` and `isolate`."""
    from zoo.cli.views.bench_progress import BenchDisplay
    from zoo.harness.bench import run_bench
    from zoo.store.runs import Store

    several = {"dataset": request.datasets, "protocol": request.protocols}
    also = [axis for axis, values in several.items() if len(set(values)) > 1]
    with Store(session.settings.results_folder(results)) as store, BenchDisplay(session.stderr, also) as display:
        try:
            with quiet_stdout():
                for run in run_bench(session.workspace, request, store, display, **workers):
                    runs.append(run)
        except KeyboardInterrupt as stopped:
            display.progress.stop()
            words = [_renamed(word) for word in sys.argv[1:] if word not in ("--force", "--resume")]
            session.say("interrupted; the finished runs are stored. Resume with:")
            session.say(shlex.join(["zoo", *words, "--resume"]), wrap=False)
            raise typer.Exit(exit_code(stopped)) from None


def _pooled(session: Session, results: Path | None, runs: "list[Run]") -> "list[Run]":
    """Return the runs of a bench with all folds of each cross-validation as one; those of others are not ranked."""
    if not any(run.folds for run in runs):
        return runs
    from zoo.store.folds import with_folds_pooled
    from zoo.store.runs import Store

    with Store(session.settings.results_folder(results), create=False) as store:
        found = with_folds_pooled(store, runs)
    for line in found.incomplete:
        session.say(f"note: {line}")
    return list(found.runs)


def _renamed(word: str) -> str:
    """Return a word of the command line with the new name of an old option."""
    name, sign, value = word.partition("=")
    return f"{RENAMED[name][0]}{sign}{value}" if name in RENAMED else word


def _say_notes(session: Session, runs: "list[Run]", shown: "list[Run]") -> None:
    """Print the notes of all runs, and those on the scores that are shown."""
    from zoo.cli.views.bench_progress import run_label
    from zoo.cli.views.failures import failure_lines
    from zoo.store.hints import hints_of_all

    for note in _notes(runs):
        session.say(f"note: {note}")
    for line in dict.fromkeys(run.scores.over_classes() for run in shown):
        if line:
            session.say(f"note: macro scores are averaged {line}")
    reasons = (reason for run in shown for reason in run.scores.reasons("macro_recall", *CLASS_SCORES))
    for reason in dict.fromkeys(reasons):
        session.say(f"note: no interval: {reason}")
    for line in _same_trainings(runs):
        session.say(f"note: {line}")
    also = _several(runs)
    for hint in hints_of_all([(run_label(run, also), run) for run in runs]):
        session.say(f"note: {hint}")
    for line in failure_lines(runs) if len(runs) > 1 else ():
        session.say(line)


def _notes(runs: "list[Run]") -> list[str]:
    """Return the notes of all runs, each once; of several data sets, with those that it is about."""
    datasets: dict[str, dict[str, None]] = {}
    for run in runs:
        for note in run.notes:
            datasets.setdefault(note, {})[run.dataset_label] = None
    number = len({run.dataset_label for run in runs})
    return [note if len(names) == number else f"{', '.join(names)}: {note}" for note, names in datasets.items()]


def _same_trainings(runs: "list[Run]") -> list[str]:
    """Return a line for each run whose loss makes it the same training as an earlier run."""
    several = len({run.dataset_label for run in runs}) > 1
    from zoo.store.alike import loss_text, same_training

    lines = []
    for place, run in enumerate(runs):
        first = next(
            (
                each
                for each in runs[:place]
                if (each.seed, each.fold, each.dataset_label) == (run.seed, run.fold, run.dataset_label)
                and same_training([each], [run])
            ),
            None,
        )
        if first is not None and first.id != run.id:
            same = f"losses {loss_text(first, run)} and {loss_text(run, first)} are the same training"
            where = f"{run.dataset_label} {run.reference}" if several else run.reference
            lines.append(f"{where} {run.data}: {same}, which the leaderboard ranks once")
    return list(dict.fromkeys(lines))


def _show(runs: "list[Run]", as_json: bool) -> None:
    from zoo.cli.views.failures import failure_lines
    from zoo.cli.views.runs import flat_columns, score_columns, score_row
    from zoo.cli.views.table import say
    from zoo.store.hints import with_hints

    if as_json:
        print_json([with_hints(run) for run in runs])
        return
    rows = [score_row(run) for run in runs]
    if not sys.stdout.isatty():
        emit(flat_columns(rows), rows)
        return
    emit(score_columns(runs), rows, title=(_title(runs),))
    for line in failure_lines(runs) if len(runs) == 1 else ():
        say(line)
    _show_classes([run for run in runs if run.scores])


def _show_classes(runs: "list[Run]") -> None:
    """Print one table with a row per run if the terminal is wide enough, otherwise one table per run.

    Nobody reads the tables of more than a few runs: for them, print where to find these scores.
    """
    from zoo.cli.views.bench_progress import run_label
    from zoo.cli.views.runs import BY_CLASS, by_class_rows, class_columns, class_row
    from zoo.cli.views.table import fits, say

    if len(runs) > MOST_BY_CLASS:
        say(f"scores by class: zoo results RUN, such as zoo results {runs[0].ids[0]}")
        return
    also = _several(runs)
    columns, rows = class_columns(runs), [class_row(run) for run in runs]
    if len(runs) > 1 and fits(columns, rows):
        emit(columns, rows, title=("", "recall by class"))
        return
    for run in runs:
        emit(
            BY_CLASS,
            by_class_rows(run),
            title=("", f"{run_label(run, also)} by class" if len(runs) > 1 else "by class"),
        )


def _several(runs: "list[Run]") -> list[str]:
    """Return the axes besides those in every label in which these runs differ."""
    return [axis for axis in ("dataset", "protocol") if len({getattr(run, axis) for run in runs}) > 1]


def _title(runs: "list[Run]") -> str:
    labels = dict.fromkeys(f"{run.dataset_label}, {replace(run, fold=0).protocol_text}" for run in runs)
    return f"{'; '.join(labels)}: test set, 95 % intervals" if runs else ""
