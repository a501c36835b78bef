"""Files of a results store: places inside it, atomic writes, and hashes."""

import contextlib
import hashlib
import os
from pathlib import Path

from zoo.errors import StoreError

NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_LINK | getattr(os, "O_BINARY", 0)


def place_in(folder: Path, *names: str) -> Path:
    """Return the path of a file or folder below `folder`, which need not exist.

    Raises StoreError for a name that leads out of the folder, and for a symbolic link on the way.
    """
    path = folder
    for name in names:
        if name in ("", ".", "..") or Path(name).name != name:
            raise StoreError(f"{name!r} is no name of a file in {str(folder)!r}")
        path /= name
        if path.is_symlink():
            raise StoreError(f"{path} is a symbolic link, which a results folder must not contain: remove it")
    return path


def check_plain(folder: Path) -> None:
    """Raise StoreError if the folder contains anything but files and folders, at any depth; it need not exist."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = place_in(Path(parent), name)
            if not (path.is_file() or path.is_dir()) and path.exists():  # another process may have removed it
                raise StoreError(f"{path} is not a file, and a results folder must not contain it: remove it")


def make_folder(path: Path) -> None:
    """Create a folder, if it does not exist, and those above it. Raises StoreError if this fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be created: {error.strerror}") from error


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write to a temporary name beside `path`, sync, and rename. Raises StoreError if this fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(temporary, NEW, 0o666), "wb") as file:
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
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise StoreError(f"{path} cannot be read: it is not a file")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
