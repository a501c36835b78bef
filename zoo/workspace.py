"""The registry and the settings of one user, which most functions need together."""

from dataclasses import dataclass
from pathlib import Path

from zoo.registry import Entry, Registry
from zoo.settings import Settings
from zoo.specs import Architecture, Preset


@dataclass(frozen=True)
class Workspace:
    """The components that can be used, and the settings to use them with."""

    registry: Registry
    settings: Settings

    @classmethod
    def load(cls, registry_file: Path | None = None) -> "Workspace":
        """Load the settings as `Settings.load` does, and the plugins that are installed.

        Raises SettingsError for a broken file.
        """
        return cls.discover(Settings.load(registry_file))

    @classmethod
    def discover(cls, settings: Settings) -> "Workspace":
        """Load the plugins that are installed, but for those that the settings disable.

        A plugin that does not load raises nothing: its `error` has the reason.
        """
        return cls(Registry.discover(settings.disabled, settings.known, settings.prefer), settings)

    def architecture(self, reference: str) -> tuple[Entry[Architecture], str, Preset]:
        """As `Registry.architecture`, with the user's presets from registry.toml."""
        return self.registry.architecture(reference, self.settings.presets)
