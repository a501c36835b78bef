"""The arrays of one `.npz` archive, each read when it is requested. Nothing is unpickled."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.checks import check_file, one_line
from zoo.data.keys import Cells, arrow_of, keys_of
from zoo.data.memory import check_fits
from zoo.data.series import Ints
from zoo.errors import DataError, unknown_name


class NpzFile:
    """An open archive.

    path   the file
    names  the names of its arrays
    read   the names of the arrays that have been read
    """

    def __init__(self, path: Path, archive: Any) -> None:
        self.path = path
        self.names: tuple[str, ...] = tuple(archive.files)
        self.read: set[str] = set()
        self._archive = archive

    def array(self, name: str) -> npt.NDArray[Any]:
        """Read one array. Raises DataError if it is absent, damaged, too large, or holds objects."""
        if name not in self.names:
            hint = f"The file has {len(self.names)} arrays, first {self.names[0]!r}." if self.names else ""
            raise DataError(f"{self.path}: {unknown_name('array', name, self.names, hint)}")
        self.read.add(name)
        self._check_size(name)
        try:
            found = self._archive[name]
        except MemoryError as error:
            way_out = "save it as float32, or save fewer rows"
            raise DataError(f"{self.what(name)} does not fit into memory; {way_out}") from error
        # For damaged files, zipfile, zlib and numpy's parser of headers raise errors of many types.
        except Exception as error:
            if str(error).startswith("Object arrays"):
                raise DataError(
                    f"{self.what(name)} holds objects, which are never unpickled; save numbers or text, and series of "
                    "unequal lengths padded with NaN at the end (pandas stores text as objects: save it as "
                    "np.asarray(column, dtype=str))"
                ) from error
            raise DataError(
                f"{self.what(name)} is cut short or damaged; write the file again ({one_line(error)})"
            ) from error
        if not isinstance(found, np.ndarray):
            raise DataError(f"{self.path}: {name!r} is not a NumPy array; write the file with numpy.savez")
        return found

    def _check_size(self, name: str) -> None:
        """Raise DataError if an array does not fit in memory, together with its float32 copy."""
        for entry in self._archive.zip.infolist():
            if entry.filename in (name, f"{name}.npy"):
                way_out = "save it as float32, or save fewer rows"
                check_fits(2 * entry.file_size, self.what(name), way_out)

    def cells(self, name: str, rows: int) -> Cells:
        """Return an array of labels, groups or lengths. Raises DataError if it has another shape, or holds objects."""
        array = self.array(name)
        if array.shape != (rows,):
            way_out = {(rows, 1): f"; save {name}.ravel()"}.get(array.shape, "")
            if array.ndim == 2 and array.shape[0] == rows and array.shape[1] > 1:
                way_out = f"; if it has a column for each class, save {name}.argmax(axis=1)"
            raise DataError(
                f"{self.what(name)} has the shape {array.shape}, not ({rows},): it needs one value per row{way_out}"
            )
        return Cells(arrow_of(array, self.what(name)), self.what(name), lambda row: f"{name}[{row}]")

    def lengths(self, name: str, rows: int, times: int) -> Ints:
        """Return an array of lengths, int64 `(rows,)` from 1 to `times`. Raises DataError for any other value."""
        lengths = keys_of(self.cells(name, rows))
        if lengths.dtype != np.int64:
            raise DataError(f"{self.what(name)} holds text; lengths are whole numbers")
        broken = np.flatnonzero((lengths < 1) | (lengths > times))
        if broken.size:
            raise DataError(
                f"{self.what(name)} is {lengths[broken[0]]} at {name}[{broken[0]}]; lengths range from 1 to {times}, "
                "the width of the series"
            )
        return lengths

    def one_of(self, names: Sequence[str], noun: str, way_out: str) -> str:
        """Return the one of these names that the file has. Raises DataError if it has none, or more than one."""
        found = [name for name in names if name in self.names]
        if not found:
            have = ", ".join(self.names[:8]) or "no array"
            if "arr_0" in self.names:
                way_out = "; name the arrays: numpy.savez(path, X=…, y=…)"
            raise DataError(
                f"{self.path}: no array of {noun}: expected {' or '.join(names)}; the file has {have}{way_out}"
            )
        if len(found) > 1:
            raise DataError(f"{self.path}: {' and '.join(found)} could both be the {noun}; keep one{way_out}")
        return found[0]

    def what(self, name: str) -> str:
        """Return the name of an array in messages."""
        return f"{self.path}: array {name!r}"


@contextmanager
def opened(path: Path) -> Iterator[NpzFile]:
    """Open an archive. Raises DataError, in one line with the way out, if the file is not an archive."""
    check_file(path)
    # Opened here: numpy does not close a file that it takes for an archive but cannot read.
    with path.open("rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
        except Exception as error:
            raise DataError(
                f"{path} is not an .npz archive, or is cut short or damaged; write it again with numpy.savez"
            ) from error
        if not hasattr(archive, "files"):
            raise DataError(f"{path} holds one array without a name; write it with numpy.savez(path, X=…, y=…)")
        with archive:
            yield NpzFile(path, archive)
