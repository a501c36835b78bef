"""Architectures that can be listed and not built."""

from collections.abc import Iterable

from zoo import Architecture, hookimpl

FACTORIES = {
    "lacks-module": "lacks_its_factories.network:Net",
    "lacks-class": "lacks_its_factories:Net",
    "lacks-library": "lacks_its_factories.needs_library:Net",
    "exits-late": "lacks_its_factories.exits:Net",
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [Architecture(name=name, factory=factory, summary="Not there.") for name, factory in FACTORIES.items()]
