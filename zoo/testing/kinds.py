"""The kit of each kind of component: a module with CHECKS and with `use`, which uses a component once.

The optional WHERE maps a check to a function that decides whether the check applies to a component. A check without
such a function applies to all components. The function may import a factory with `zoo.testing.watching.imported`, which
records the effects of the import. If the function cannot decide, it returns true.
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
