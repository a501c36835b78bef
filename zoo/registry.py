"""Finds plugins through the entry-point group `zoo` and answers names with components.

Plugins load one at a time, each behind its own guard: one that raises, exits or misspells a hook becomes a
row with its error, and everything else works. Two components of one kind and name both stay, reached as
`plugin:name`; the bare name then is an error that lists them.
"""

import contextlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar, overload

import pluggy

from zoo import hookspecs
from zoo.errors import PluginError, UnknownName, describe, unknown_name
from zoo.specs import KINDS, Architecture, Component, Preset

DISTRIBUTION = "zoo-registry"  # where the names in the shipped registry.toml were written

C = TypeVar("C", bound=Component)
S = TypeVar("S", bound=Component, covariant=True)


@dataclass(frozen=True)
class Plugin:
    """One entry point and what came of loading it.

    error  in one line why it gave nothing
    api    the version of the plugin API that it says it was written for, "" where it says nothing
    """

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    components: tuple[Component, ...] = ()
    error: str = ""
    disabled: bool = False
    api: str = ""

    @property
    def names(self) -> set[str]:
        """What it can be disabled by: the name of its entry point too, where others share it."""
        return names_of(self.name)

    @property
    def status(self) -> str:
        if self.disabled:
            return "disabled"
        return "error" if self.error else "ok"


@dataclass(frozen=True)
class Entry(Generic[S]):
    """A component with the name it answers to and the plugin it came from; `Entry[Block]` is that of a block."""

    name: str
    spec: S
    plugin: Plugin = field(repr=False)  # which holds all its components: of timm's, a megabyte for each of 1,371

    @property
    def kind(self) -> str:
        return self.spec.kind


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from, before it is imported."""

    name: str
    module: str
    load: Callable[[], Any]
    distribution: str = ""
    version: str = ""

    @property
    def names(self) -> set[str]:
        """What it can be disabled by."""
        return names_of(self.name)


@dataclass(frozen=True)
class Registry:
    """All plugins and, by kind and name, what they provide.

    known  distributions that may not be installed, by the kind and name of what they provide
    """

    plugins: tuple[Plugin, ...]
    manager: pluggy.PluginManager
    known: Mapping[tuple[str, str], str] = field(default_factory=dict)
    entries: tuple[Entry[Component], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(_name_entries(self.plugins)))

    @classmethod
    def discover(cls, disabled: Iterable[str] = (), known: Mapping[tuple[str, str], str] | None = None) -> "Registry":
        """The registry of what is installed, without importing the plugins named in `disabled`."""
        return cls.load(_installed_sources(), disabled, known)

    @classmethod
    def load(
        cls,
        sources: Iterable[Source],
        disabled: Iterable[str] = (),
        known: Mapping[tuple[str, str], str] | None = None,
    ) -> "Registry":
        """The registry of the given sources, loaded in the order of their names."""
        manager = pluggy.PluginManager(hookspecs.GROUP)
        manager.add_hookspecs(hookspecs)
        off = set(disabled)
        ordered = sorted(sources, key=lambda source: (source.name, source.distribution))
        plugins = tuple(_load(manager, source, not off.isdisjoint(source.names)) for source in ordered)
        return cls(plugins, manager, known or {})

    @overload
    def of_kind(self, kind: type[C]) -> list[Entry[C]]: ...

    @overload
    def of_kind(self, kind: str) -> list[Entry[Component]]: ...

    def of_kind(self, kind: str | type[Component]) -> Sequence[Entry[Component]]:
        """The components of a kind, which is named (`"block"`) or given as its spec (`zoo.Block`)."""
        word = _kind_word(kind)
        return [entry for entry in self.entries if entry.kind == word]

    @overload
    def get(self, kind: type[C], name: str, *, home: str = "") -> Entry[C]: ...

    @overload
    def get(self, kind: str, name: str, *, home: str = "") -> Entry[Component]: ...

    def get(self, kind: str | type[Component], name: str, *, home: str = "") -> Entry[Component]:
        """The component of a kind that answers to `name`, bare or as `plugin:name`: `get(Architecture, "cnngru")`.

        `home` is the distribution in which the name was written, as a spec's default or a preset: there it means the
        distribution's own component, whoever else has taken the name since. Raises UnknownName, with the nearest
        names, for one that nothing or more than one thing answers to.
        """
        word, entries = _kind_word(kind), self.of_kind(kind)
        for entry in entries:
            if name in (entry.name, f"{entry.plugin.name}:{entry.spec.name}"):
                return entry
        rivals = [entry for entry in entries if entry.spec.name == name]
        own = [entry for entry in rivals if home and entry.plugin.distribution == home]
        if len(own) == 1:
            return own[0]
        if rivals:
            names = " or ".join(entry.name for entry in rivals)
            raise UnknownName(f"{name!r} is provided more than once: say {names}")
        if (word, name) in self.known:
            raise self._not_installed(word, name, self.known[word, name])
        raise unknown_name(word, name, (entry.name for entry in entries), f"`zoo list {word}` shows them all.")

    def _not_installed(self, kind: str, name: str, distribution: str) -> UnknownName:
        """The way to a component that is known to be another distribution's."""
        for plugin in self.plugins:
            if plugin.distribution == distribution and plugin.status != "ok":
                why = "is disabled" if plugin.disabled else "did not load; `zoo plugins` says why"
                return UnknownName(f"no {kind} named {name!r}: plugin {plugin.name!r}, which provides it, {why}")
        return UnknownName(f"no {kind} named {name!r} is installed. To have it: pip install {distribution}")

    @overload
    def match(self, kind: type[C], pattern: str) -> list[Entry[C]]: ...

    @overload
    def match(self, kind: str, pattern: str) -> list[Entry[Component]]: ...

    def match(self, kind: str | type[Component], pattern: str) -> Sequence[Entry[Component]]:
        """The components whose names match a shell pattern, or the one of that very name."""
        if not is_pattern(pattern):
            return [self.get(kind, pattern)]
        found = [entry for entry in self.of_kind(kind) if matches(entry.name, pattern)]
        if not found:
            word = _kind_word(kind)
            raise UnknownName(f"no {word} matches {pattern!r}. `zoo list {word}` shows them all.")
        return found

    def architecture(
        self, reference: str, extra: Mapping[str, Preset] | None = None
    ) -> tuple[Entry[Architecture], str, Preset]:
        """The architecture, the preset's name ("" for none) and the preset behind `name` or `name.preset`.

        `extra` holds presets of the user's, by their full names.
        """
        name, preset_name = split_reference(reference)
        entry = self.get(Architecture, name)
        if not preset_name:
            return entry, "", Preset()
        presets = {**entry.spec.presets, **presets_of(entry.name, extra or {})}
        if preset_name not in presets:
            raise unknown_name(f"preset of {entry.name}", preset_name, presets)
        return entry, preset_name, presets[preset_name]

    def notify(self, hook: str, **arguments: Any) -> list[str]:
        """Call an observer hook of every plugin and give a line for each that raised."""
        failures = []
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            wanted = {name: arguments[name] for name in implementation.argnames}
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    implementation.function(**wanted)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a tracker that calls sys.exit() does not end the run
                failures.append(f"plugin {implementation.plugin_name!r}: {hook} raised {describe(error)}")
        return failures


