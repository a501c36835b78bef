"""Its entry point has a name that is taken; what it provides has not."""

from collections.abc import Iterable

from zoo import Architecture, hookimpl


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [Architecture(name="newcomer", factory="somewhere.network:Net", summary="Never built.")]
