"""Record side effects of code: files written outside the temporary folder, and changes of global state.

This module imports nothing heavy: it also checks that the import of a plugin imports nothing heavy.
"""

import importlib
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from zoo.factories import load_factory
from zoo.surroundings.kept import kept

# Audit events that change files, with the positions of their path arguments. Python raises an event before the change.
# Paths relative to an open folder belong to a tree that shutil removes; the event of shutil reports that tree.
CHANGING = {
    "os.link": (1,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "shutil.rmtree": (0,),
    "sqlite3.connect": (0,),
}
HAS_FOLDER = frozenset({"os.mkdir", "os.remove", "os.rmdir"})  # their last argument is that folder, or -1
PYTHON = "Python's random seed"
DRAWN = 2000
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass
class Seen:
    """The written paths and the names of the changed state; complete after the watched block."""

    writes: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


_watches: list[Seen] = []


@contextmanager
def watched() -> Iterator[Seen]:
    """Watch this process while a block runs.

    Writes into the temporary folder are ignored, except those into a working folder inside it. Writes of non-Python
    code are not detected.
    """
    _listen()
    gettempdir()  # its first call writes a file to find the folder
    seen, before = Seen(), _random_states()
    _watches.append(seen)
    try:
        with kept(random=False) as changes:
            yield seen
    finally:
        _watches.pop()
        after = _random_states()
        drawn = [name for name in after if name in before and after[name] != before[name]]
        seen.changes += [name for name in drawn if name != PYTHON or not _moved_on(before[name], after[name])]
        seen.changes += changes.names


@cache
def imported(factory: str) -> Seen:
    """Import a factory and return the effects; there are none if its module has been imported before."""
    with watched() as seen, suppress(Exception, SystemExit):
        importlib.import_module(factory.partition(":")[0])
    load_factory(factory)
    return seen


@cache
def _listen() -> None:
    """Add one audit hook; Python cannot remove it, so it does nothing while nothing is watched."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _watches and (event == "open" or event in CHANGING):
        if event == "open" and not _writes(*arguments[1:3]):
            return
        if event in HAS_FOLDER and arguments[-1] != -1:
            return
        for place in (0,) if event == "open" else CHANGING[event]:
            path = _foreign(arguments[place])
            if path and path not in _watches[-1].writes:
                _watches[-1].writes.append(path)


def _writes(mode: str | None, flags: int) -> bool:
    return any(sign in (mode or "") for sign in "wax+") or bool(flags & WRITING_FLAGS)


def _foreign(path: Any) -> str:
    """Return the full path if a write to it is not allowed; "" for allowed paths such as the temporary folder."""
    if not isinstance(path, str | bytes | os.PathLike) or path in (":memory:", ""):
        return ""
    name = os.path.abspath(os.fsdecode(path))
    parts, temporary, here = Path(name).parts, Path(gettempdir()).resolve(), Path(os.getcwd())
    if "__pycache__" in parts or parts[1:2] in (("dev",), ("proc",)):
        return ""
    within = any(Path(name).is_relative_to(folder) for folder in (temporary, gettempdir()))
    own = here.is_relative_to(temporary) and here != temporary and Path(name).is_relative_to(here)
    return "" if within and not own else name


def _moved_on(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether random numbers were only drawn, as libraries do for temporary names, and no seed was set."""
    numbers = random.Random()
    numbers.setstate((3, before, None))
    for _ in range(DRAWN):
        numbers.getrandbits(32)
        if numbers.getstate()[1] == after:
            return True
    return False


def _random_states() -> dict[str, Any]:
    """Return the random states of the process by name; those of torch and NumPy only if they are imported."""
    state: dict[str, Any] = {PYTHON: random.getstate()[1]}
    if numpy := sys.modules.get("numpy"):
        name, keys, *rest = numpy.random.get_state()
        state["NumPy's random state"] = (name, keys.tobytes(), *rest)
    if torch := sys.modules.get("torch"):
        state["torch's random state"] = torch.get_rng_state().numpy().tobytes()
    return state
