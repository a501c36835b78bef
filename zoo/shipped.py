"""The references that plugins ship: `references.toml` in a package, `my_net.references.toml` beside a file `my_net.py`.

The files are read only by commands that show or verify references.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.errors import SettingsError, unknown_name
from zoo.paths import is_file
from zoo.references.file import read_references
from zoo.references.record import Reference
from zoo.registry import Plugin, Registry
from zoo.specs import Architecture

FILE = "references.toml"


@dataclass(frozen=True)
class Shipped:
    """The references of plugins, by the names that their architectures have in the registry.

    problems  a line for each file that cannot be used
    """

    references: tuple[Reference, ...]
    problems: tuple[str, ...] = ()


def shipped_references(registry: Registry) -> Shipped:
    """Return the references of all plugins. A file that cannot be used is one line, and all others count."""
    found: list[Reference] = []
    problems = []
    for plugin in registry.plugins:
        try:
            found += references_of(registry, plugin)
        except SettingsError as error:
            problems.append(str(error))
    return Shipped(tuple(found), tuple(problems))


def references_of(registry: Registry, plugin: Plugin) -> list[Reference]:
    """Return the references that a plugin ships. Raises SettingsError for a file that is not valid."""
    path = reference_file(plugin)
    return [] if path is None else [*_named(registry, plugin, path, read_references(path))]


def reference_file(plugin: Plugin) -> Path | None:
    """Return the file with the references of a plugin, or None if it ships none."""
    if plugin.disabled or plugin.error:
        return None
    module = sys.modules.get(plugin.module.partition(":")[0])
    places = [Path(place) / FILE for place in getattr(module, "__path__", ())]
    file = getattr(module, "__file__", None)
    if not places and file:
        places = [Path(file).with_name(f"{Path(file).stem}.{FILE}")]
    return next((place for place in places if is_file(place)), None)


def _named(registry: Registry, plugin: Plugin, path: Path, references: Iterable[Reference]) -> Iterator[Reference]:
    own = [each for each in registry.of_kind(Architecture) if each.plugin.name == plugin.name]
    names = {name: entry for entry in own for name in (entry.spec.name, entry.spec.name.rpartition(":")[2])}
    for each in references:
        if each.architecture not in names:
            problem = unknown_name("architecture of this plugin", each.architecture, names)
            raise SettingsError(f"{path}: entry {each.entry + 1}: {problem}")
        yield replace(each, architecture=names[each.architecture].name)
