"""A process that outlives a Ray session, and ends all that is left of it, even if its driver was killed.

Ray ends its own processes in an orderly way if the driver does. After a kill some of them live on for minutes, and so
may processes that a network has started. This file is also the program of that process: it imports nothing heavy.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

END_SECONDS = 10.0


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[None]:
    """When this context or this process ends, end all processes that have files open in the folder; needs /proc."""
    command = [sys.executable, "-I", "-S", __file__, str(folder), str(os.getpid())]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    watcher = subprocess.Popen(command, stdin=pipe, stdout=nothing, stderr=nothing, start_new_session=True)
    try:
        yield
    finally:
        assert watcher.stdin is not None
        watcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            watcher.wait(END_SECONDS)


def main(folder: str, driver: int) -> None:
    """Wait for the end of stdin, which the driver holds open, then end the processes, but not the driver's children."""
    sys.stdin.read()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or belongs to another user
            if int(entry.name) != driver and _parent(entry) != driver and _has_files_in(folder, entry):
                os.kill(int(entry.name), signal.SIGKILL)


def _has_files_in(folder: str, process: Path) -> bool:
    return any(_link(each).startswith(f"{folder}/") for each in (process / "fd").iterdir())


def _parent(process: Path) -> int:
    """Return the parent of a process, from the second field after its name in brackets."""
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
