"""The files that a module's code comes from, as far as no version of a distribution names them.

The imports are read from the source, not from what a process has loaded: so they include an import inside a function,
and depend neither on the order of imports nor on the process.
"""

import ast
import glob
import hashlib
import importlib.util
import os
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, distributions, packages_distributions
from itertools import islice
from json import loads
from pathlib import Path

from zoo.standalone import PREFIX, own_name, plain_name

# Every run records the versions of these, and `zoo` has a hash of its own.
RECORDED = frozenset({"zoo", "torch", "numpy", "scipy", "sklearn", "imblearn"})
LONGEST_NAME = 255
MOST_FILES = 1000  # that one pattern such as `*.json` may name
DEEPEST = 3  # folders in each other that separate texts name: `Path(FOLDER, "config", "small")`


@cache
def imported_files(module: str) -> dict[str, str]:
    """Return the hash of each file that a module reaches, by a name that does not depend on the place of its folder.

    These are the file of the module itself, those of the modules that it imports, directly or through each other, at
    once or later in a function, and the files beside them that their code names, such as `config.json`. Modules of
    Python, of the zoo, and of distributions that were installed from an index are left out.
    """
    return _read(module)[0]


def imported_distributions(module: str) -> tuple[str, ...]:
    """Return the names of the distributions that a module, or a file that it reaches, imports directly.

    Those whose versions every run records are left out.
    """
    tops = {_top(name) for name in _read(module)[1] if not name.startswith(PREFIX)} - RECORDED - sys.stdlib_module_names
    found = {name for top, names in packages_distributions().items() if top in tops for name in names}
    return tuple(sorted(found))


def changed_since(module: str) -> bool:
    """Return whether a file differs from what `imported_files` has read in this process, which it then reads again."""
    if imported_files(module) == _read(module)[0]:
        return False
    imported_files.cache_clear()
    return True


def _read(module: str) -> tuple[dict[str, str], set[str]]:
    """Return the hashes of `imported_files`, and the names of all modules that these files import."""
    found: dict[str, str] = {}
    seen, waiting = {module}, [module]
    beside: dict[str, ModuleSpec] = {}  # modules in folders that are on `sys.path` only after a call
    while waiting:
        name = waiting.pop()
        spec = None if _top(name) in RECORDED else _spec(name) or beside.get(name)
        new = {name.rpartition(".")[0]} - {""}
        if spec is not None and spec.origin:
            path = Path(spec.origin)
            versioned = _has_version(path)
            if not versioned or _top(name) == _top(module):
                source = _Source.of(name, spec, path)
                new |= source.imports
                if not versioned:
                    found |= {plain_name(name): _hash(path), **source.data(plain_name(name))}
                    beside = {**source.beside(), **beside}
        waiting += new - seen
        seen |= new
    return found, seen


def _top(name: str) -> str:
    return name.partition(".")[0]


@dataclass(frozen=True)
class _Source:
    """What the source of a module names: other modules, texts that may be the names of files, and attributes."""

    folder: Path
    root: Path
    imports: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, spec: ModuleSpec, path: Path) -> "_Source":
        depth = plain_name(name).count(".") + (spec.submodule_search_locations is not None)
        root = path.parents[min(depth, len(path.parents) - 1)]
        try:
            # The import of the module has warned of its source, if there is a reason.
            with warnings.catch_warnings(action="ignore"):
                nodes = [] if path.suffix != ".py" else list(ast.walk(ast.parse(path.read_bytes())))
        except (OSError, SyntaxError, ValueError, RecursionError):
            nodes = []
        package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        imports = {each for node in nodes for each in _imports(node, name, package)}
        texts = set(_texts(nodes))
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        return cls(path.parent, root, frozenset(imports), frozenset(texts), frozenset(attributes))

    @cached_property
    def folders(self) -> list[Path]:
        """The folders from that of the module up to the one above `root`, and those below them that the texts name."""
        upwards = [each for each in (self.folder, *self.folder.parents) if each.is_relative_to(self.root)]
        upwards.append(self.root.parent)
        found = set(upwards)
        for _ in range(DEEPEST):
            found |= {place for folder in found for text in self.texts if os.path.isdir(place := folder / text)}
        return [*upwards, *sorted(found - set(upwards))]

    def data(self, name: str) -> dict[str, str]:
        """Return the hashes of the files that the texts name, in these folders and in the current one.

        A text is the name of a file or of a folder, the end of a name, such as `.json`, or a pattern, such as `*.json`.
        """
        places = dict.fromkeys((*self.folders, Path.cwd()))
        hashes: dict[str, str] = {}
        for path in sorted({path for text in self.texts for place in places for path in _matching(place, text)}):
            near = path.is_relative_to(self.root)
            key = f"{name}: {path.relative_to(self.root).as_posix() if near else path.name}"
            hashes[key] = hashes.get(key, "") + _hash(path)
        return hashes

    def beside(self) -> dict[str, ModuleSpec]:
        """Return where the imported modules are, if the code puts one of these folders on `sys.path`."""
        found: dict[str, ModuleSpec] = {}
        places: list[str] = [] if "path" not in self.attributes else list(map(str, self.folders))
        for name in sorted(self.imports):
            above = found.get(name.rpartition(".")[0])
            inside = places if "." not in plain_name(name) else above and above.submodule_search_locations
            spec = PathFinder.find_spec(name, list(inside)) if inside else None
            if spec is not None:
                found[name] = spec
        return found


