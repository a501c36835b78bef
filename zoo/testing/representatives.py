"""Representatives: the components of a large plugin that `zoo check --all` checks in place of all its components.

The plugin declares them by a string in its module, `CONFORMANCE = "package.module:NAMES"`. NAMES is a sequence of
names.
"""

from collections.abc import Iterable, Sequence
from pkgutil import resolve_name

from zoo.errors import PluginError, guarded
from zoo.registry import Plugin, Registry


def declares(registry: Registry, plugin: Plugin) -> bool:
    """Whether a plugin declares representatives."""
    return getattr(registry.manager.get_plugin(plugin.name), "CONFORMANCE", None) is not None


def declared(registry: Registry, plugin: Plugin) -> Sequence[str]:
    """Return the declared names; empty without a declaration. Raises PluginError if the sequence cannot be found."""
    if not declares(registry, plugin):
        return ()
    reference = registry.manager.get_plugin(plugin.name).CONFORMANCE  # type: ignore[union-attr]
    with guarded(PluginError, f"CONFORMANCE of plugin {plugin.name!r} is {reference!r}, not 'package.module:NAMES'"):
        names: Iterable[str] = resolve_name(reference)
        return tuple(names)
