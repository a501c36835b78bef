"""Column names of tables."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import DataError, unknown_name

_FROM_THE_END = re.compile("-[1-9][0-9]{0,8}")


def column_name(path: Path, names: Sequence[str], asked: str) -> str:
    """Return the requested column, given by name or by position from the end. Raises DataError if there is none."""
    if asked in names:
        return asked
    if _FROM_THE_END.fullmatch(asked) and int(asked[1:]) <= len(names):
        return names[int(asked)]
    hint = f"It has {len(names)} columns, from {names[0]!r} to {names[-1]!r}; -1 is the last."
    raise DataError(f"{path}: {unknown_name('column', asked, names, hint)}")


def check_one_meaning(path: Path, names: Sequence[str], asked: str) -> None:
    """Raise DataError if the requested column is one by its name and another by its position: `-1` of -2, -1, label."""
    if asked in names and _FROM_THE_END.fullmatch(asked) and int(asked[1:]) <= len(names):
        placed = names[int(asked)]
        if placed != asked:
            raise DataError(
                f"{path}: {asked!r} is the name of a column, and as a position it is the column {placed!r}; use "
                f"{placed!r}, or rename the column"
            )


def named(fields: Sequence[str]) -> list[str]:
    """Return column names, those that are empty in the form of pandas: `Unnamed: 0`."""
    return [field or f"Unnamed: {place}" for place, field in enumerate(fields)]


def checked_names(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names. Raises DataError if one is empty or repeated."""
    if not all(names):
        raise DataError(
            f"{path}: column {list(names).index('') + 1} of {len(names)} has no name; "
            "name it, or remove it if it only numbers the rows"
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}: {len(twice)} column names are repeated, {twice[0]!r} first; rename them")
    return tuple(names)
