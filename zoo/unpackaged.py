"""Unregistered networks, which no plugin provides: `path/to/file.py:Net` and `package.module:Net`.

The facts of a spec are read from the class: whether `forward` takes `lengths`, and the optional attributes
`block_dims`, `block`, `recurrent`, `min_times`, `needs_validation`, `learning_rate` and `files`, with the same meaning
as in `zoo.Architecture`.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import UsageError, guarded
from zoo.factories import load_factory
from zoo.imported import changed_since, imported_distributions, imported_files
from zoo.paths import problem
from zoo.registry import Plugin, Registry
from zoo.specs import Architecture
from zoo.standalone import forget, module_name
from zoo.surroundings.imports import import_kept

NAMES = ("n_channels", "n_times", "n_classes")


@dataclass(frozen=True, kw_only=True)
class _Unpackaged(Architecture):
    """An architecture whose name is the typed reference without its folder, unless other files have the same name."""

    typed: str = ""

    def __post_init__(self) -> None:
        """Skip the rules for names, which apply only to registered architectures."""

    @property
    def key_name(self) -> str:
        return self.typed


def is_unpackaged(registry: Registry, reference: str) -> bool:
    """Return whether a reference names a network in a file or in a dotted module, not a component of a plugin."""
    place, colon, _ = reference.rpartition(":")
    if not colon or any(place in plugin.names for plugin in registry.plugins):
        return False
    return place.endswith(".py") or ("." in place and "/" not in place)


def with_unpackaged(registry: Registry, references: Iterable[str]) -> tuple[Registry, tuple[str, ...]]:
    """Return the registry with the unregistered networks added, and the names of all references in it.

    Imports the modules of the networks. Files of the same name have names with their folders. Raises UsageError for a
    missing file and for a class that is not a network.
    """
    references = tuple(references)
    places = {each: each.rpartition(":")[0] for each in references if is_unpackaged(registry, each)}
    if not places:
        return registry, references
    files = [Path(place) for place in dict.fromkeys(places.values()) if place.endswith(".py")]
    plugins = {plugin.name: plugin for plugin in registry.plugins}
    names = {}
    for reference, place in places.items():
        attribute = reference.rpartition(":")[2]
        path = Path(place) if place.endswith(".py") else None
        module = place if path is None else _module_of_file(path)
        typed, known = (place, place) if path is None else (path.name, _unique_name(path, files))
        spec = _spec(f"{known}:{attribute}", f"{typed}:{attribute}", module, attribute)
        plugins[spec.name] = Plugin(spec.name, module, components=(spec,))
        names[reference] = spec.name
    known_names = tuple(names.get(reference, reference) for reference in references)
    return Registry(tuple(plugins.values()), registry.manager, registry.known), known_names


def _unique_name(path: Path, files: Iterable[Path]) -> str:
    """Return the name of a file, with as many of its folders as other files of the same name require."""
    own = path.resolve()
    others = {other for file in files if (other := file.resolve()) != own and other.name == own.name}
    size = 1
    while any(other.parts[-size:] == own.parts[-size:] for other in others):
        size += 1
    return re.sub(r"[*?\[\]:]", "_", "/".join(own.parts[-size:])) if size > 1 else path.name


def _module_of_file(path: Path) -> str:
    """Import a file with modules of its own, again if its code has changed, and return its module name."""
    if wrong := problem(path):
        raise UsageError(wrong)
    if not path.stem.isidentifier():
        raise UsageError(
            f"{path.name!r} cannot be imported: the name of a module contains only letters, digits and '_'"
        )
    if path.stem in sys.stdlib_module_names:
        raise UsageError(f"another module has the name {path.stem!r}: rename {str(path)!r}")
    name = module_name(path)
    importlib.invalidate_caches()
    if name in sys.modules and changed_since(name):
        forget(name)
        load_factory.cache_clear()
    with guarded(UsageError, f"{str(path)!r} cannot be imported"):
        import torch  # noqa: F401 - the network imports it: its settings are known before

        import_kept(name)
    imported_files(name)
    return name


def _spec(name: str, typed: str, module: str, attribute: str) -> Architecture:
    with guarded(UsageError, f"no network {name!r}"):
        factory: Any = load_factory(f"{module}:{attribute}")
    known = inspect.signature(factory).parameters
    several = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values())
    if missing := [each for each in NAMES if each not in known and not several]:
        raise UsageError(
            f"{name} lacks the arguments {', '.join(missing)}: the zoo builds a network with {', '.join(NAMES)}"
        )
    block_dims = getattr(factory, "block_dims", None)
    if ("block" in known) != (block_dims is not None):
        raise UsageError(f"{name}: a block slot needs the argument block and the class attribute block_dims = 1 or 2")
    forward = getattr(factory, "forward", None)
    return _Unpackaged(
        name=name,
        typed=typed,
        factory=f"{module}:{attribute}",
        summary=(inspect.getdoc(factory) or "").partition("\n")[0],
        block_dims=block_dims,
        block=str(getattr(factory, "block", "none")),
        takes_lengths=forward is not None and "lengths" in inspect.signature(forward).parameters,
        recurrent=bool(getattr(factory, "recurrent", False)),
        files=tuple(getattr(factory, "files", ())),
        libraries=imported_distributions(module),
        min_times=int(getattr(factory, "min_times", 1)),
        needs_validation=bool(getattr(factory, "needs_validation", True)),
        learning_rate=getattr(factory, "learning_rate", None),
    )
