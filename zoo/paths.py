"""Paths that users write: their kind, and why a path cannot be used. Only `expanded` raises an error."""

import errno
import os
import stat
from pathlib import Path

from zoo.errors import UsageError

_OUTCOMES = {
    errno.ENAMETOOLONG: "File name too long; choose a shorter one",
    errno.EACCES: "Permission denied; check its permissions",
    errno.EPERM: "Operation not permitted; check its permissions",
}


def is_file(path: Path) -> bool:
    """Return whether this is a file; false, without an error, for a name that no file can have."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Return whether this is a folder; false, without an error, for a name that no folder can have."""
    return os.path.isdir(path)


def why_not(error: OSError | ValueError) -> str:
    """Return why a path cannot be read, given the error of the system, and the way out if there is one."""
    if isinstance(error, OSError):
        return _OUTCOMES.get(error.errno or 0, error.strerror or str(error))
    return "the name contains a NUL character" if "null" in str(error) else "the name is not valid text"


def unreadable(path: Path) -> str:
    """Return why a path is not a file that can be read, or "". Does not wait for a pipe or a device."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        return why_not(error)
    if stat.S_ISDIR(mode):
        return "it is a folder; name a file in it"
    return "" if stat.S_ISREG(mode) else "it is not a regular file; copy its content to one"


def problem(path: Path) -> str:
    """Return in a sentence why a path is not a file that can be read, or ""."""
    reason = unreadable(path)
    if reason == os.strerror(errno.ENOENT):
        return f"there is no file {str(path)!r}"
    return f"{str(path)!r} cannot be read: {reason}" if reason else ""


def expanded(text: str) -> Path:
    """Return a path in which `~` is the home folder. Raises UsageError for an unknown user, and for an invalid name."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{text!r}: no home folder is known for {Path(text).parts[0]}; write the whole path") from None
    if "\0" in text:
        raise UsageError(f"{text!r} is no path: the name contains a NUL character")
    return path
