"""Modules of networks in files: every file has modules of its own, even if two files import the same names.

`a/net.py` and `b/net.py` may both import `layers`, each from its own folder. The modules of a file are loaded below a
package that stands for the file, `zoo_file_…`, and the import statements of their code look there first: at the import
of the file, and later, in a method. A module is the file's own if it lies in the folder of the file, or in a folder
that the file's code has put on `sys.path`. All other modules are shared, as everywhere in Python.
"""

import builtins
import importlib
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

PREFIX = "zoo_file_"


def module_name(path: Path) -> str:
    """Return the name under which a file can be imported in any process."""
    resolved = path.resolve()
    return f"{PREFIX}{re.sub('[^A-Za-z0-9]', _escaped, str(resolved))}.{resolved.stem}"


def plain_name(name: str) -> str:
    """Return the name of a module, or `module:Name`, as the code of a file knows it."""
    return name.partition(".")[2] if name.startswith(PREFIX) else name


def forget(name: str) -> None:
    """Remove the modules of a file, given the name of one of them: the next import runs their code again."""
    package = name.partition(".")[0]
    for each in [each for each in sys.modules if each == package or each.startswith(f"{package}.")]:
        del sys.modules[each]


def own_name(importer: str, name: str) -> str:
    """Return the full name of the module that `import name` means in a module; only a file's own have another one."""
    owner = _owner(importer)
    return name if owner is None or not owner.has(name.partition(".")[0]) else f"{owner.name}.{name}"


class _File(ModuleType):
    """The package that stands for a file: it holds the file's own modules, which lie in the folders `own`."""

    def __init__(self, name: str, own: list[str]) -> None:
        super().__init__(name)
        self.name, self.own, self.before = name, own, tuple(sys.path)
        self.importlib = _Importlib(self)
        self.builtins: Mapping[str, Any] = {**vars(builtins), "__import__": self.imported}

    def has(self, top: str) -> bool:
        """Whether a top-level name means a module of this file. Raises ImportError if it also means one of Python."""
        if top == "zoo":
            return False
        if f"{self.name}.{top}" in sys.modules:
            return True
        self.take_paths()
        found = PathFinder.find_spec(top, self.own)
        if found is None:
            return False
        if found.origin is None:  # a folder without __init__.py: a package anywhere else is meant
            return _shared(top) is None
        if top in sys.stdlib_module_names:
            raise ImportError(f"{top!r} is a module of Python, and {found.origin} has the same name: rename that file")
        shared = sys.modules.get(top)
        if shared is not None and getattr(shared, "__file__", None) == found.origin:
            return False
        first = PathFinder.find_spec(top, [self.own[0], *sys.path, *self.own[1:]])
        return first is not None and first.origin == found.origin

    def take_paths(self) -> None:
        """Count the folders that were put on `sys.path` since the import of the file as its own."""
        self.own += [each for each in sys.path if each not in (*self.before, *self.own)]

    def imported(
        self,
        name: str,
        names: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        """Import in place of `builtins.__import__`."""
        top = name.partition(".")[0]
        if level == 0 and self.has(top):
            module = __import__(f"{self.name}.{name}", names, local, fromlist, 0)
            return module if fromlist else sys.modules[f"{self.name}.{top}"]
        module = __import__(name, names, local, fromlist, level)
        return self.importlib if module is importlib else module


class _Importlib(ModuleType):
    """`importlib` for the code of a file: `import_module` finds the file's own modules, too."""

    def __init__(self, owner: _File) -> None:
        super().__init__("importlib")
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib, name)

    def import_module(self, name: str, package: str | None = None) -> ModuleType:
        return importlib.import_module(name if name.startswith(".") else own_name(self._owner.name, name), package)


class _Package(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        assert spec.submodule_search_locations is not None
        return _File(spec.name, spec.submodule_search_locations)

    def exec_module(self, module: ModuleType) -> None:
        """There is no code to run."""


class _Source(SourceFileLoader):
    """Runs a module so that its import statements, whenever they run, find the modules of its file first."""

    def path_stats(self, path: Any) -> Mapping[str, Any]:
        """Raise OSError: a file in `__pycache__` may be of code that was edited less than a second ago."""
        raise OSError

    def exec_module(self, module: ModuleType) -> None:
        owner = _owner(self.name)
        assert owner is not None
        vars(module)["__builtins__"] = owner.builtins
        before = list(sys.path)
        outermost = not _loading
        _loading.append(owner)
        try:
            super().exec_module(module)
        except ImportError as error:
            error.msg = str(error.msg).replace(f"{owner.name}.", "")
            raise
        finally:
            owner.take_paths()
            _loading.pop()
            if outermost:
                sys.path[:] = before


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(PREFIX):
            return None
        root, _, rest = fullname.partition(".")
        if not rest:
            spec = ModuleSpec(root, _Package(), is_package=True)
            path_of_file = re.sub("(_[0-9a-f]{2})+", _unescaped, root.removeprefix(PREFIX))
            spec.submodule_search_locations = [str(Path(path_of_file).parent)]
            return spec
        found = PathFinder.find_spec(fullname, path)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _Source(found.loader.name, found.loader.path)
        return found


_loading: list[_File] = []
sys.meta_path.insert(0, _Finder())


def _owner(name: str) -> _File | None:
    owner = sys.modules.get(name.partition(".")[0])
    return owner if isinstance(owner, _File) else None


def _shared(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in found[0].encode(errors="surrogateescape"))


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("_", "")).decode(errors="surrogateescape")
