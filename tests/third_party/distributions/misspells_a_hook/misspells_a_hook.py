from collections.abc import Iterable

from zoo import Architecture, hookimpl


@hookimpl
def zoo_component() -> Iterable[Architecture]:
    return []
