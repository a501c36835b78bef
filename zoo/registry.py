"""The registry: finds plugins through the entry-point group `zoo`, and looks up components by kind and name.

Plugins load one at a time, each isolated. A plugin that raises, exits or misspells a hook is listed with its error,
and all other plugins work. If several plugins provide the same kind and name, each component is available as
`plugin:name`, and the bare name raises an error that lists them.
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
from zoo.specs import GROUP, KINDS, Architecture, Component, Preset
from zoo.visible import sentence

DISTRIBUTION = "zoo-registry"  # this distribution: names in the shipped registry.toml mean its own components

C = TypeVar("C", bound=Component)
S = TypeVar("S", bound=Component, covariant=True)


@dataclass(frozen=True)
class Plugin:
    """One entry point and the result of loading it.

    error  why the plugin did not load, in one line; "" without an error
    api    the version of the plugin API that the plugin declares; "" if it declares none
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
        """The names that disable the plugin, among them the name of its entry point, which others may share."""
        return names_of(self.name)

    @property
    def status(self) -> str:
        if self.disabled:
            return "disabled"
        return "error" if self.error else "ok"


@dataclass(frozen=True)
class Entry(Generic[S]):
    """A registered component: its name, spec and plugin. `Entry[Block]` is the entry of a block."""

    name: str
    spec: S
    plugin: Plugin = field(repr=False)  # its components would fill a megabyte for each of timm's 1,371 entries

    @property
    def kind(self) -> str:
        return self.spec.kind


@dataclass(frozen=True)
class Source:
    """A plugin before its import: its name, its module and its distribution."""

    name: str
    module: str
    load: Callable[[], Any]
    distribution: str = ""
    version: str = ""

    @property
    def names(self) -> set[str]:
        """The names that disable the plugin."""
        return names_of(self.name)


@dataclass(frozen=True)
class Registry:
    """All plugins and their components.

    known  distributions that may not be installed, by the kind and name of each component they provide
    """

    plugins: tuple[Plugin, ...]
    manager: pluggy.PluginManager
    known: Mapping[tuple[str, str], str] = field(default_factory=dict)
    prefer: tuple[str, ...] = ()
    entries: tuple[Entry[Component], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(_name_entries(self.plugins)))

    @classmethod
    def discover(
        cls,
        disabled: Iterable[str] = (),
        known: Mapping[tuple[str, str], str] | None = None,
        prefer: Iterable[str] = (),
    ) -> "Registry":
        """Return the registry of the installed plugins. Plugins named in `disabled` are not imported."""
        return cls.load(_installed_sources(), disabled, known, prefer)

    @classmethod
    def load(
        cls,
        sources: Iterable[Source],
        disabled: Iterable[str] = (),
        known: Mapping[tuple[str, str], str] | None = None,
        prefer: Iterable[str] = (),
    ) -> "Registry":
        """Return the registry of the given sources, loaded in order of their names.

        `prefer` names distributions: of several components with one name, the bare name means that of the first.
        """
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        off = set(disabled)
        ordered = sorted(sources, key=lambda source: (source.name, source.distribution))
        plugins = tuple(_load(manager, source, not off.isdisjoint(source.names)) for source in ordered)
        return cls(plugins, manager, known or {}, tuple(prefer))

    @overload
    def of_kind(self, kind: type[C]) -> list[Entry[C]]: ...

    @overload
    def of_kind(self, kind: str) -> list[Entry[Component]]: ...

    def of_kind(self, kind: str | type[Component]) -> Sequence[Entry[Component]]:
        """Return the components of one kind, given as a word (`"block"`) or as a spec class (`zoo.Block`)."""
        word = _kind_word(kind)
        return [entry for entry in self.entries if entry.kind == word]

    @overload
    def get(self, kind: type[C], name: str, *, home: str = "") -> Entry[C]: ...

    @overload
    def get(self, kind: str, name: str, *, home: str = "") -> Entry[Component]: ...

    def get(self, kind: str | type[Component], name: str, *, home: str = "") -> Entry[Component]:
        """Return the component named `name`, bare or as `plugin:name`: `get(Architecture, "cnngru")`.

        `home` is the distribution that wrote the name, for example as a default in a spec. If several plugins provide
        the name, the component of `home` is returned. Raises UnknownName, with the closest names, if no component or
        more than one has this name.
        """
        word, entries = _kind_word(kind), self.of_kind(kind)
        for entry in entries:
            if name in (entry.name, f"{entry.plugin.name}:{entry.spec.name}"):
                return entry
        rivals = [entry for entry in entries if entry.spec.name == name]
        for distribution in filter(None, (home, *self.prefer)):
            own = [entry for entry in rivals if entry.plugin.distribution == distribution]
            if len(own) == 1:
                return own[0]
        if rivals:
            names = " or ".join(entry.name for entry in rivals)
            raise UnknownName(f"{name!r} is provided by more than one plugin: use {names}, or set [plugins] prefer")
        if (word, name) in self.known:
            raise self._not_installed(word, name, self.known[word, name])
        raise unknown_name(word, name, (entry.name for entry in entries), f"`zoo list {word}` shows them all.")

    def _not_installed(self, kind: str, name: str, distribution: str) -> UnknownName:
        """Return the error for a component that a known distribution provides but that is not loaded."""
        for plugin in self.plugins:
            if plugin.distribution == distribution and plugin.status != "ok":
                why = "is disabled" if plugin.disabled else "did not load; `zoo plugins` shows why"
                return UnknownName(f"no {kind} named {name!r}: plugin {plugin.name!r}, which provides it, {why}")
        return UnknownName(f"no {kind} named {name!r} is installed. To install it: pip install {distribution}")

    @overload
    def match(self, kind: type[C], pattern: str) -> list[Entry[C]]: ...

    @overload
    def match(self, kind: str, pattern: str) -> list[Entry[Component]]: ...

    def match(self, kind: str | type[Component], pattern: str) -> Sequence[Entry[Component]]:
        """Return the components whose names match a shell pattern, or the component with exactly this name."""
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
        """Return the architecture, the preset's name ("" for none) and the preset for `name` or `name.preset`.

        `extra` holds the user's presets by full name.
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
        """Call an observer hook of every plugin, and return one line for each plugin that raised."""
        failures = []
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            wanted = {name: arguments[name] for name in implementation.argnames}
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    implementation.function(**wanted)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a tracker that calls sys.exit() must not end the run
                failures.append(f"plugin {implementation.plugin_name!r}: {hook} raised {describe(error)}")
        return failures


def is_pattern(text: str) -> bool:
    """Return whether a word is a shell pattern, not a name."""
    return any(sign in text for sign in "*?[")


def matches(name: str, pattern: str) -> bool:
    """Return whether a name matches a shell pattern. As in paths, `*` does not match the slash after a family."""
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def split_reference(reference: str) -> tuple[str, str]:
    """Split `plugin:name.preset` into `plugin:name` and `preset`. Only a plugin's name may contain dots."""
    owner, colon, rest = reference.rpartition(":")
    name, _, preset = rest.partition(".")
    return f"{owner}{colon}{name}", preset


