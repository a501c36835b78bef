"""`--save`: write the winner of a study to the user's registry.toml as a preset."""

from typing import TYPE_CHECKING

from zoo.cli.session import Session
from zoo.store.study import Study

if TYPE_CHECKING:
    from zoo.store.runs import Store


def check_save(session: Session, architecture: str, name: str) -> None:
    """Raise UsageError or SettingsError if the winner cannot be saved under this name."""
    from zoo.tuning import presets

    presets.check_save(session.workspace, architecture, name)


def save_winner(session: Session, store: "Store", study: Study, name: str) -> None:
    """Write the winner to the user's registry.toml as a preset, and report it."""
    from zoo.tuning import presets

    trial, path = presets.save_winner(session.workspace, study, store.find(study.run), name)
    session.say(f"trial {trial.number} is now the preset {name} in {path}. Use it with: zoo bench {name}")
