"""`zoo tune`: search for hyperparameters on the training and validation sets, then score the winner on the test set."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.assignments import parse_assignments
from zoo.cli import options
from zoo.cli.complete import composed, names_of
from zoo.cli.presets import check_save, save_winner
from zoo.cli.session import Session, session_of
from zoo.cli.views.table import quiet_stdout
from zoo.errors import StoreMoved, UsageError, ZooError
from zoo.interruption import exit_code
from zoo.store.study import METRICS, Study, StudyStatus
from zoo.tuning.request import SCHEDULERS, TuneRequest

if TYPE_CHECKING:
    from zoo.cli.views.tune_progress import TuneDisplay
    from zoo.store.runs import Store

    Start = Callable[[Store, TuneDisplay], str]

SEEDS = 3  # default of a comparison
SHOWN = 10  # trials in the final table
BESIDE_RESUME = ("resume", "trials", "jobs", "address", "results", "save", "as_json")
_SEARCH = "search."


@dataclass(frozen=True)
class Ends:
    """The output of a study: `results` as typed, and `folder`, the results folder in use."""

    results: Path | None
    folder: Path
    save: str | None
    as_json: bool


def tune_command(
    context: typer.Context,
    architecture: Annotated[
        str | None,
        typer.Argument(
            metavar="ARCH", help="A name or NAME.PRESET.", autocompletion=names_of("architecture", presets=True)
        ),
    ] = None,
    block: options.Block = None,
    data: options.Resampler = None,
    loss: options.Loss = None,
    dataset: options.Dataset = None,
    protocol: options.Protocol = None,
    scale: options.Scale = None,
    rows: options.Rows = None,
    epochs: Annotated[
        int | None,
        options.number(
            "--epochs",
            "Maximum number of epochs of a trial.",
            least=1,
            panel=options.TRAINING,
            default=options.BY_SETTINGS,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A fixed value: the keys of zoo bench --set, and search.* for the searcher.",
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
    search: Annotated[
        str,
        typer.Option(
            help="Searcher: random, hyperopt, optuna, or one of a plugin.",
            metavar="NAME",
            rich_help_panel=options.TUNING,
            autocompletion=names_of("searcher"),
        ),
    ] = "random",
    compare: Annotated[
        str | None,
        typer.Option(
            help="Compare searchers, such as random,optuna, with equal budgets, and with the defaults.",
            metavar="A,B,…",
            rich_help_panel=options.TUNING,
            autocompletion=composed("searcher"),
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        options.number(
            "--seeds",
            "Number of seeds of a comparison, counted from --seed.",
            least=1,
            panel=options.TUNING,
            default=str(SEEDS),
        ),
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(
            help=f"Scheduler that stops bad trials early: {', '.join(SCHEDULERS)}.",
            metavar="NAME",
            rich_help_panel=options.TUNING,
        ),
    ] = "none",
    trials: Annotated[
        int | None,
        options.number(
            "--trials", "Number of trials, that is, of configurations.", least=1, panel=options.TUNING, default="20"
        ),
    ] = None,
    time_budget: Annotated[
        float | None, options.time("--time-budget", "Time for all trials together: 90s, 30m, 2h.", panel=options.TUNING)
    ] = None,
    trial_timeout: Annotated[
        float | None, options.time("--trial-timeout", "Time for one trial: 90s, 30m, 2h.", panel=options.TUNING)
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            help=f"Score to optimise on the validation set: {', '.join(METRICS)}.",
            metavar="NAME",
            rich_help_panel=options.TUNING,
        ),
    ] = "macro_recall",
    seed: Annotated[
        int, options.number("--seed", "Seed of the search and of all trials.", least=0, panel=options.TUNING)
    ] = 0,
    space: Annotated[
        str,
        typer.Option(
            help="Search space: one of the architecture, see zoo show ARCH, or FILE.toml.",
            metavar="NAME",
            rich_help_panel=options.TUNING,
        ),
    ] = "default",
    tune: Annotated[
        list[str] | None,
        typer.Option(
            "--tune",
            help="KEY=a,b,c or KEY=low..high: add a key to the space, or replace it.",
            metavar="KEY=RANGE",
            rich_help_panel=options.TUNING,
        ),
    ] = None,
    device: options.Device = None,
    jobs: Annotated[
        int | None,
        options.number(
            "--jobs", "Number of parallel trials, each with one thread.", least=1, panel=options.WHERE, default="1"
        ),
    ] = None,
    gpus_per_trial: Annotated[
        float,
        options.number(
            "--gpus-per-trial",
            "GPUs of a trial; 0.5 shares one GPU between two.",
            least=0,
            panel=options.WHERE,
            kind=float,
        ),
    ] = 0.0,
    address: options.Address = None,
    name: Annotated[
        str,
        typer.Option(help="Name of the study.", rich_help_panel=options.OUTPUT, show_default="ARCH-SEARCHER-SEED"),
    ] = "",
    resume: Annotated[
        str | None,
        typer.Option(help="Resume this study or comparison.", metavar="NAME", rich_help_panel=options.OUTPUT),
    ] = None,
    save: options.Save = None,
    results: options.ResultsToWrite = None,
    as_json: Annotated[bool, options.json_option("Print the study as JSON.")] = False,
) -> None:
    """Search for good hyperparameters. Trials use only the training and validation sets.

    The trial with the best validation score is trained again and scored once on the sealed test set.
    """
    from zoo.cli.guesses import check_cell
    from zoo.unpackaged import is_unpackaged

    session = session_of(context)
    ends = Ends(results, session.settings.results_folder(results), save, as_json)
    if resume is not None:
        _check_resume(context)
        _run(session, partial(_resumed, session, resume, trials, jobs, address), ends, resume=resume)
        return
    if architecture is None:
        raise UsageError("name an architecture to tune, or a study to resume: --resume NAME")
    if is_unpackaged(session.registry, architecture):
        raise UsageError("zoo tune needs an installed architecture; `zoo new architecture NAME` creates one")
    searchers = _searchers(context, compare, seeds, save)
    assignments = parse_assignments(set_ or [])
    search_params = {
        key.removeprefix(_SEARCH): assignments.pop(key) for key in [*assignments] if key.startswith(_SEARCH)
    }
    request = TuneRequest(
        cell=options.request_of(context, [architecture], seeds=[seed], assignments=assignments),
        search=search,
        search_params=search_params,
        scheduler=scheduler,
        trials=20 if trials is None else trials,
        time_budget=time_budget,
        trial_timeout=trial_timeout,
        jobs=1 if jobs is None else jobs,
        gpus_per_trial=gpus_per_trial,
        address=None if address == "local" else address,
        metric=metric,
        space=space,
        overrides=tuple(tune or ()),
        name=name,
    )
    check_cell(session, "tune", [architecture], context.params)  # reports a typo before torch loads
    for each in searchers or (search,):
        session.registry.get("searcher", each)
    if searchers:
        number = SEEDS if seeds is None else seeds
        _run(session, partial(_compared, session, request, searchers, range(seed, seed + number)), ends)
        return
    if save is not None:  # reports a wrong name before hours of trials
        check_save(session, architecture, save)
    _run(session, partial(_begun, session, request), ends)


def _searchers(context: typer.Context, compare: str | None, seeds: int | None, save: str | None) -> tuple[str, ...]:
    """Return the searchers to compare, or () for a single study. Raises UsageError for options that conflict."""
    if compare is None:
        if seeds is not None:
            raise UsageError("--seeds needs --compare: a study with one searcher has one --seed")
        return ()
    if _is_given(context, "search"):
        raise UsageError("--compare already names the searchers: leave out --search")
    if save is not None:
        raise UsageError("--save needs a single study: after the comparison, zoo studies show STUDY --save ARCH.NAME")
    return tuple(name.strip() for name in compare.split(","))


def _begun(session: Session, request: TuneRequest, store: "Store", display: "TuneDisplay") -> str:
    from zoo.tuning.run_study import run_study

    return run_study(session.workspace, request, store, display).name


def _compared(
    session: Session,
    request: TuneRequest,
    searchers: Sequence[str],
    seeds: Sequence[int],
    store: "Store",
    display: "TuneDisplay",
) -> str:
    from zoo.comparison.run import run_comparison

    return run_comparison(session.workspace, request, searchers, seeds, store, display)


def _resumed(
    session: Session,
    name: str,
    trials: int | None,
    jobs: int | None,
    address: str | None,
    store: "Store",
    display: "TuneDisplay",
) -> str:
    from zoo.comparison.run import resume_comparison
    from zoo.tuning.run_study import ResumeOptions, resume_study

    anew = ResumeOptions(trials, jobs, address)
    resume = resume_comparison if _is_comparison(store, name) else resume_study
    resume(session.workspace, name, store, display, anew)
    return name


def _is_comparison(store: "Store", name: str) -> bool:
    from zoo.store.studies import StudyStore

    return any(study.comparison == name for study in StudyStore(store).studies())


def _check_resumable(session: Session, name: str, ends: Ends) -> None:
    """Raise UnknownName for a missing study, before a folder is created, and UsageError if it cannot be saved."""
    from zoo.store.runs import Store
    from zoo.store.studies import StudyStore

    with Store(ends.folder, create=False) as store:
        if _is_comparison(store, name):
            if ends.save is not None:
                raise UsageError(
                    f"{name} is a comparison: save one of its winners with zoo studies show STUDY --save ARCH.NAME"
                )
            return
        study = StudyStore(store).get(name)
    if ends.save is not None:
        check_save(session, study.architecture, ends.save)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _check_resume(context: typer.Context) -> None:
    """Raise UsageError for an option that cannot change in a resumed study."""
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in BESIDE_RESUME and _is_given(context, name):
            label = "ARCH" if name == "architecture" else parameter.opts[0]
            raise UsageError(
                f"--resume uses the stored options of the study: leave out {label}; only --trials, --jobs and "
                "--address can change"
            )


def _run(session: Session, start: "Start", ends: Ends, *, resume: str = "") -> None:
    """Start or resume a study or a comparison, and show its results, also after an interruption."""
    from zoo.cli.views.tune_progress import PatientConsole, TuneDisplay
    from zoo.store.runs import Store

    if resume:
        _check_resumable(session, resume, ends)
    with Store(ends.folder) as store, TuneDisplay(PatientConsole(stderr=True, highlight=False)) as display:
        try:
            with quiet_stdout():
                name = start(store, display)
        except KeyboardInterrupt as stopped:
            display.stop()
            _say_interrupted(session, store, display, ends)
            raise typer.Exit(exit_code(stopped)) from None
        except StoreMoved:  # nothing of the study is left to show or to resume
            display.stop()
            raise
        except ZooError:
            display.stop()
            if _show_what_there_is(session, store, display, ends):
                _say_how_to_resume(session, display, ends, "stopped by an error")
            raise
        display.stop()
        if not _show(session, store, name, ends):
            raise typer.Exit(1)


def _show(session: Session, store: "Store", name: str, ends: Ends) -> bool:
    """Show a study or a comparison, and return whether all requested runs are done."""
    from zoo.cli.views.study import show_study
    from zoo.store.studies import StudyStore

    if _is_comparison(store, name):
        studies = _show_comparison(session, store, name, ends)
        return all(_is_scored(store, run) for study in studies for run in (study.run, study.defaults))
    study = StudyStore(store).get(name)
    show_study(session.say, store, study, as_json=ends.as_json, most=SHOWN)
    if ends.save is not None and study.best is not None:
        save_winner(session, store, study, ends.save)
    return _is_scored(store, study.run)


def _show_comparison(session: Session, store: "Store", name: str, ends: Ends) -> Sequence[Study]:
    """Show the results of a comparison so far, and return its studies."""
    from zoo.cli.views.comparison import show_comparison
    from zoo.comparison.comparison import comparison_of
    from zoo.store.studies import StudyStore

    comparison = comparison_of(StudyStore(store), name)
    show_comparison(session.say, store, comparison, as_json=ends.as_json)
    return comparison.studies


def _is_scored(store: "Store", run: str) -> bool:
    from zoo.store.run import RunStatus

    return bool(run) and store.get(run).status == RunStatus.DONE


def _show_what_there_is(session: Session, store: "Store", display: "TuneDisplay", ends: Ends) -> bool:
    """Show the finished trials of a stopped study, and return whether it can be resumed."""
    from zoo.cli.views.study import show_study
    from zoo.store.studies import StudyStore

    if display.study is None:
        return False
    study = StudyStore(store).get(display.study.name)
    if study.comparison:
        _show_comparison(session, store, study.comparison, ends)
        return True
    if study.ended:
        show_study(session.say, store, study, as_json=ends.as_json, most=SHOWN)
    return study.status != StudyStatus.DONE


def _say_interrupted(session: Session, store: "Store", display: "TuneDisplay", ends: Ends) -> None:
    """Show the finished trials and how to resume, unless the study had not started."""
    if display.study is None:
        session.say("interrupted before the first trial")
        return
    _show_what_there_is(session, store, display, ends)
    _say_how_to_resume(session, display, ends, "interrupted")


def _say_how_to_resume(session: Session, display: "TuneDisplay", ends: Ends, reason: str) -> None:
    assert display.study is not None
    config = [] if session.registry_file is None else ["--config", str(session.registry_file)]
    results = [] if ends.results is None else ["--results", str(ends.results)]
    name = display.study.comparison or display.study.name
    session.say(f"{reason}; the finished trials are stored. Resume with:")
    session.say(shlex.join(["zoo", "tune", "--resume", name, *results, *config]), wrap=False)
