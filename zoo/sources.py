"""Hashes of source code. They are part of a run's key, so that changed code never reuses an old result."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from zoo.imported import imported_files
from zoo.standalone import PREFIX


@cache
def source_hash(package: str) -> str:
    """Return a short sha256 of the Python files of a package or module, without importing it."""
    spec = find_spec(package)
    if spec is None:
        return ""
    roots = [Path(place) for place in spec.submodule_search_locations or []]
    files = [(path.relative_to(root), path) for root in roots for path in root.rglob("*.py")]
    if not roots and spec.origin:
        files = [(path.relative_to(Path(spec.origin).parent), path) for path in _with_neighbours(Path(spec.origin))]
    digest = hashlib.sha256()
    for name, path in sorted(files):
        digest.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _with_neighbours(module: Path) -> set[Path]:
    """Return a single module with the modules beside it that it imports, directly or through each other.

    Among installed distributions, return the module alone: the modules beside it belong to other distributions.
    """
    found, waiting = {module}, [module]
    if any(module.parent.glob("*.dist-info")):
        return found
    while waiting:
        for name in _imported(waiting.pop()):
            beside = module.parent / f"{name}.py"
            new = {beside} if beside.is_file() else set((module.parent / name).rglob("*.py"))
            waiting += new - found
            found |= new
    return found


def _imported(path: Path) -> set[str]:
    """Return the top-level names that a module imports; none if it cannot be parsed."""
    try:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
    except (OSError, SyntaxError, ValueError):
        return set()
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in plain | named}


def factory_hash(factory: str) -> str:
    """Return the hash of the package that contains a factory; "" for a factory in a file, which is in no package."""
    return "" if factory.startswith(PREFIX) else source_hash(factory.partition(":")[0].partition(".")[0])


def beyond(factories: Iterable[str]) -> dict[str, str]:
    """Return the hashes of the files that factories reach, apart from the modules of the packages that contain them."""
    modules = [factory.partition(":")[0] for factory in factories]
    packages = {module.partition(".")[0] for module in modules}
    found = {name: digest for module in modules for name, digest in imported_files(module).items()}
    return {name: digest for name, digest in found.items() if ":" in name or name.partition(".")[0] not in packages}
