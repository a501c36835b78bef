from collections.abc import Iterable

from zoo import Architecture, hookimpl


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    yield Architecture(name="first-half", factory="somewhere.network:Net", summary="Never built.")
    raise OSError("the disk went away")
