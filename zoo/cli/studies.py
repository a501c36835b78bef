"""`zoo studies`: the searches in the store, what each found, and what mattered."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import output
from zoo.cli.output import Column, emit, number, print_json
from zoo.cli.scores import interval_text
from zoo.cli.session import Session, session_of
from zoo.cli.trials import VALUE, flat_columns, ranked, trial_columns, trial_row
from zoo.errors import UnknownName, UsageError, unknown_name
from zoo.results.run import DONE, Run
from zoo.tune.comparison import Comparison, grouped
from zoo.tune.records import UNFINISHED, Study, Trial
from zoo.tune.wording import how_many, metric_words, value_text

if TYPE_CHECKING:
    from zoo.results.store import Store
    from zoo.tune.importance import Importance
    from zoo.tune.store import StudyStore

Results = Annotated[Path | None, typer.Option(help="Folder with results; else ZOO_RESULTS.")]
COLUMNS = (
    Column("study", "name"),
    Column("status", "status"),
    Column("comparison", "comparison", optional=True, drop=4),
    Column("architecture", "architecture"),
    Column("search", "searcher", drop=3),
    Column("scheduler", "scheduler", drop=4),
    Column("trials", "trials", numeric=True),
    Column("metric", "metric", drop=2),
    Column("best", "best", VALUE, numeric=True),
    Column("run", "run", drop=1),
    Column("created", "created", drop=5),
)

studies = typer.Typer(help="List the studies of zoo tune, or show one.", invoke_without_command=True)


@studies.callback()
def list_command(
    context: typer.Context,
    results: Results = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the studies in the store, or show one."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    from zoo.api import results_folder
    from zoo.results.store import Store
    from zoo.tune.store import StudyStore

    folder = results_folder(session.settings, results)
    if not Store.exists(folder):
        _show_list(session, [], as_json, [])
        return
    with Store(folder, create=False) as store:
        found = StudyStore(store).studies()
        objects = (study_object(study, scored_run(store, study)) for study in found)
        _show_list(session, found, as_json, objects)


@studies.command("show")
def show_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of a study, or of a comparison.")],
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Write history.svg and parallel.svg there; of a comparison trials.svg and time.svg.", metavar="DIR"
        ),
    ] = None,
    save: Annotated[
        str | None, typer.Option(help="Write the winner to registry.toml as this preset.", metavar="ARCH.NAME")
    ] = None,
    results: Results = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a study: its trials, the winner's configuration, and how much each hyperparameter mattered.

    Or a comparison of searchers: the best so far, and whether tuning was worth it.
    """
    from zoo.api import results_folder
    from zoo.results.store import Store
    from zoo.tune.importance import importance
    from zoo.tune.store import StudyStore

    session = session_of(context)
    above = context.parent.params if context.parent is not None else {}
    folder = results_folder(session.settings, results or above.get("results"))
    as_json = as_json or bool(above.get("as_json"))
    with Store(folder, create=False) as store:
        found = _find(StudyStore(store), name)
        if isinstance(found, Comparison):
            _show_comparison(session, store, found, pictures, save, as_json)
            return
        study = found
        if save is not None:
            check_save(session, study.architecture, save)
        show_study(session, store, study, as_json=as_json, mattered=importance(study))
        if pictures is not None:
            _write_pictures(session, study, pictures)
        if save is not None:
            save_winner(session, store, study, save)


def _find(studies: "StudyStore", name: str) -> Study | Comparison:
    """The study of that name, or else the comparison. Raises UnknownName, with the nearest of both, for neither."""
    found = studies.studies()
    by_name = {study.name: study for study in found}
    groups = {comparison.name: comparison for comparison in grouped(found)}
    if name not in by_name and name not in groups:
        raise unknown_name("study", name, by_name, "`zoo studies` shows them all.", elsewhere=groups)
    return by_name.get(name) or groups[name]


def _show_comparison(
    session: Session, store: "Store", comparison: Comparison, pictures: Path | None, save: str | None, as_json: bool
) -> None:
    from zoo.cli.comparisons import show_comparison, write_pictures

    if save is not None:
        raise UsageError(
            f"{comparison.name!r} is a comparison, with a winner in each of its studies: name one of them to save, "
            f"such as {comparison.studies[0].name}"
        )
    show_comparison(session, store, comparison, as_json=as_json)
    if pictures is not None:
        write_pictures(session, store, comparison, pictures)


def show_study(
    session: Session,
    store: "Store",
    study: Study,
    *,
    as_json: bool,
    most: int | None = None,
    mattered: "Importance | None" = None,
) -> None:
    """Trials, the winner and how it was chosen; on a terminal the `most` best trials, in a pipe every one."""
    run = scored_run(store, study)
    for note in dict.fromkeys((*study.notes, *(run.notes if run else ()), *over_classes_note(run))):
        session.say(f"note: {note}")
    if as_json:
        print_json(study_object(study, run, mattered))
    elif not sys.stdout.isatty():
        emit(flat_columns(list(study.space)), [trial_row(trial) for trial in study.trials])
    else:
        _print_tables(session, study, run, most, mattered)
    say = output.say if sys.stdout.isatty() and not as_json else session.say
    say(outcome(study, run))


