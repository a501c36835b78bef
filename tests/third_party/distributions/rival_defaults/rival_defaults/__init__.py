"""Components whose names the zoo uses where nobody names any."""

from collections.abc import Iterable

from zoo import Block, Dataset, Objective, Resampler, hookimpl


@hookimpl
def zoo_components() -> Iterable[Block | Dataset | Objective | Resampler]:
    return [
        Block(name="resnet", factory="rival_defaults.nothing:Block", summary="Another resnet."),
        Dataset(name="heartbeats", factory="rival_defaults.nothing:heartbeats", summary="Other heartbeats."),
        Objective(name="cross-entropy", factory="rival_defaults.nothing:loss", summary="Another cross entropy."),
        Resampler(name="original", factory="rival_defaults.nothing:original", summary="Another original."),
    ]
