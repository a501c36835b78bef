"""Atomic writes and hashes of files."""

import contextlib
import hashlib
import os
from pathlib import Path

from zoo.errors import StoreError


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write to a temporary name beside `path`, sync, and rename. Raises StoreError if this fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # it may not exist, or we may not be allowed to remove it
            temporary.unlink()
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def sha256(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal. Raises StoreError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
