"""Collect the checks for names: a component, `plugin:name`, a plugin, or a pattern."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from zoo.errors import PluginError, UsageError, unknown_name
from zoo.registry import Entry, Plugin, Registry, is_pattern, matches
from zoo.shipped import reference_file
from zoo.specs import Component
from zoo.testing import common, plugins
from zoo.testing.check import Check, tried
from zoo.testing.kinds import KITS
from zoo.testing.representatives import declared, declares


@dataclass(frozen=True)
class Subject:
    """A plugin or a component, and its checks."""

    kind: str
    name: str
    plugin: Plugin
    entry: Entry[Component] | None
    checks: tuple[Check, ...]


def checks_for(registry: Registry, entry: Entry[Component]) -> Iterator[Check]:
    """Yield all checks of a component, basic checks first: their failures explain later failures."""
    functions = functions_for(entry)
    for function in functions:
        reason = entry.spec.expected_failures.get(function.__name__, "")
        yield Check(function.__name__, entry.kind, entry.name, partial(function, registry, entry), reason)
    if entry.spec.expected_failures:
        known = [function.__name__ for function in functions]
        yield Check("expectations", entry.kind, entry.name, partial(expectations, known, entry))


def functions_for(entry: Entry[Component]) -> list[Callable[[Registry, Entry[Component]], None]]:
    """Return the functions of the checks that apply to a component."""
    kit = KITS[entry.kind]
    where = getattr(kit, "WHERE", {})
    own = [function for function in kit.CHECKS if function not in where or where[function](entry)]
    return [*common.FIRST, *own, *common.LAST]


def expectations(known: Iterable[str], entry: Entry[Component]) -> None:
    """Every expected failure names an existing check of the component."""
    for name in entry.spec.expected_failures:
        if name not in known:
            raise unknown_name(f"check for {entry.kind} {entry.spec.name}", name, known)
        tried()


def plugin_checks(registry: Registry, plugin: Plugin) -> Iterator[Check]:
    """Yield the checks of a plugin as a whole; if it does not load, only those that are still possible."""
    functions = [plugins.loads, plugins.light_import] if plugin.error else list(plugins.CHECKS)
    if not plugin.error and declares(registry, plugin):
        functions.append(plugins.representatives)
    if not plugin.error and plugins.has_parity_file(plugin):
        functions.append(plugins.parity)
    if reference_file(plugin) is not None:
        functions.append(plugins.references)
    for function in functions:
        yield Check(function.__name__, "plugin", plugin.name, partial(function, registry, plugin))


def subjects(registry: Registry, words: Iterable[str] | None) -> list[Subject]:
    """Return the subjects that the words name, each once: first plugins, then components; None means everything.

    The plugins of named components are included. If a plugin declares representatives, they replace all its components
    that are not named explicitly. Architectures come last: they import blocks, and a check must observe the first
    import of a block. Raises UnknownName for an unknown word, UsageError for a disabled plugin.
    """
    plugins, entries = selected(registry, words)
    ordered = sorted(entries, key=lambda entry: entry.kind == "architecture")
    of_plugins = [_of_plugin(registry, plugin) for plugin in plugins]
    return of_plugins + [_of_component(registry, entry) for entry in ordered]


def selected(registry: Registry, words: Iterable[str] | None) -> tuple[list[Plugin], list[Entry[Component]]]:
    """Return the plugins and the components that the words name, as `subjects` does, without their checks."""
    chosen: set[str] = set()
    owners: set[str] = set()
    found = [_everything(registry)] if words is None else [_named(registry, word) for word in words]
    for named, own in found:
        chosen |= {_key(entry) for entry in named}
        owners |= {plugin.name for plugin in own} | {entry.plugin.name for entry in named}
    entries = [entry for entry in registry.entries if _key(entry) in chosen]
    return [plugin for plugin in registry.plugins if plugin.name in owners], entries


def collect(
    registry: Registry, words: Iterable[str], expected_failures: Mapping[str, str] | None = None
) -> list[Check]:
    """Return all checks for the words.

    `expected_failures` maps names of checks to reasons, in addition to those in the specs. A key is the name of a
    component check (`padding`), or its full name (`architecture pulse: padding`). Raises UnknownName for an unknown
    check, UsageError for a missing reason.
    """
    checks = [check for subject in subjects(registry, words) for check in subject.checks]
    reasons = expected_failures or {}
    known = {name for check in checks for name in _called(check)}
    for name, reason in reasons.items():
        if name not in known:
            raise unknown_name("check", name, known, "docs/checks.md lists them all.")
        if not reason.strip():
            raise UsageError(f"the expected failure of check {name!r} needs a reason")
    return [
        replace(check, expected=next((reasons[name] for name in _called(check) if name in reasons), check.expected))
        for check in checks
    ]


def _called(check: Check) -> list[str]:
    """Return the keys of a check in `expected_failures`."""
    return [str(check)] if check.kind == "plugin" else [str(check), check.name]


def _of_plugin(registry: Registry, plugin: Plugin) -> Subject:
    return Subject("plugin", plugin.name, plugin, None, tuple(plugin_checks(registry, plugin)))


def _of_component(registry: Registry, entry: Entry[Component]) -> Subject:
    return Subject(entry.kind, entry.name, entry.plugin, entry, tuple(checks_for(registry, entry)))


def _everything(registry: Registry) -> tuple[list[Entry[Component]], list[Plugin]]:
    enabled = [plugin for plugin in registry.plugins if not plugin.disabled]
    return [entry for plugin in enabled for entry in _standing_for(registry, plugin)], enabled


def _named(registry: Registry, word: str) -> tuple[list[Entry[Component]], list[Plugin]]:
    if is_pattern(word):
        entries = [entry for entry in registry.entries if matches(entry.name, word)]
        if not entries:
            raise UsageError(f"no component matches {word!r}. `zoo list` shows them all.")
        return entries, []
    own = [plugin for plugin in registry.plugins if word in plugin.names]
    entries = [entry for entry in registry.entries if word in _names(entry)]
    if not entries and not own:
        known = {name for entry in registry.entries for name in _names(entry)}
        known |= {plugin.name for plugin in registry.plugins}
        raise unknown_name("component or plugin", word, known, "`zoo list` and `zoo plugins` show them all.")
    if own and all(plugin.disabled for plugin in own):
        raise UsageError(f"plugin {word!r} is disabled, so it cannot be checked")
    return entries + [entry for plugin in own for entry in _standing_for(registry, plugin)], own


def _standing_for(registry: Registry, plugin: Plugin) -> list[Entry[Component]]:
    """Return the representatives of a plugin, or all its components; a check reports invalid representatives."""
    own = [entry for entry in registry.entries if entry.plugin.name == plugin.name]
    try:
        names = set(declared(registry, plugin))
    except PluginError:
        return own
    return [entry for entry in own if entry.spec.name in names] or own


def _names(entry: Entry[Component]) -> set[str]:
    """Return the names that find a component; a shared name finds all its owners."""
    return {entry.name, entry.spec.name, f"{entry.plugin.name}:{entry.spec.name}"}


def _key(entry: Entry[Component]) -> str:
    return f"{entry.kind} {entry.plugin.name}:{entry.spec.name}"
