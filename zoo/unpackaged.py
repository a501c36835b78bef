"""Unregistered networks, which no plugin provides: `path/to/file.py:Net` and `package.module:Net`.

The facts of a spec are read from the class: whether `forward` takes `lengths`, and the optional attributes
`block_dims`, `block`, `recurrent` and `min_times`, with the same meaning as in `zoo.Architecture`.
"""

import importlib
import inspect
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import UsageError, guarded
from zoo.factories import load_factory
from zoo.paths import problem
from zoo.registry import Plugin, Registry
from zoo.specs import Architecture
from zoo.surroundings.imports import import_kept

NAMES = ("n_channels", "n_times", "n_classes")


@dataclass(frozen=True, kw_only=True)
class _Unpackaged(Architecture):
    """An architecture whose name is the typed reference without its folder."""

    def __post_init__(self) -> None:
        """Skip the rules for names, which apply only to registered architectures."""


def is_unpackaged(registry: Registry, reference: str) -> bool:
    """Return whether a reference names a network in a file or in a dotted module, not a component of a plugin."""
    place, colon, _ = reference.rpartition(":")
    if not colon or any(place in plugin.names for plugin in registry.plugins):
        return False
    return place.endswith(".py") or ("." in place and "/" not in place)


def with_unpackaged(registry: Registry, references: Iterable[str]) -> tuple[Registry, tuple[str, ...]]:
    """Return the registry with the unregistered networks added, and the names of all references in it.

    Imports the modules of the networks. Raises UsageError for a missing file and for a class that is not a network.
    """
    references = tuple(references)
    if not any(is_unpackaged(registry, reference) for reference in references):
        return registry, references
    plugins = {plugin.name: plugin for plugin in registry.plugins}
    names = []
    for reference in references:
        if not is_unpackaged(registry, reference):
            names.append(reference)
            continue
        place, _, attribute = reference.rpartition(":")
        module = _module_of_file(Path(place)) if place.endswith(".py") else place
        spec = _spec(f"{Path(place).name if place.endswith('.py') else place}:{attribute}", module, attribute)
        plugins.setdefault(spec.name, Plugin(spec.name, module, components=(spec,)))
        names.append(spec.name)
    return Registry(tuple(plugins.values()), registry.manager, registry.known), tuple(names)


def _module_of_file(path: Path) -> str:
    """Import a file and return its module name. Its folder becomes the first on `sys.path`, as for a script."""
    if wrong := problem(path):
        raise UsageError(wrong)
    name, folder = path.stem, str(path.resolve().parent)
    if not name.isidentifier():
        raise UsageError(
            f"{path.name!r} cannot be imported: the name of a module contains only letters, digits and '_'"
        )
    if sys.path[0] != folder:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    with guarded(UsageError, f"{str(path)!r} cannot be imported"):
        import torch  # noqa: F401 - the network imports it: its settings are known before

        module = import_kept(name)
    if Path(getattr(module, "__file__", None) or "").resolve() != path.resolve():
        raise UsageError(f"another module has the name {name!r}: rename {str(path)!r}")
    return name


def _spec(name: str, module: str, attribute: str) -> Architecture:
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
        factory=f"{module}:{attribute}",
        summary=(inspect.getdoc(factory) or "").partition("\n")[0],
        block_dims=block_dims,
        block=str(getattr(factory, "block", "none")),
        takes_lengths=forward is not None and "lengths" in inspect.signature(forward).parameters,
        recurrent=bool(getattr(factory, "recurrent", False)),
        min_times=int(getattr(factory, "min_times", 1)),
    )
