"""`--save`: a study's winner as a preset in the user's registry.toml."""

from typing import TYPE_CHECKING

from zoo.cli.session import Session
from zoo.cli.views.study import scored_run
from zoo.errors import UsageError
from zoo.store.study import Study

if TYPE_CHECKING:
    from zoo.store.runs import Store


def check_save(session: Session, architecture: str, name: str) -> None:
    """Raise UsageError or SettingsError where the winner cannot be saved under that name."""
    from zoo.tuning.presets import check_free, target_file

    check_free(session.workspace, architecture, name)
    target_file(session.settings)


def save_winner(session: Session, store: "Store", study: Study, name: str) -> None:
    """Write the winner as a preset to the user's registry.toml, and say so."""
    from zoo.tuning.presets import preset_of, save_preset, target_file

    trial = study.winning_trial
    if trial is None:
        raise UsageError(
            f"study {study.name} has no trial to save yet: go on with it by zoo tune --resume {study.name}"
        )
    path = target_file(session.settings)
    preset = preset_of(session.workspace, study, trial, scored_run(store, study))
    save_preset(path, name, preset)
    session.say(f"trial {trial.number} is the preset {name} in {path} now: zoo bench {name}")
