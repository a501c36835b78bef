"""Checks of files and rows, the same for every file format."""

import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zoo.data.lengths import within
from zoo.data.series import Floats, Ints
from zoo.errors import LONGEST_REASON, DataError, UsageError
from zoo.paths import why_not
from zoo.visible import abridged, is_unicode
from zoo.wording import count_text

CONSTANT = ("error", "keep", "drop")


def check_file(path: Path) -> None:
    """Raise DataError unless `path` is a readable file that is not empty, with a name that can be stored."""
    if not is_unicode(path.name):
        raise DataError(f"{str(path)!r} cannot be read: the name is not UTF-8; rename the file")
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"{path} is a folder; name a file in it")
        if not stat.S_ISREG(mode):
            raise DataError(f"{path} is not a regular file; copy the data to one")
        with path.open("rb") as file:
            if not file.read(1):
                raise DataError(f"{path} is empty; write or download it again")
    except FileNotFoundError as error:
        raise DataError(f"there is no file {str(path)!r}; check its name and the folder you are in") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)!r} cannot be read: {why_not(error)}") from error


def rows_to_keep(values: Floats, constant: str, source: str, place: Callable[[int], str]) -> npt.NDArray[np.bool_]:
    """Return bool `(rows,)`, false for the constant rows of `(rows, times)` that `constant="drop"` leaves out.

    Raises DataError for constant rows if `constant` is "error", UsageError for an unknown value of `constant`.
    """
    return kept_of(flat_rows(values[:, np.newaxis]), constant, source, place)


def flat_rows(values: Floats, lengths: Ints | None = None) -> npt.NDArray[np.bool_]:
    """Return bool `(rows,)`: which rows `(rows, channels, times)` are constant in every channel, up to their end."""
    same = values == values[:, :, :1]
    if lengths is not None:
        same |= ~within(lengths, values.shape[2])
    flat: npt.NDArray[np.bool_] = same.all(axis=(1, 2))
    return flat


def kept_of(
    flat: npt.NDArray[np.bool_], constant: str, source: str, place: Callable[[int], str]
) -> npt.NDArray[np.bool_]:
    """Do the same as `rows_to_keep`, given the constant rows."""
    if constant not in CONSTANT:
        raise UsageError(f"constant must be one of {', '.join(CONSTANT)}, not {constant!r}")
    if constant == "keep" or not flat.any():
        return np.ones(len(flat), np.bool_)
    if constant == "error":
        raise DataError(
            f"{source}: {count_text(int(flat.sum()), 'row')} where all samples are equal, the first at "
            f"{place(int(np.argmax(flat)))}; `--set dataset.constant=drop` leaves them out, `keep` keeps them"
        )
    if flat.all():
        raise DataError(
            f"{source}: no row is left: all samples are equal in {count_text(len(flat), 'row')} of {len(flat)}; "
            "`--set dataset.constant=keep` keeps them"
        )
    kept: npt.NDArray[np.bool_] = ~flat
    return kept


def dropped_note(kept: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    """Return a tuple with a note on the constant rows that were left out, or an empty tuple if there were none."""
    dropped = int(np.count_nonzero(~kept))
    return (f"{dropped} of {len(kept)} rows left out: all their samples are equal",) if dropped else ()


def one_line(error: BaseException) -> str:
    """Return the message of another library's error without its line breaks."""
    return abridged(" ".join(str(error).split()), LONGEST_REASON)
