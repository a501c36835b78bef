"""A worker process: how it begins, and why it died."""

import re
import sys
import warnings
from collections.abc import Iterable

import torch

GUESSES = (" Some common causes", " There are some potential root causes")  # with which Ray goes on


def set_up(paths: Iterable[str]) -> None:
    """Import from where the driver does, on one thread; rows from the object store cannot be written to."""
    import_from(paths)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")


def import_from(paths: Iterable[str]) -> None:
    """Look for modules in these places too."""
    sys.path += [path for path in paths if path not in sys.path]


def cause_of_death(text: str) -> str:
    """In one line, what Ray says of why a worker died, without its guesses."""
    detail = re.search(r"exit detail: (.*)", text)
    line = detail[1] if detail else next((line for line in reversed(text.splitlines()) if line.strip()), "")
    for guess in GUESSES:
        line, _, _ = line.partition(guess)
    return " ".join(line.split())[:300]
