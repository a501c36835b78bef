"""The last words of a process that dies while it works on a run: a file in the folder of the run.

Python itself writes it when the process crashes, or when it is ended because it passed its time limit in code that
cannot be interrupted. An ordinary end removes it. So the next process can tell why the run did not end.
"""

import contextlib
import faulthandler
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from zoo.store.run import RunStatus

HUNG, DIED = "hung.txt", "died.txt"
LONGEST = 1000  # characters of the file that are read
SIGNALS = {
    "Segmentation fault": "SIGSEGV, segmentation fault",
    "Aborted": "SIGABRT, aborted",
    "Bus error": "SIGBUS, bus error",
    "Floating point exception": "SIGFPE, floating point exception",
    "Illegal instruction": "SIGILL, illegal instruction",
}
_FATAL, _EXIT = "Fatal Python error: ", "os._exit "


@contextlib.contextmanager
def last_words(folder: Path) -> Iterator[None]:
    """Write the reason to a file in the folder if the process dies in this context by a signal or by `os._exit`.

    If the process already reports its crashes elsewhere, they stay there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, leave, process = folder / DIED, os._exit, os.getpid()
    with path.open("w") as file, contextlib.ExitStack() as stack:

        def leave_with_words(status: int) -> NoReturn:
            if os.getpid() == process:  # not a fork, which ends like this
                file.write(f"{_EXIT}{status}\n")
                file.flush()
            leave(status)

        stack.callback(forget, folder)
        stack.callback(setattr, os, "_exit", leave)
        os._exit = leave_with_words
        if not faulthandler.is_enabled():
            faulthandler.enable(file)
            stack.callback(faulthandler.disable)
        yield


def end_of(folder: Path) -> tuple[RunStatus, str] | None:
    """Return how the process of a run has ended by its last words, as a status and an error; None without any."""
    if _text(folder / HUNG):
        return RunStatus.TIMEOUT, "exceeded its time limit in code that cannot be interrupted, so its process was ended"
    words = _text(folder / DIED).partition("\n")[0]
    if words.startswith(_EXIT):
        return RunStatus.FAILED, f"its process died: exit code {words.removeprefix(_EXIT)}"
    if words.startswith(_FATAL):
        reason = words.removeprefix(_FATAL)
        return RunStatus.FAILED, f"its process died: {f'signal {SIGNALS[reason]}' if reason in SIGNALS else reason}"
    return None


def forget(folder: Path) -> None:
    """Remove the last words of a process; another one continues the run."""
    with contextlib.suppress(OSError):  # the folder may be gone, or may hold more
        for name in (HUNG, DIED):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def _text(path: Path) -> str:
    try:
        with path.open(errors="replace") as file:
            return file.read(LONGEST)
    except OSError:
        return ""