def is_pattern(text: str) -> bool:
    """Whether a word is a shell pattern, not a name."""
    return any(sign in text for sign in "*?[")


def matches(name: str, pattern: str) -> bool:
    """Whether a shell pattern fits a name; as in paths, `*` does not reach over the slash of a family."""
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def split_reference(reference: str) -> tuple[str, str]:
    """`plugin:name.preset` as `plugin:name` and `preset`; a plugin's name may have dots, a component's has none."""
    owner, colon, rest = reference.rpartition(":")
    name, _, preset = rest.partition(".")
    return f"{owner}{colon}{name}", preset


def names_of(plugin: str) -> set[str]:
    """The names of a plugin: its own, and without the distribution that stands behind `@` where names clash."""
    return {plugin, plugin.partition("@")[0]}


def presets_of(architecture: str, presets: Mapping[str, Preset]) -> dict[str, Preset]:
    """Those of the user's presets that are of one architecture, by their own names."""
    prefix = f"{architecture}."
    return {name.removeprefix(prefix): preset for name, preset in presets.items() if name.startswith(prefix)}


def source_of(name: str, module: ModuleType) -> Source:
    """A source for a module that is at hand already: how tests build a registry of their own."""
    return Source(name, module.__name__, lambda: module)


def _installed_sources() -> Iterator[Source]:
    points = _entry_points()
    count = Counter(point.name for point in points)
    for point in points:
        distribution = point.dist.name if point.dist else ""
        version = point.dist.version if point.dist else ""
        name = point.name if count[point.name] == 1 else f"{point.name}@{distribution}"
        yield Source(name, point.value, _loader(point), distribution, version)


