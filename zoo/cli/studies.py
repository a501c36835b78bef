"""`zoo studies`: the stored studies, their winners and the importance of hyperparameters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli import options
from zoo.cli.presets import check_save, save_winner
from zoo.cli.session import Session, session_of
from zoo.cli.views.pictures import write_comparison, write_study
from zoo.errors import UsageError, unknown_name
from zoo.store.study import Study

if TYPE_CHECKING:
    from zoo.comparison.comparison import Comparison
    from zoo.store.runs import Store
    from zoo.store.studies import StudyStore

studies = typer.Typer(invoke_without_command=True)


@studies.callback()
def list_command(
    context: typer.Context,
    results: options.ResultsToRead = None,
    as_json: options.Json = False,
) -> None:
    """List the stored studies of zoo tune, or show one with `zoo studies show NAME`."""
    if context.invoked_subcommand is not None:
        return
    from zoo.cli.views.study import show_list
    from zoo.store.runs import Store
    from zoo.store.studies import StudyStore
    from zoo.tuning.study_json import study_to_json

    session = session_of(context)
    folder = session.settings.results_folder(results)
    if not Store.exists(folder):
        show_list(session.say, [], as_json, [])
        return
    with Store(folder, create=False) as store:
        found = StudyStore(store).listed()
        objects = (
            study_to_json(study, store.find(study.run)) if isinstance(study, Study) else study.to_json()
            for study in found
        )
        show_list(session.say, found, as_json, objects)


@studies.command(
    "show",
    epilog="Examples:\n\nzoo studies show cnngru-optuna-0\n\nzoo studies show cnngru-optuna-0 --save cnngru.mine",
)
def show_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a study or a comparison.")],
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Folder for pictures: history.svg and parallel.svg, or trials.svg and time.svg of a comparison. "
            "Needs matplotlib.",
            metavar="DIR",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    save: options.Save = None,
    results: options.ResultsToRead = None,
    as_json: options.Json = False,
) -> None:
    """Show a study or a comparison of searchers.

    For a study: its trials, the winner and the importance of hyperparameters.
    For a comparison: the best scores, and whether tuning beat the defaults.
    """
    from zoo.cli.views.study import show_study
    from zoo.comparison.comparison import Comparison
    from zoo.store.runs import Store
    from zoo.store.studies import StudyStore
    from zoo.tuning.importance import importance

    session = session_of(context)
    if pictures is not None:
        from zoo.plots import check_installed

        check_installed()
    above = context.parent.params if context.parent is not None else {}
    folder = session.settings.results_folder(results or above.get("results"))
    as_json = as_json or bool(above.get("as_json"))
    with Store(folder, create=False) as store:
        found = _find(StudyStore(store), name)
        if isinstance(found, Comparison):
            _show_comparison(session, store, found, pictures, save, as_json)
            return
        study = found
        if save is not None:
            check_save(session, study.architecture, save)
        show_study(session.say, store, study, as_json=as_json, mattered=importance(study))
        if pictures is not None:
            write_study(session.say, study, pictures)
        if save is not None:
            save_winner(session, store, study, save)


def _find(studies: "StudyStore", name: str) -> "Study | Comparison":
    """Return the study with this name, else the comparison. Raises UnknownName, with the closest names of both."""
    from zoo.comparison.comparison import grouped

    found = studies.studies()
    by_name = {study.name: study for study in found}
    groups = {comparison.name: comparison for comparison in grouped(found)}
    if name in studies.names() and name not in by_name:
        return studies.get(name)  # raises DamagedRecord
    if name not in by_name and name not in groups:
        raise unknown_name("study", name, by_name, "`zoo studies` shows them all.", elsewhere=groups)
    return by_name.get(name) or groups[name]


def _show_comparison(
    session: Session, store: "Store", comparison: "Comparison", pictures: Path | None, save: str | None, as_json: bool
) -> None:
    from zoo.cli.views.comparison import show_comparison

    if save is not None:
        raise UsageError(
            f"{comparison.name!r} is a comparison, and each of its studies has its own winner: name one study to save, "
            f"such as {comparison.studies[0].name}"
        )
    show_comparison(session.say, store, comparison, as_json=as_json)
    if pictures is not None:
        write_comparison(session.say, store, comparison, pictures)
