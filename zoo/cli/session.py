"""What one invocation of the command line shares: settings, registry, and the two streams."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typer
from rich.console import Console

from zoo.registry import Registry
from zoo.settings import Settings
from zoo.store.run import Run
from zoo.workspace import Workspace


@dataclass
class Session:
    """Loaded piece by piece, as a command asks for it."""

    registry_file: Path | None = None

    @cached_property
    def settings(self) -> Settings:
        return Settings.load(self.registry_file)

    @cached_property
    def workspace(self) -> Workspace:
        """What is installed, with the settings; a plugin that did not load is said once, on stderr."""
        workspace = Workspace.discover(self.settings)
        for plugin in workspace.registry.plugins:
            if plugin.error:
                owner = f" ({plugin.distribution})" if plugin.distribution else ""
                self.say(f"warning: plugin {plugin.name!r}{owner} did not load; `zoo plugins` says why")
        known = {name for plugin in workspace.registry.plugins for name in plugin.names}
        for name in self.settings.disabled:
            if name not in known:
                self.say(f"warning: no plugin named {name!r} to disable")
        return workspace

    @property
    def registry(self) -> Registry:
        return self.workspace.registry

    def stored_runs(self, results: Path | None) -> list[Run]:
        """The runs in the results folder; none, and no folder made, where there is none yet."""
        from zoo.store.runs import Store

        folder = self.settings.results_folder(results)
        if not Store.exists(folder):
            return []
        with Store(folder, create=False) as store:
            return store.runs()

    @cached_property
    def stderr(self) -> Console:
        return Console(stderr=True, highlight=False)

    def say(self, text: str, *, wrap: bool = True) -> None:
        """A line of conversation, wrapped between words on a terminal unless it is to be copied whole."""
        self.stderr.print(text, markup=False, soft_wrap=not (wrap and self.stderr.is_terminal))


def session_of(context: typer.Context) -> Session:
    """The session of a command's context."""
    session = context.obj
    assert isinstance(session, Session)
    return session