def _entry_points() -> list[EntryPoint]:
    """The group's entry points, without those of a distribution whose entry_points.txt cannot be read."""
    try:
        return list(entry_points(group=hookspecs.GROUP))
    except Exception:  # one damaged distribution fails the call for all of them
        return [point for each in distributions() for point in _points_of(each) if point.group == hookspecs.GROUP]


def _points_of(distribution: Distribution) -> list[EntryPoint]:
    try:
        return list(distribution.entry_points)
    except Exception as error:
        name = distribution.metadata["Name"]
        sys.stderr.write(f"warning: the entry points of {name} cannot be read: {describe(error)}\n")
        return []


def _loader(point: EntryPoint) -> Callable[[], Any]:
    return point.load


def _load(manager: pluggy.PluginManager, source: Source, disabled: bool) -> Plugin:
    components: tuple[Component, ...] = ()
    error = api = ""
    if not disabled:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                plugin = source.load()
                api = str(getattr(plugin, "ZOO_API", ""))
                components = _components(manager, source.name, plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as problem:  # SystemExit at import is one of the ways in which plugins break
            error = str(problem) if isinstance(problem, PluginError) else describe(problem)
            _forget(manager, source.name)
    return Plugin(source.name, source.module, source.distribution, source.version, components, error, disabled, api)


def _components(manager: pluggy.PluginManager, name: str, plugin: Any) -> tuple[Component, ...]:
    _check_api(getattr(plugin, "ZOO_API", hookspecs.API_VERSION))
    manager.register(plugin, name=name)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as problem:
        raise PluginError(f"implements a hook that does not exist: {' '.join(str(problem).split())}") from None
    hooks = [hook for hook in manager.hook.zoo_components.get_hookimpls() if hook.plugin is plugin]
    if not hooks and not manager.get_hookcallers(plugin):
        raise PluginError("implements no hook: is a function marked with @zoo.hookimpl?")
    provided: list[object] = []
    for hook in hooks:
        provided += hook.function()  # type: ignore[arg-type]  # pluggy cannot know: what else it gives raises here
    return _checked(provided)


def _check_api(needed: Any) -> None:
    """Raise PluginError for a plugin that was written for another zoo than this."""
    offered = hookspecs.API_VERSION
    if not isinstance(needed, str) or not re.fullmatch(r"\d+\.\d+", needed):
        raise PluginError(f"ZOO_API is the version it was written for, such as {offered!r}, not {needed!r}")
    (major, minor), (our_major, our_minor) = (map(int, version.split(".")) for version in (needed, offered))
    if (major, minor) > (our_major, our_minor):
        raise PluginError(f"needs plugin API {needed}, and this zoo offers {offered}: pip install -U {DISTRIBUTION}")
    if major < our_major:
        raise PluginError(f"was written for plugin API {needed}, and this zoo offers {offered}: is there a newer one?")


def _checked(provided: Iterable[object]) -> tuple[Component, ...]:
    specs = []
    for spec in provided:
        if not isinstance(spec, Component) or not isinstance(spec, tuple(KINDS.values())):
            raise PluginError(f"zoo_components() gave {type(spec).__name__}, not a spec such as zoo.Architecture")
        specs.append(spec)
    twice = [name for name, count in Counter((spec.kind, spec.name) for spec in specs).items() if count > 1]
    if twice:
        raise PluginError(f"provides {twice[0][0]} {twice[0][1]!r} twice")
    return tuple(specs)


def _forget(manager: pluggy.PluginManager, name: str) -> None:
    if manager.has_plugin(name):
        manager.unregister(name=name)


def _kind_word(kind: str | type[Component]) -> str:
    return kind if isinstance(kind, str) else kind.kind


def _name_entries(plugins: Iterable[Plugin]) -> Iterator[Entry[Component]]:
    owners: dict[tuple[str, str], list[tuple[Plugin, Component]]] = defaultdict(list)
    for plugin in plugins:
        for spec in plugin.components:
            owners[spec.kind, spec.name].append((plugin, spec))
    order = {kind: place for place, kind in enumerate(KINDS)}
    for (_, name), owned in sorted(owners.items(), key=lambda item: (order[item[0][0]], item[0][1])):
        for plugin, spec in owned:
            yield Entry(name if len(owned) == 1 else f"{plugin.name}:{name}", spec, plugin)