def _imports(node: ast.AST, name: str, package: str) -> Iterator[str]:
    """Yield the full names that an import statement may import, or `import_module` with a text."""
    if isinstance(node, ast.Import):
        yield from (_own(name, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(name, package, "." * node.level + (node.module or ""))
        yield from (base, *(f"{base}.{alias.name}" for alias in node.names)) if base else ()
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        text = node.args[0].value
        if called in ("import_module", "__import__") and isinstance(text, str) and text.strip("."):
            yield from filter(None, [_absolute(name, package, text)])


def _absolute(name: str, package: str, typed: str) -> str:
    if not typed.startswith("."):
        return _own(name, typed)
    try:
        return importlib.util.resolve_name(typed, package)
    except ImportError:
        return ""


def _own(importer: str, name: str) -> str:
    try:
        return own_name(importer, name)
    except ImportError:
        return name


def _texts(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the texts of a source that may name files; those with gaps, such as f-strings, as patterns."""
    pieces = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        found = []
        if isinstance(node, ast.JoinedStr):
            found = ["".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            found = [node.value, node.value.lstrip("/"), _pattern(node.value)]  # `FOLDER + "/config.json"`
        yield from (
            text
            for text in found
            if len(text) <= LONGEST_NAME and not re.search(r"[\0\n]", text) and re.search(r"\w\w", text)
        )


def _pattern(text: str) -> str:
    """Return a pattern for the end of a name, such as `.json` or `_0.json`, or for a name with `{}` or `%s`."""
    if re.fullmatch(r"(?:[_-][\w.-]*)?\.\w{2,12}", text):
        return f"*{text}"
    return re.sub(r"\{[^{}]*\}|%(?:\(\w+\))?[-\d.]*[a-z]", "*", text) if re.search(r"\.\w{1,12}$", text) else ""


def _matching(folder: Path, text: str) -> Iterator[Path]:
    """Yield the files that a text names in a folder. A pattern names no source code.

    Empty files are left out, and logs: what a network writes while it runs is no part of it.
    """
    if "*" in text:
        names = islice(glob.iglob(os.path.join(glob.escape(str(folder)), text), recursive=True), MOST_FILES)
        paths = [Path(name) for name in names if not name.endswith((".py", ".pyc"))]
    else:
        paths = [folder / os.path.expanduser(text)]
    yield from (path for path in paths if path.suffix != ".log" and os.path.isfile(path) and os.path.getsize(path))


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return ""


def _spec(name: str) -> ModuleSpec | None:
    """Return where a module is, without importing it or a package above it; None if it is not found."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        known: ModuleSpec | None = getattr(loaded, "__spec__", None)
        return known or (None if file is None else ModuleSpec(name, None, origin=file))
    above = name.rpartition(".")[0]
    try:
        if not above:
            return importlib.util.find_spec(name)
        places = _spec(above)
        found = None if places is None else places.submodule_search_locations
        return None if found is None else PathFinder.find_spec(name, list(found))
    except (ImportError, AttributeError, ValueError):
        return None


def _has_version(path: Path) -> bool:
    """Whether a file belongs to Python, or to a distribution whose version names its content."""
    if not path.is_absolute():  # "built-in" and "frozen"
        return True
    site = next((each for each in path.parents if each.name in ("site-packages", "dist-packages")), None)
    if site is None:
        return any(path.is_relative_to(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
    inside = path.relative_to(site)
    return f"\n{inside.as_posix()}," in _records(site) or f"\n{inside.parts[0]}/\n" in _records(site)


@cache
def _records(site: Path) -> str:
    """Return the lists of files of the distributions in a folder that were installed from an index."""
    texts = ["\n"]
    for each in distributions(path=[str(site)]):
        if _from_index(each):
            tops = (each.read_text("top_level.txt") or "").split()
            texts.append(each.read_text("RECORD") or "".join(f"\n{top}/\n" for top in tops))
    return "\n".join(texts)


def _from_index(distribution: Distribution) -> bool:
    """Whether a distribution was not installed from a folder, a repository or a local file, which may change."""
    direct = distribution.read_text("direct_url.json")
    if direct is None or (distribution.read_text("INSTALLER") or "").strip() == "conda":  # conda builds from folders
        return True
    try:
        origin = loads(direct)
        return "archive_info" in origin and not str(origin.get("url", "")).startswith("file:")
    except (ValueError, AttributeError):
        return False
