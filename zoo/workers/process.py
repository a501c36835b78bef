"""Worker processes: their set-up, and the cause of their death."""

import re
import sys
import warnings
from collections.abc import Iterable

import torch

GUESSES = (" Some common causes", " There are some potential root causes")  # the texts before Ray's guesses


def set_up(paths: Iterable[str]) -> None:
    """Use the import paths of the driver and one thread, and accept read-only rows from the object store."""
    import_from(paths)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")


def import_from(paths: Iterable[str]) -> None:
    """Add these paths to the import paths."""
    sys.path += [path for path in paths if path not in sys.path]


def cause_of_death(text: str) -> str:
    """Return Ray's reason for the death of a worker in one line, without its guesses."""
    detail = re.search(r"exit detail: (.*)", text)
    line = detail[1] if detail else next((line for line in reversed(text.splitlines()) if line.strip()), "")
    for guess in GUESSES:
        line, _, _ = line.partition(guess)
    return " ".join(line.split())[:300]
