"""Not written yet."""

from collections.abc import Iterable

from zoo import Architecture, hookimpl


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return []
