"""Files that are either whole or not there."""

import contextlib
import hashlib
import os
from pathlib import Path

from zoo.errors import StoreError


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write to a temporary name beside `path`, sync, and rename. Raises StoreError where that fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # it may not be there, or not be ours to remove
            temporary.unlink()
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal. Raises StoreError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
