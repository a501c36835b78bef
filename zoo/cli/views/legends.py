"""Lines below tables: those that explain the columns, once for all tables that have the same."""

from collections.abc import Iterable, Sequence
from itertools import pairwise


def shared_lines(tables: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines that all of several tables have; none for one table."""
    return [] if len(tables) < 2 else [line for line in tables[0] if all(line in other for other in tables[1:])]


def number_ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as ranges: `2-5, 7`."""
    found = list(numbers)
    ends = [0, *(place for place, (one, other) in enumerate(pairwise(found), start=1) if other > one + 1), len(found)]
    parts = [found[begin:end] for begin, end in pairwise(ends) if begin < end]
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
