"""Deprecated public names: for one minor release they still work, and warn what to use instead.

docs/api.md lists the public names. A name that is renamed or removed gets a line in DEPRECATED, which is deleted in the
next minor release.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Deprecated:
    """A deprecated public name.

    target   the current location of its object, `"package.module:name"`
    instead  the replacement, as the user writes it: `zoo.load`
    since    the first release that warns; the next minor release removes the name
    """

    target: str
    instead: str
    since: str


DEPRECATED: Mapping[str, Deprecated] = {}  # names of the package `zoo`
MOVED: Mapping[str, Mapping[str, Deprecated]] = {  # names of its modules, by the former module
    "zoo.results.run": {"Run": Deprecated("zoo.store.run:Run", instead="zoo.store.run.Run", since="0.1.0")},
}
# Old options and environment variables: the new name, and the release that removes the old one.
RENAMED: Mapping[str, tuple[str, str]] = {
    "--registry": ("--config", "0.3"),
    "ZOO_REGISTRY": ("ZOO_CONFIG", "0.3"),
}


def renamed_text(old: str) -> str:
    """Return the warning for an old option or environment variable, without a line break."""
    new, release = RENAMED[old]
    return f"{old} is now {new}; release {release} removes the old name"


def deprecated(module: str, name: str, table: Mapping[str, Deprecated] = DEPRECATED) -> Any:
    """Return the object of a deprecated name of `module`, with a DeprecationWarning at the line that used it.

    Call it from the `__getattr__` of that module. Raises AttributeError for a name that is not in the table.
    """
    if name not in table:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    entry = table[name]
    message = f"{module}.{name} is deprecated since {entry.since}: use {entry.instead}"
    warnings.warn(message, DeprecationWarning, stacklevel=3)  # beyond `__getattr__`, the line that used the name
    place, _, attribute = entry.target.partition(":")
    return getattr(import_module(place), attribute)
