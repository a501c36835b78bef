"""The hooks: the whole contract between the zoo and a plugin.

A plugin is a module that an entry point of the group `zoo` names. It marks its hooks with `zoo.hookimpl`, and declares
with `ZOO_API = "1.0"` the version of this contract that it was written for.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

from zoo.specs import GROUP

if TYPE_CHECKING:
    from zoo.specs import Spec
    from zoo.store.run import Run

# The version of the public plugin API (docs/api.md). The first number rises when plugins must change, the second when
# something is added.
API_VERSION = "1.0"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def zoo_components() -> "Iterable[Spec]":  # type: ignore[empty-body]
    """Return the specs that this plugin provides, of any kind."""


@hookspec
def zoo_run_started(run: "Run") -> None:
    """Observe the start of a run's training."""


@hookspec
def zoo_epoch_finished(run: "Run", epoch: int, scores: Mapping[str, float]) -> None:
    """Observe the end of an epoch (counted from 1), with its losses and validation scores."""


@hookspec
def zoo_run_finished(run: "Run") -> None:
    """Observe the end of a run; `run.status` is its outcome."""
