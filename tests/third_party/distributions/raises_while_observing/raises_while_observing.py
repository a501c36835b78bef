"""Observers that fail in each of the ways there are."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo.store.run import Run


@hookimpl
def zoo_run_started(run: "Run") -> None:
    print("tracking", run.architecture)  # noqa: T201 - must not reach stdout
    raise ConnectionError("the tracker is down")


@hookimpl
def zoo_epoch_finished(run: "Run", epoch: int, scores: Mapping[str, float]) -> None:
    raise KeyError("recall")


@hookimpl
def zoo_run_finished(run: "Run") -> None:
    sys.exit("the tracker said goodbye")
