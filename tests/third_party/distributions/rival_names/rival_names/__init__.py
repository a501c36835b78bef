"""An architecture and a block whose names are taken."""

from collections.abc import Iterable

from zoo import Architecture, Block, hookimpl


@hookimpl
def zoo_components() -> Iterable[Architecture | Block]:
    return [
        Architecture(name="cnn2d", factory="rival_names.network:Net", summary="Another cnn2d."),
        Block(name="se", factory="rival_names.network:Block", summary="Another se."),
    ]
