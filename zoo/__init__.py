"""A plugin-based model zoo for imbalanced time series.

Importing this module is cheap; torch and other libraries are imported when something is built or run.
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
    from zoo.api import (
        bench,
        build,
        compare,
        hypotheses,
        leaderboard,
        list_components,
        load,
        report,
        verify,
    )

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
    "compare",
    "hookimpl",
    "hypotheses",
    "leaderboard",
    "list_components",
    "load",
    "report",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Return a function of `zoo.api`, imported on first use, or a deprecated name, with a warning."""
    if name in __all__:
        from zoo import api

        return getattr(api, name)
    return deprecated("zoo", name)


def __dir__() -> list[str]:
    """Return all public names for completion, including those that are not imported yet."""
    return sorted({*globals(), *__all__})
