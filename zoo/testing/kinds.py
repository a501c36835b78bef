"""The kit of each kind of component: a module with CHECKS, and `use`, which uses a component once.

WHERE, in those that have it, says of a check to which components it applies; one that is not in there applies to all.
It may import a factory by `zoo.testing.watching.imported`, which sees what that brings about; where it cannot be told,
the check applies.
"""

from types import ModuleType

from zoo.testing import architectures, blocks, datasets, objectives, resamplers, searchers

KITS: dict[str, ModuleType] = {
    "architecture": architectures,
    "block": blocks,
    "dataset": datasets,
    "resampler": resamplers,
    "objective": objectives,
    "searcher": searchers,
}
