"""A plugin-based model zoo for imbalanced time series.

Importing this module is cheap; torch and the rest are imported when something is built or run.
"""

from typing import TYPE_CHECKING, Any

from zoo.deprecation import deprecated
from zoo.errors import (
    DataError,
    Diverged,
    ModelError,
    PluginError,
    ResamplingError,
    SealError,
    SettingsError,
    StoreError,
    UnknownName,
    UsageError,
    ZooError,
)
from zoo.hookspecs import hookimpl
from zoo.space import Choice, Float, Int, Space, Value
from zoo.specs import Architecture, Block, Dataset, Objective, Preset, Resampler, Searcher
from zoo.version import VERSION

if TYPE_CHECKING:
    from zoo.api import bench, build, list_components, load

__version__ = VERSION

__all__ = [
    "Architecture",
    "Block",
    "Choice",
    "DataError",
    "Dataset",
    "Diverged",
    "Float",
    "Int",
    "ModelError",
    "Objective",
    "PluginError",
    "Preset",
    "Resampler",
    "ResamplingError",
    "SealError",
    "Searcher",
    "SettingsError",
    "Space",
    "StoreError",
    "UnknownName",
    "UsageError",
    "Value",
    "ZooError",
    "bench",
    "build",
    "hookimpl",
    "list_components",
    "load",
]


def __getattr__(name: str) -> Any:
    """The functions of `zoo.api`, imported when one is first used; and old names, with a warning."""
    if name in ("bench", "build", "list_components", "load"):
        from zoo import api

        return getattr(api, name)
    return deprecated("zoo", name)


def __dir__() -> list[str]:
    """All public names, for completion, those not imported yet among them."""
    return sorted({*globals(), *__all__})
