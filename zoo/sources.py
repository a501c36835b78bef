"""Hashes of source code: part of a run's key, so that changed code is never served an old result."""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def source_hash(package: str) -> str:
    """A short sha256 over the Python files of a package or module, found without importing what is in it."""
    spec = find_spec(package)
    if spec is None:
        return ""
    roots = [Path(place) for place in spec.submodule_search_locations or []]
    files = [(path.relative_to(root), path) for root in roots for path in root.rglob("*.py")]
    if not roots and spec.origin:
        files = [(Path(spec.origin).relative_to(Path(spec.origin).parent), Path(spec.origin))]
    digest = hashlib.sha256()
    for name, path in sorted(files):
        digest.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def factory_hash(factory: str) -> str:
    """The hash of the package in which a spec's factory lives."""
    return source_hash(factory.partition(":")[0].partition(".")[0])
