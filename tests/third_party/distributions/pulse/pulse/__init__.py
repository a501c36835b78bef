"""A plugin as it should be: an architecture, a block, a data set and the three observers.

What it observes it writes as lines into the file named by PULSE_LOG, its own import first.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import Architecture, Block, Dataset, Int, Preset, hookimpl

if TYPE_CHECKING:
    from zoo.store.run import Run


def _log(line: str) -> None:
    if os.environ.get("PULSE_LOG"):
        with Path(os.environ["PULSE_LOG"]).open("a") as file:
            file.write(f"{line}\n")


_log("imported")


@hookimpl
def zoo_components() -> Iterable[Architecture | Block | Dataset]:
    yield Architecture(
        name="pulse-net",
        factory="pulse.network:PulseNet",
        summary="One convolution, a block and a mean.",
        paper="No paper: a test.",
        block_dims=1,
        block="gain",
        min_times=3,
        spaces={"default": {"hidden": Int(2, 8)}},
        presets={"wide": Preset(summary="twice the filters", params={"hidden": 8})},
    )
    yield Block(name="gain", factory="pulse.network:Gain", summary="Scales each channel.", masked=True)
    yield Dataset(name="pulses", factory="pulse.data:pulses", summary="Two classes, 4 : 1.", synthetic=True)


@hookimpl
def zoo_run_started(run: "Run") -> None:
    _log(f"started {run.architecture} {run.block} {run.status}")


@hookimpl
def zoo_epoch_finished(run: "Run", epoch: int, scores: Mapping[str, float]) -> None:
    _log(f"epoch {epoch} {run.architecture} {' '.join(sorted(scores))}")


@hookimpl
def zoo_run_finished(run: "Run") -> None:
    _log(f"finished {run.architecture} {run.block} {run.status}")
