"""The session of one command: its settings, registry and error stream."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from zoo.cli.views.terminal import print_lines
from zoo.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zoo.references.record import Reference
    from zoo.registry import Registry
    from zoo.store.run import Run
    from zoo.workspace import Workspace


@dataclass
class Session:
    """The settings and the registry. Each is loaded when a command first uses it."""

    registry_file: Path | None = None

    @cached_property
    def settings(self) -> Settings:
        return Settings.load(self.registry_file)

    @cached_property
    def workspace(self) -> "Workspace":
        """The registry with the settings. A plugin that did not load is reported once, on stderr."""
        from zoo.workspace import Workspace

        workspace = Workspace.discover(self.settings)
        for plugin in workspace.registry.plugins:
            if plugin.error:
                owner = f" ({plugin.distribution})" if plugin.distribution else ""
                self.say(f"warning: plugin {plugin.name!r}{owner} did not load; `zoo plugins` shows why")
        known = {name for plugin in workspace.registry.plugins for name in plugin.names}
        for name in self.settings.disabled:
            if name not in known:
                self.say(f"warning: no plugin named {name!r} to disable")
        return workspace

    @property
    def registry(self) -> "Registry":
        return self.workspace.registry

    @cached_property
    def references(self) -> "list[Reference]":
        """The references of all plugins and of registry.toml. A file that cannot be used is a line on stderr."""
        from zoo.shipped import shipped_references

        shipped = shipped_references(self.registry)
        for problem in shipped.problems:
            self.say(f"warning: {problem}")
        return [*shipped.references, *self.settings.references]

    def stored_runs(self, results: Path | None) -> "list[Run]":
        """Return the runs in the results folder. A missing folder holds no runs and is not created."""
        from zoo.store.runs import Store

        folder = self.settings.results_folder(results)
        if not Store.exists(folder):
            return []
        with Store(folder, create=False) as store:
            return store.runs()

    def pooled_runs(self, results: Path | None, architecture: str = "") -> "tuple[Sequence[Run], Sequence[str]]":
        """Return the runs in the results folder, or those of an architecture, each complete cross-validation as one.

        Also returns a line for each cross-validation that is not complete.
        """
        from zoo.store.runs import Store

        runs = [run for run in self.stored_runs(results) if architecture in ("", run.architecture)]
        if not any(run.folds for run in runs):
            return runs, ()
        from zoo.store.folds import with_folds_pooled  # imports pyarrow, which other runs do not need

        with Store(self.settings.results_folder(results), create=False) as store:
            found = with_folds_pooled(store, runs)
        return found.runs, found.incomplete

    @cached_property
    def stderr(self) -> Console:
        return Console(stderr=True, highlight=False)

    def say(self, *lines: str, wrap: bool = True) -> None:
        """Print lines to stderr, on a terminal wrapped between words. Commands to copy need `wrap=False`."""
        print_lines(self.stderr, *lines, wrap=wrap)


def session_of(context: typer.Context) -> Session:
    """Return the session of a command's context."""
    session = context.obj
    assert isinstance(session, Session)
    return session
