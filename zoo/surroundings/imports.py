"""Import modules of components, and restore the global state that an import changed."""

import importlib
import sys
from types import ModuleType

from zoo.standalone import plain_name
from zoo.surroundings.kept import Changes, kept

_changed: dict[str, Changes] = {}


def import_kept(name: str) -> ModuleType:
    """Import a module; what its first import changed is restored, and kept for `import_notes`."""
    if name in sys.modules:
        return importlib.import_module(name)
    with kept(_changed.setdefault(name, Changes())):
        return importlib.import_module(name)


def import_notes(name: str) -> tuple[str, ...]:
    """Return notes on the global state that the import of a module changed in this process."""
    return _changed.get(name, Changes()).notes(f"the import of {plain_name(name)}")
