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
    hint = f"The file has {len(names)} columns, from {names[0]!r} to {names[-1]!r}; -1 is the last."
    raise DataError(f"{path}: {unknown_name('column', asked, names, hint)}")


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
