"""`zoo bench`: train and score every combination asked for."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.assignments import parse_assignments
from zoo.cli.complete import composed, names_of
from zoo.cli.session import Session, session_of
from zoo.cli.views.table import emit, print_json, quiet_stdout
from zoo.interruption import exit_code
from zoo.registry import split_reference
from zoo.store.run import DONE, Run
from zoo.unpackaged import is_unpackaged, with_unpackaged

if TYPE_CHECKING:
    from zoo.harness.request import Request

AXIS = "Several values make a grid."


def bench_command(
    context: typer.Context,
    architectures: Annotated[
        list[str],
        typer.Argument(
            metavar="ARCH",
            help="Names, NAME.PRESET, patterns such as 'cnn*'; of no plugin's: FILE.py:NET, PACKAGE.MODULE:NET.",
            autocompletion=names_of("architecture", presets=True),
        ),
    ],
    block: Annotated[
        list[str] | None,
        typer.Option(help=f"Block for the slot; a+b is one after the other. {AXIS}", autocompletion=composed("block")),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help=f"Resampler of the training part. {AXIS}", autocompletion=names_of("resampler")),
    ] = None,
    loss: Annotated[
        list[str] | None, typer.Option(help=f"Training loss. {AXIS}", autocompletion=names_of("objective"))
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Data set, or a .csv, .parquet, .npz or .ts file. {AXIS}", autocompletion=names_of("dataset")
        ),
    ] = None,
    protocol: Annotated[
        list[str] | None, typer.Option(help=f"official, holdout, inter-patient, inter-patient-strict. {AXIS}")
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds: --seed and those after it.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="The first seed.", min=0)] = 0,
    rows: Annotated[int | None, typer.Option(help="Rows to train on, by class shares; all by default.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Most epochs to train.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value: a parameter, or block.*, data.*, loss.*, dataset.*, training.*."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the data set's files; else ZOO_DATA.")] = None,
    target: Annotated[str | None, typer.Option(help="Column of the labels, for a file.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of what belongs together (patients), for a file.")] = None,
    results: Annotated[Path | None, typer.Option(help="Folder for results; else ZOO_RESULTS.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; 0 chooses.")] = None,
    jobs: Annotated[int, typer.Option(help="Runs at a time, each with one thread.")] = 1,
    address: Annotated[
        str | None, typer.Option(help="Of a running Ray cluster to work on: auto, HOST:PORT, or local for here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run again what is in the store.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last epoch of interrupted runs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object per run.")] = False,
) -> None:
    """Train and score architectures on equal terms; what is in the store is served from there.

    The test part stays sealed until training has ended; the epoch is chosen by validation.
    """
    session = session_of(context)
    assignments = parse_assignments(set_ or [])
    if not is_unpackaged(session.registry, architectures[0]):
        session.registry.match(
            "architecture", split_reference(architectures[0])[0]
        )  # a typo is said before torch loads
    with quiet_stdout():
        registry, names = with_unpackaged(session.registry, architectures)
    session.workspace = replace(session.workspace, registry=registry)
    from zoo.harness.request import Request

    request = Request.of(
        names,
        block=block,
        data=data,
        loss=loss,
        dataset=dataset,
        protocol=protocol,
        seeds=range(seed, seed + seeds),
        rows=rows,
        epochs=epochs,
        assignments=assignments,
        data_dir=data_dir,
        target=target,
        group=group,
        device=device,
        threads=threads,
        force=force,
        resume=resume,
    )
    runs: list[Run] = []
    try:
        _run(session, request, results, runs, {"jobs": jobs, "address": None if address == "local" else address})
    finally:  # what is finished is shown, also when something stopped the rest
        if runs:
            _say_notes(session, runs)
            _show(runs, as_json)
    if any(run.status != DONE for run in runs):
        raise typer.Exit(1)


def _run(
    session: Session, request: "Request", results: Path | None, runs: list[Run], workers: Mapping[str, Any]
) -> None:
    """Run a request, each finished run added to `runs` as it comes; `workers` say where."""
    from zoo.cli.views.bench_progress import BenchDisplay
    from zoo.harness.bench import run_bench
    from zoo.store.runs import Store

    with Store(session.settings.results_folder(results)) as store, BenchDisplay(session.stderr) as display:
        try:
            with quiet_stdout():
                for run in run_bench(session.workspace, request, store, display, **workers):
                    runs.append(run)
        except KeyboardInterrupt as stopped:
            display.progress.stop()
            words = [word for word in sys.argv[1:] if word not in ("--force", "--resume")]
            session.say("interrupted; finished runs are stored. Go on with:")
            session.say(shlex.join(["zoo", *words, "--resume"]), wrap=False)
            raise typer.Exit(exit_code(stopped)) from None


def _say_notes(session: Session, runs: list[Run]) -> None:
    from zoo.metrics import over_classes

    for note in dict.fromkeys(note for run in runs for note in run.notes):
        session.say(f"note: {note}")
    for line in dict.fromkeys(over_classes(run.scores) for run in runs if run.scores):
        if line:
            session.say(f"note: macro scores go {line}")


def _show(runs: list[Run], as_json: bool) -> None:
    from zoo.cli.views.runs import flat_columns, score_columns, score_row

    if as_json:
        print_json([run.to_json() for run in runs])
        return
    rows = [score_row(run) for run in runs]
    if not sys.stdout.isatty():
        emit(flat_columns(rows), rows)
        return
    emit(score_columns(runs), rows, title=_title(runs))
    _show_classes([run for run in runs if run.scores])


def _show_classes(runs: list[Run]) -> None:
    """A row per run where there is room for that, else a table for each."""
    from zoo.cli.views.bench_progress import run_label
    from zoo.cli.views.runs import BY_CLASS, by_class_rows, class_columns, class_row
    from zoo.cli.views.table import fits

    columns, rows = class_columns(runs), [class_row(run) for run in runs]
    if len(runs) > 1 and fits(columns, rows):
        emit(columns, rows, title="\nrecall by class")
        return
    for run in runs:
        emit(BY_CLASS, by_class_rows(run), title=f"\n{run_label(run)} by class" if len(runs) > 1 else "\nby class")


def _title(runs: list[Run]) -> str:
    labels = dict.fromkeys(f"{run.dataset_label}, {run.protocol}" for run in runs)
    return f"{'; '.join(labels)}: test part, 95 % intervals" if runs else ""
