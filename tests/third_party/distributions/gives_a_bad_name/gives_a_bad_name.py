from collections.abc import Iterable

from zoo import Architecture, hookimpl


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [Architecture(name="My Net", factory="somewhere.network:Net", summary="Never built.")]
