"""How much memory a file will need, before it is read: a small file can unpack to more than there is."""

from pathlib import Path

import psutil

from zoo.errors import DataError

CONTAINER = Path("/sys/fs/cgroup")  # where Linux states the limits of a container


def check_fits(needed: int, what: str, way_out: str) -> None:
    """Raise DataError if this number of bytes is more than the free memory."""
    free = free_memory()
    if needed > free:
        raise DataError(f"{what} needs {size_text(needed)} of memory, and {size_text(free)} are free; {way_out}")


def free_memory(container: Path = CONTAINER) -> int:
    """Return the bytes that this process can still use: those of the machine, or of its container if it has a limit."""
    free = int(psutil.virtual_memory().available)
    try:
        limit = int((container / "memory.max").read_text())
        used = int((container / "memory.current").read_text())
        cached = dict(line.split() for line in (container / "memory.stat").read_text().splitlines())
        return min(free, limit - used + int(cached["file"]))
    except (OSError, ValueError, KeyError):  # no container, or one without a limit
        return free


def size_text(number: int) -> str:
    """Return a number of bytes as text: `3.5 GiB`, `12 MiB`."""
    return f"{number / 2**30:,.1f} GiB" if number >= 2**30 else f"{number / 2**20:,.0f} MiB"