def names_of(plugin: str) -> set[str]:
    """Return a plugin's name with and without `@distribution`, which is added where names clash."""
    return {plugin, plugin.partition("@")[0]}


def presets_of(architecture: str, presets: Mapping[str, Preset]) -> dict[str, Preset]:
    """Return the user's presets of one architecture, by their short names."""
    prefix = f"{architecture}."
    return {name.removeprefix(prefix): preset for name, preset in presets.items() if name.startswith(prefix)}


def source_of(name: str, module: ModuleType) -> Source:
    """Return a source for a module that is already imported; tests build their own registry with it."""
    return Source(name, module.__name__, lambda: module)


def _installed_sources() -> Iterator[Source]:
    points = _entry_points()
    count = Counter(point.name for point in points)
    owners: dict[Distribution | None, tuple[str, str]] = {None: ("", "")}
    for point in points:
        owner = point.dist
        if owner is not None and owner not in owners:  # each access to a name or a version parses all metadata again
            metadata = owner.metadata
            owners[owner] = (metadata["Name"], metadata["Version"])
        distribution, version = owners[owner]
        name = point.name if count[point.name] == 1 else f"{point.name}@{distribution}"
        yield Source(name, point.value, point.load, distribution, version)


def _entry_points() -> list[EntryPoint]:
    """Return the group's entry points; a distribution with an unreadable entry_points.txt is left out."""
    try:
        return list(entry_points(group=GROUP))
    except Exception:  # one damaged distribution makes the call fail for all of them
        return [point for each in distributions() for point in _points_of(each) if point.group == GROUP]


def _points_of(distribution: Distribution) -> list[EntryPoint]:
    try:
        return list(distribution.entry_points)
    except Exception as error:
        name = distribution.metadata["Name"]
        warning = f"warning: the entry points of {name} cannot be read: {describe(error)}"
        sys.stderr.write(f"{sentence(warning)}\n")
        return []


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
        except BaseException as problem:  # a plugin may also raise SystemExit at import
            error = str(problem) if isinstance(problem, PluginError) else describe(problem)
            if manager.has_plugin(source.name):
                manager.unregister(name=source.name)
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
        raise PluginError("implements no hook: mark a function with @zoo.hookimpl")
    provided: list[object] = []
    for hook in hooks:
        provided += hook.function()  # type: ignore[arg-type]  # pluggy has no type for the result; a wrong one raises
    return _checked(provided)


def _check_api(needed: Any) -> None:
    """Raise PluginError for a plugin that was written for an incompatible plugin API."""
    offered = hookspecs.API_VERSION
    if not isinstance(needed, str) or not re.fullmatch(r"\d+\.\d+", needed):
        raise PluginError(f"ZOO_API must be a plugin API version such as {offered!r}, not {needed!r}")
    (major, minor), (our_major, our_minor) = (map(int, version.split(".")) for version in (needed, offered))
    if (major, minor) > (our_major, our_minor):
        raise PluginError(f"needs plugin API {needed}, but this zoo has {offered}: pip install -U {DISTRIBUTION}")
    if major < our_major:
        raise PluginError(f"was written for plugin API {needed}, but this zoo has {offered}: update the plugin")


def _checked(provided: Iterable[object]) -> tuple[Component, ...]:
    specs = []
    for spec in provided:
        if not isinstance(spec, Component) or not isinstance(spec, tuple(KINDS.values())):
            raise PluginError(f"zoo_components() returned {type(spec).__name__}, not a spec such as zoo.Architecture")
        specs.append(spec)
    twice = [name for name, count in Counter((spec.kind, spec.name) for spec in specs).items() if count > 1]
    if twice:
        raise PluginError(f"provides {twice[0][0]} {twice[0][1]!r} twice")
    return tuple(specs)


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
