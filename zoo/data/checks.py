"""The checks that rows go through, whatever file they came in."""

import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zoo.data.lengths import within
from zoo.data.series import Floats, Ints
from zoo.errors import DataError, UsageError
from zoo.wording import count_text

CONSTANT = ("error", "keep", "drop")


def check_file(path: Path) -> None:
    """Raise DataError unless there is a file that can be read and is not empty."""
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
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check its permissions") from error


def rows_to_keep(values: Floats, constant: str, source: str, place: Callable[[int], str]) -> npt.NDArray[np.bool_]:
    """bool `(rows,)`, false for the constant rows of `(rows, times)` that `constant="drop"` leaves out.

    Raises DataError where there are any and `constant` is "error"; UsageError where it is no known word.
    """
    return kept_of(flat_rows(values[:, np.newaxis]), constant, source, place)


def flat_rows(values: Floats, lengths: Ints | None = None) -> npt.NDArray[np.bool_]:
    """bool `(rows,)`: which rows of `(rows, channels, times)` stay at one value in each channel, up to their end."""
    same = values == values[:, :, :1]
    if lengths is not None:
        same |= ~within(lengths, values.shape[2])
    flat: npt.NDArray[np.bool_] = same.all(axis=(1, 2))
    return flat


def kept_of(
    flat: npt.NDArray[np.bool_], constant: str, source: str, place: Callable[[int], str]
) -> npt.NDArray[np.bool_]:
    """As `rows_to_keep`, where it is known which rows are constant."""
    if constant not in CONSTANT:
        raise UsageError(f"constant is {constant!r}; it is one of {', '.join(CONSTANT)}")
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
    """What to say of the constant rows that were left out: one note, or none where none were."""
    dropped = int(np.count_nonzero(~kept))
    return (f"{dropped} of {len(kept)} rows left out: all their samples are equal",) if dropped else ()


def one_line(error: BaseException) -> str:
    """What another library says of an error, without its line breaks."""
    return " ".join(str(error).split())
