"""The conformance kit: what every component promises, as checks that anyone can run over their own.

`checks_for(registry, entry)` gives the checks of a component; each is called without arguments and raises
NotConforming, one line that says what was expected, where the promise is not kept.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.testing.check import Check, NotConforming

if TYPE_CHECKING:
    from zoo.registry import Entry, Registry

__all__ = ["Check", "NotConforming", "checks_for"]


def checks_for(registry: "Registry", entry: "Entry") -> Iterator[Check]:
    """All checks of a component, in the order in which one helps to understand the next."""
    from zoo.testing import architectures, blocks, datasets, objectives, resamplers, searchers

    modules = {
        "architecture": architectures,
        "block": blocks,
        "dataset": datasets,
        "objective": objectives,
        "resampler": resamplers,
        "searcher": searchers,
    }
    return (Check(check.__name__, check, registry, entry) for check in modules[entry.kind].CHECKS)
