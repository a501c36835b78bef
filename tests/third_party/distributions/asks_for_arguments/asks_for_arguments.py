from collections.abc import Iterable

from zoo import Architecture, hookimpl


@hookimpl
def zoo_components(settings: object) -> Iterable[Architecture]:
    return []
