"""The whole contract between the zoo and a plugin.

A plugin is a module named by an entry point of the group `zoo`. It marks its hooks with `zoo.hookimpl`, and says by
`ZOO_API = "1.0"` which version of this contract it was written for.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from zoo.specs import Spec
    from zoo.store.run import Run

GROUP = "zoo"
# The version of all that is public to plugins (docs/api.md): the first number changes where plugins have to, the second
# where something was added.
API_VERSION = "1.0"
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
