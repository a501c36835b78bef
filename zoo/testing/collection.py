"""Which checks there are for what someone names: a component, `plugin:name`, a plugin, or a pattern."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial

from zoo.errors import UsageError, unknown_name
from zoo.registry import Entry, Plugin, Registry, is_pattern, matches
from zoo.testing import architectures, blocks, datasets, objectives, plugins, resamplers, searchers
from zoo.testing.check import Check

MODULES = {
    "architecture": architectures,
    "block": blocks,
    "dataset": datasets,
    "objective": objectives,
    "resampler": resamplers,
    "searcher": searchers,
}


def checks_for(registry: Registry, entry: Entry) -> Iterator[Check]:
    """All checks of a component, in the order in which one helps to understand the next."""
    for check in MODULES[entry.kind].CHECKS:
        expected = entry.spec.expected_failures.get(check.__name__, "")
        yield Check(check.__name__, entry.kind, entry.name, partial(check, registry, entry), expected)


def plugin_checks(registry: Registry, plugin: Plugin) -> Iterator[Check]:
    """The checks of a plugin as a whole; of one that does not load, those that can be made all the same."""
    for check in plugins.CHECKS[:1] if plugin.error else plugins.CHECKS:
        yield Check(check.__name__, "plugin", plugin.name, partial(check, registry, plugin))


def select(registry: Registry, words: Iterable[str]) -> tuple[list[Plugin], list[Entry]]:
    """The plugins and the components that words name, a component's plugin among them, each once and in order.

    Raises UnknownName for a word that names nothing.
    """
    names: set[str] = set()
    owners: set[str] = set()
    for word in words:
        entries, plugins = _named(registry, word)
        names |= {_key(entry) for entry in entries}
        owners |= {entry.plugin.name for entry in entries} | {plugin.name for plugin in plugins}
    chosen = [entry for entry in registry.entries if _key(entry) in names]
    return [plugin for plugin in registry.plugins if plugin.name in owners], chosen


def collect(
    registry: Registry, words: Iterable[str], expected_failures: Mapping[str, str] | None = None
) -> list[Check]:
    """All checks of what the words name; those of a plugin come before those of its components.

    `expected_failures` says why checks are known to fail, by their names or in full (`architecture pulse: padding`), beside
    what the specs say of that. Raises UnknownName for one that is not among the checks, UsageError for no reason.
    """
    plugins, entries = select(registry, words)
    checks = [check for plugin in plugins for check in plugin_checks(registry, plugin)]
    checks += [check for entry in entries for check in checks_for(registry, entry)]
    return _expecting(checks, expected_failures or {})


def _expecting(checks: list[Check], reasons: Mapping[str, str]) -> list[Check]:
    known = {name for check in checks for name in (check.name, str(check))}
    for name, reason in reasons.items():
        if name not in known:
            raise unknown_name("check", name, known, "docs/checks.md lists them all.")
        if not reason.strip():
            raise UsageError(f"say why the check {name!r} is expected to fail")
    return [
        replace(check, expected=reasons.get(str(check)) or reasons.get(check.name) or check.expected)
        for check in checks
    ]


def _named(registry: Registry, word: str) -> tuple[list[Entry], list[Plugin]]:
    if is_pattern(word):
        entries = [entry for entry in registry.entries if matches(entry.name, word)]
        plugins = [plugin for plugin in registry.plugins if plugin.error and fnmatchcase(plugin.name, word)]
    else:
        plugins = [plugin for plugin in registry.plugins if word in plugin.names]
        own = {plugin.name for plugin in plugins}
        entries = [entry for entry in registry.entries if entry.plugin.name in own or word in _names(entry)]
    if not entries and not plugins:
        known = {name for entry in registry.entries for name in _names(entry)}
        known |= {plugin.name for plugin in registry.plugins}
        raise unknown_name("component or plugin", word, known, "`zoo list` and `zoo plugins` show them all.")
    disabled = [plugin.name for plugin in plugins if plugin.disabled]
    if disabled:
        raise UsageError(f"plugin {disabled[0]!r} is disabled, and so cannot be checked")
    return entries, plugins


def _names(entry: Entry) -> set[str]:
    """What a component is found by; where two have one name, it finds both."""
    return {entry.name, entry.spec.name, f"{entry.plugin.name}:{entry.spec.name}"}


def _key(entry: Entry) -> str:
    return f"{entry.kind} {entry.plugin.name}:{entry.spec.name}"
