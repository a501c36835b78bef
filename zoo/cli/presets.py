"""`--save`: a study's winner as a preset in the user's registry.toml."""

from typing import TYPE_CHECKING

from zoo.cli.session import Session
from zoo.store.study import Study

if TYPE_CHECKING:
    from zoo.store.runs import Store


def check_save(session: Session, architecture: str, name: str) -> None:
    """Raise UsageError or SettingsError where the winner cannot be saved under that name."""
    from zoo.tuning import presets

    presets.check_save(session.workspace, architecture, name)


def save_winner(session: Session, store: "Store", study: Study, name: str) -> None:
    """Write the winner as a preset to the user's registry.toml, and say so."""
    from zoo.tuning import presets

    trial, path = presets.save_winner(session.workspace, study, store.find(study.run), name)
    session.say(f"trial {trial.number} is the preset {name} in {path} now: zoo bench {name}")