def outcome(study: Study, run: Run | None) -> str:
    """From how many trials the winner was chosen, by what, and what it scored where it had never been seen."""
    best = winner_of(study)
    if best is None:
        ended = sum(trial.status not in UNFINISHED for trial in study.trials)
        return f"no winner: of {ended} trials that ended none gave a value to choose by"
    choice = f"{how_many(study)} by {metric_words(study.metric)} {VALUE(best.value)}"
    if run is None:
        return f"best so far of {choice}, trial {best.number}; the test part was not opened"
    if run.status != DONE:
        return f"chosen from {choice}; its run {run.id} on the test part: {run.status}. {run.error}".rstrip()
    metric = "accuracy" if study.metric == "accuracy" else "macro_recall"
    score = f"test {metric.replace('_', ' ')} {interval_text(run.scores[metric])}"
    simulated = f", on {run.dataset_label}" if run.synthetic else ""
    return f"chosen from {choice}; {score}, run {run.id}{simulated}"


def study_object(study: Study, run: Run | None, mattered: "Importance | None" = None) -> dict[str, Any]:
    """The documented form of a study in JSON."""
    derived = {"metric": study.metric, "mode": study.mode, "best": study.best.number if study.best else None}
    test = dict(run.scores) if run is not None and run.scores else None
    found = {**study.to_json(), **derived, "test": test}
    if mattered is not None:
        found |= {"importance": dict(mattered.shares), "importance_note": mattered.note}
    return found


def winner_of(study: Study) -> Trial | None:
    """The trial that was retrained; the best so far where none was yet."""
    return next((trial for trial in study.trials if trial.number == study.winner), study.best)


def scored_run(store: "Store", study: Study) -> Run | None:
    """The winner's run, where there is one."""
    return run_of(store, study.run)


def run_of(store: "Store", identifier: str) -> Run | None:
    """A study's run by its id; None for no id, and where it was deleted."""
    try:
        return store.get(identifier) if identifier else None
    except UnknownName:
        return None


def check_save(session: Session, architecture: str, name: str) -> None:
    """Raise UsageError or SettingsError where the winner cannot be saved under that name."""
    from zoo.tune.saving import check_name, target_file

    check_name(session.registry, session.settings, architecture, name)
    target_file(session.settings)


def save_winner(session: Session, store: "Store", study: Study, name: str) -> None:
    """Write the winner as a preset to the user's registry.toml, and say so."""
    from zoo.tune.saving import preset_of, save_preset, target_file

    trial = winner_of(study)
    if trial is None:
        raise UsageError(
            f"study {study.name} has no trial to save yet: go on with it by zoo tune --resume {study.name}"
        )
    path = target_file(session.settings)
    preset = preset_of(session.registry, session.settings, study, trial, scored_run(store, study))
    save_preset(path, name, preset)
    session.say(f"trial {trial.number} is the preset {name} in {path} now: zoo bench {name}")


def _show_list(session: Session, found: list[Study], as_json: bool, objects: Iterable[dict[str, Any]]) -> None:
    if found or as_json or not sys.stdout.isatty():
        emit(COLUMNS, [_row(study) for study in found], as_json=as_json, objects=objects)
    if not found:
        session.say("no studies yet: `zoo tune cnngru` makes one")


def _row(study: Study) -> dict[str, Any]:
    ended = sum(trial.status not in UNFINISHED for trial in study.trials)
    return {
        "name": study.name,
        "status": study.status,
        "comparison": study.comparison,
        "architecture": study.architecture,
        "searcher": study.searcher,
        "scheduler": study.scheduler,
        "trials": f"{ended}/{study.wanted}",
        "metric": study.metric,
        "best": study.best.value if study.best else None,
        "run": study.run,
        "created": study.created[:16].replace("T", " "),
    }


def _print_tables(
    session: Session, study: Study, run: Run | None, most: int | None, mattered: "Importance | None"
) -> None:
    trials = ranked(study)
    shown = trials[:most]
    where = f" on {run.dataset_label}, {run.protocol}" if run else ""
    keys = list(mattered.shares if mattered else ())
    columns = trial_columns(study, [*keys, *(key for key in study.space if key not in keys)])
    emit(
        columns,
        [trial_row(trial) for trial in shown],
        title=f"{study.name}: {study.architecture}{where}, validation part",
    )
    if len(shown) < len(trials):
        session.say(f"and {len(trials) - len(shown)} more: zoo studies show {study.name}")
    if best := winner_of(study):
        emit(
            _config_columns(best), _config_rows(study, best, mattered), title=f"\nconfiguration of trial {best.number}"
        )
    if mattered is not None and mattered.note:
        session.say(mattered.note)


def _config_columns(trial: Trial) -> list[Column]:
    return [
        Column("hyperparameter", "key"),
        Column("value", "value", value_text),
        Column("searched", "domain", wraps=True),
        Column("importance", "importance", number(2), numeric=True, optional=True),
    ]


def _config_rows(study: Study, trial: Trial, mattered: "Importance | None") -> list[dict[str, Any]]:
    """A row for each hyperparameter; where importance is known, the one that mattered most first."""
    from zoo.tune.records import space_from_json

    space = space_from_json(study.space)
    shares = mattered.shares if mattered else {}
    keys = sorted(trial.config, key=lambda key: -shares.get(key, 0.0))
    return [
        {"key": key, "value": trial.config[key], "domain": str(space.get(key, "")), "importance": shares.get(key)}
        for key in keys
    ]


def over_classes_note(run: Run | None) -> tuple[str, ...]:
    """Which classes a run's macro scores leave out, where they do."""
    if run is None or not run.scores.get("absent"):
        return ()
    from zoo.metrics import over_classes

    return (f"macro scores go {over_classes(run.scores)}",)


def _write_pictures(session: Session, study: Study, folder: Path) -> None:
    from zoo.results.files import write_atomically
    from zoo.tune.pictures import history, parallel

    for name, content in (("history.svg", history(study)), ("parallel.svg", parallel(study))):
        write_atomically(folder / name, content.encode())
        session.say(f"wrote {folder / name}")
