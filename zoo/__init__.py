"""A plugin-based model zoo for imbalanced time series.

Importing this module is cheap; torch and the rest are imported when something is built or run.
"""

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
from zoo.space import Choice, Float, Int
from zoo.specs import Architecture, Block, Dataset, Objective, Preset, Resampler

__version__ = "0.1.0"

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
    "SettingsError",
    "StoreError",
    "UnknownName",
    "UsageError",
    "ZooError",
    "hookimpl",
]
