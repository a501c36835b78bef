"""Worker processes: their set-up, and the cause of their death."""

import faulthandler
import re
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

import torch

from zoo.workers.forks import die_with_parent, guard_forks

GUESSES = (" Some common causes", " There are some potential root causes")  # the texts before Ray's guesses
DISCONNECTED = "connection error code 2"  # all that Ray knows of a process that is no longer there
UNKNOWN = "it was killed, probably by signal SIGKILL, or it ended itself"
OUT_OF_MEMORY = "it was killed because the machine ran out of memory"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r"\s*\((?:pid|ip|actor_id)=[^)]*\)")


def set_up(paths: Iterable[str]) -> None:
    """Use the import paths of the driver and one thread, and accept read-only rows from the object store.

    The process ends with the Ray node, whatever it is doing, and reports its crashes to the run it works on.
    """
    die_with_parent()
    guard_forks()
    faulthandler.disable()  # Ray has enabled it, for a log that nobody reads
    import_from(paths)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")


def import_from(paths: Iterable[str]) -> None:
    """Add these paths to the import paths."""
    sys.path += [path for path in paths if path not in sys.path]


def cause_of_death(text: str) -> str:
    """Return the reason for the death of a worker in one line, from Ray's text, without its guesses and addresses."""
    if "OutOfMemoryError" in text or "running low on memory" in text:
        return OUT_OF_MEMORY
    detail = re.search(r"exit detail: (.*)", text)
    line = detail[1] if detail else next((line for line in reversed(text.splitlines()) if line.strip()), "")
    if DISCONNECTED in line:
        return UNKNOWN
    for guess in GUESSES:
        line, _, _ = line.partition(guess)
    return " ".join(_PLACE.sub("", _COLOUR.sub("", line)).split())[:300]


def out_of_memory_kills() -> int:
    """Return how many processes the system has killed since its start because memory ran out; 0 if this is unknown."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(counts.get("oom_kill", 0))
