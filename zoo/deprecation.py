"""How a public name goes: for one minor release it still works, and warns what to use instead and since when.

docs/api.md says which names are public. One that is renamed or removed gets a line in DEPRECATED, and is deleted from
there in the minor release after.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Deprecated:
    """A public name on its way out.

    target   `"package.module:name"`, where what it stood for is now
    instead  what to use, as the user writes it: `zoo.load`
    since    the release that began to warn; the minor release after it has the name no more
    """

    target: str
    instead: str
    since: str


DEPRECATED: Mapping[str, Deprecated] = {}  # names of the package `zoo`
MOVED: Mapping[str, Mapping[str, Deprecated]] = {  # names of its modules, by the module they were in
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
    """What an old public name of `module` stands for, with a DeprecationWarning at the line that used it.

    To be called by that module's `__getattr__`. Raises AttributeError for a name that is not in the table.
    """
    if name not in table:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    entry = table[name]
    message = f"{module}.{name} is deprecated since {entry.since}: use {entry.instead}"
    warnings.warn(message, DeprecationWarning, stacklevel=3)  # past the `__getattr__`, to who asked
    place, _, attribute = entry.target.partition(":")
    return getattr(import_module(place), attribute)
