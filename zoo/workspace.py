"""A workspace: the components that are installed, with the settings that they are used with."""

from dataclasses import dataclass
from pathlib import Path

from zoo.registry import Entry, Registry
from zoo.settings import Settings
from zoo.specs import Architecture, Preset


@dataclass(frozen=True)
class Workspace:
    """A registry and settings, which nearly all that plans, trains or tunes needs together."""

    registry: Registry
    settings: Settings

    @classmethod
    def load(cls, registry_file: Path | None = None) -> "Workspace":
        """What is installed, with the settings that `Settings.load` reads. Raises SettingsError for a broken file."""
        return cls.discover(Settings.load(registry_file))

    @classmethod
    def discover(cls, settings: Settings) -> "Workspace":
        """What is installed, without importing the plugins that `settings` disable.

        Nothing is raised for a plugin that does not load: its `error` says why.
        """
        return cls(Registry.discover(settings.disabled, settings.known), settings)

    def architecture(self, reference: str) -> tuple[Entry[Architecture], str, Preset]:
        """As `Registry.architecture`, with the presets written in registry.toml."""
        return self.registry.architecture(reference, self.settings.presets)
