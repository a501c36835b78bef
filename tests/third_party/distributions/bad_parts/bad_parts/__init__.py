"""What stands beside a network, each of them failing when it is used."""

from collections.abc import Iterable

from zoo import Block, Dataset, Objective, Resampler, hookimpl


@hookimpl
def zoo_components() -> Iterable[Block | Dataset | Objective | Resampler]:
    code = "bad_parts.parts"
    yield Block(name="bad-block", factory=f"{code}:NarrowingBlock", summary="Drops a channel.")
    yield Dataset(name="bad-dataset", factory=f"{code}:raises", summary="Raises.")
    yield Dataset(name="no-dataset", factory=f"{code}:gives_nothing", summary="Gives None.")
    yield Objective(name="bad-loss", factory=f"{code}:per_row", summary="Gives a loss for each row.")
    yield Objective(name="no-loss", factory=f"{code}:raises", summary="Raises.")
    yield Resampler(name="bad-resampler", factory=f"{code}:Resampler", summary="Raises.")
    yield Resampler(name="no-resampler", factory=f"{code}:raises", summary="Raises when it is built.")
