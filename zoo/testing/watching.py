"""Sees what code does beside its task: what it writes outside the temporary folder, and what global state it changes.

Imports nothing heavy: it also watches a plugin while it is imported, which is to import nothing heavy itself.
"""

import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from zoo.factories import load_factory

# Audit events by which files change, and which of their arguments are paths. Python raises them before it does so.
# Names that are relative to an open folder, not to the working folder, are of a tree that is being removed: shutil's
# own event says which.
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
HAS_FOLDER = frozenset({"os.mkdir", "os.remove", "os.rmdir"})  # whose last argument is that folder, or -1
PYTHON = "the seed of Python's random numbers"
DRAWN = 2000
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass
class Seen:
    """What was written, as paths, and what was changed, in words: complete when the watch has ended."""

    writes: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


_watches: list[Seen] = []


@contextmanager
def watched() -> Iterator[Seen]:
    """Watch this process while a block runs.

    A write into the temporary folder is none, unless the working folder is in there and the write is into that. Code
    that is not Python's can write unseen.
    """
    _listen()
    gettempdir()  # which is found by writing to it, when it is first asked for
    seen, before = Seen(), _state()
    _watches.append(seen)
    try:
        yield seen
    finally:
        _watches.pop()
        after = _state()
        changed = [name for name in after if name in before and after[name] != before[name]]
        seen.changes += [name for name in changed if name != PYTHON or not _moved_on(before[name], after[name])]


@cache
def imported(factory: str) -> Seen:
    """What the import of a factory brings about: nothing, where something else has imported its module before."""
    with watched() as seen:
        load_factory(factory)
    return seen


@cache
def _listen() -> None:
    """Python knows no way to take an audit hook away, so there is one, which does nothing while no one watches."""
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
    """The path in full where it is no place to write to; "" where it is, as a temporary folder or Python's cache."""
    if not isinstance(path, str | bytes | os.PathLike) or path in (":memory:", ""):
        return ""
    name = os.path.abspath(os.fsdecode(path))
    parts, temporary, here = Path(name).parts, Path(gettempdir()).resolve(), Path(os.getcwd())
    if "__pycache__" in parts or parts[1:2] in (("dev",), ("proc",)):
        return ""
    within = any(Path(name).is_relative_to(folder) for folder in (temporary, gettempdir()))
    own = here.is_relative_to(temporary) and here != temporary and Path(name).is_relative_to(here)
    return "" if within and not own else name


def _of_all(message: Any, category: Any, module: Any) -> bool:
    """Whether a filter is about warnings of anyone's, not about a message, a module or a category of one's own."""
    return message is None and module is None and category.__module__ == "builtins"


def _moved_on(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether some numbers were drawn, which libraries do for a name or two, and no seed was set."""
    numbers = random.Random()
    numbers.setstate((3, before, None))
    for _ in range(DRAWN):
        numbers.getrandbits(32)
        if numbers.getstate()[1] == after:
            return True
    return False


def _state() -> dict[str, Any]:
    """What all code in a process shares, by its name; of torch and NumPy where they have been imported."""
    state: dict[str, Any] = {
        "the filters of warnings": [each for each in warnings.filters if _of_all(*each[1:4])],
        PYTHON: random.getstate()[1],
    }
    if numpy := sys.modules.get("numpy"):
        name, keys, *rest = numpy.random.get_state()
        state["the random numbers of NumPy"] = (name, keys.tobytes(), *rest)
        state["NumPy's handling of errors"] = numpy.geterr()
    if torch := sys.modules.get("torch"):
        state["the random numbers of torch"] = torch.get_rng_state().numpy().tobytes()
        state["torch's default type"] = torch.get_default_dtype()
        state["torch's threads"] = torch.get_num_threads()
        state["torch's gradient mode"] = torch.is_grad_enabled()
    return state
