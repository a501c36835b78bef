"""Run code, and restore the global state that it changed."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from zoo.surroundings.functions import Functions, Hooks
from zoo.surroundings.numerics import numpy_settings, random_states, torch_settings
from zoo.surroundings.parts import Change, Part
from zoo.surroundings.process import PARTS, RANDOM

MOST = 5  # changes that a note lists


@dataclass
class Changes:
    """The changes of the global state by some code: those that were restored, and those that could not be."""

    restored: list[Change] = field(default_factory=list)
    left: list[Change] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [change.name for change in (*self.restored, *self.left)]

    def notes(self, culprit: str) -> tuple[str, ...]:
        """Return the changes as at most two notes of one line; `culprit` is the code that made them."""
        ends = ((self.restored, "restored after it"), (self.left, "could not be restored"))
        return tuple(f"{culprit} changed {_listed(changes)} ({end})" for changes, end in ends if changes)


@contextlib.contextmanager
def kept(changes: Changes | None = None, *, random: bool = True) -> Iterator[Changes]:
    """Restore the global state at the end, add its changes to `changes`, and yield them.

    The state of torch and NumPy is kept if they are imported. Random states are restored without a change: code draws
    random numbers. With `random=False` they stay.
    """
    found = Changes() if changes is None else changes
    quiet = (*RANDOM, *random_states()) if random else ()
    states = [(part, part.read()) for part in _parts()]
    drawn = [(part, part.read()) for part in quiet]
    try:
        yield found
    finally:
        for part, before in states:
            _restore(part, before, found)
        for part, before in drawn:
            part.restore(before)


def _parts() -> Iterator[Part]:
    """Yield the parts in the order of their restoration: functions first, since the others are read with them."""
    yield Functions()
    yield from PARTS
    if "numpy" in sys.modules:
        yield from numpy_settings()
    if "torch" in sys.modules:
        yield Hooks()
        yield from torch_settings()


def _restore(part: Part, before: Any, found: Changes) -> None:
    changes = part.changes(before)
    if not changes:
        return
    with contextlib.suppress(Exception):
        part.restore(before)
    left = part.changes(before)
    names = {change.name for change in left}
    found.left += left
    found.restored += [change for change in changes if change.name not in names]


def _listed(changes: list[Change]) -> str:
    words = [str(change) for change in changes[:MOST]]
    if more := len(changes) - MOST:
        words += [f"{more} more"] if more > 0 else []
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
