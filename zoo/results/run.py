"""The former location of `zoo.store.run.Run`."""

from typing import Any

from zoo.deprecation import MOVED, deprecated


def __getattr__(name: str) -> Any:
    return deprecated(__name__, name, MOVED[__name__])
