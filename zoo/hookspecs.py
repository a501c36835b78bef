"""The whole contract between the zoo and a plugin.

A plugin is a module named by an entry point of the group `zoo`. It marks its hooks with `zoo.hookimpl`.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from zoo.results.run import Run
    from zoo.specs import Spec

GROUP = "zoo"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def zoo_components() -> "Iterable[Spec]":  # type: ignore[empty-body]
    """Give the specs this plugin provides, of any kind."""


@hookspec
def zoo_run_started(run: "Run") -> None:
    """Observe that a run begins to train."""


@hookspec
def zoo_epoch_finished(run: "Run", epoch: int, scores: Mapping[str, float]) -> None:
    """Observe an epoch, counted from 1, and its losses and validation scores."""


@hookspec
def zoo_run_finished(run: "Run") -> None:
    """Observe a run's end; `run.status` says which."""
