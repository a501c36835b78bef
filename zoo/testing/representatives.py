"""A plugin of a large family says which of its components stand for all of them where everything is checked.

It does so by a string in its module, `CONFORMANCE = "package.module:NAMES"`, where NAMES is a sequence of names.
"""

from collections.abc import Iterable, Sequence
from pkgutil import resolve_name

from zoo.errors import PluginError, guarded
from zoo.registry import Plugin, Registry


def declares(registry: Registry, plugin: Plugin) -> bool:
    """Whether a plugin says so."""
    return getattr(registry.manager.get_plugin(plugin.name), "CONFORMANCE", None) is not None


def declared(registry: Registry, plugin: Plugin) -> Sequence[str]:
    """The names it declares, none where it declares none. Raises PluginError where they cannot be found."""
    if not declares(registry, plugin):
        return ()
    reference = registry.manager.get_plugin(plugin.name).CONFORMANCE  # type: ignore[union-attr]
    with guarded(PluginError, f"CONFORMANCE of plugin {plugin.name!r} is {reference!r}, not 'package.module:NAMES'"):
        names: Iterable[str] = resolve_name(reference)
        return tuple(names)
