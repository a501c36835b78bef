"""The arrays of one `.npz` archive, read as they are asked for. Nothing is unpickled."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow

from zoo.data.checks import check_file, one_line
from zoo.data.keys import keys_of
from zoo.data.series import Ints
from zoo.errors import DataError, unknown_name


class NpzFile:
    """An open archive.

    path   the file
    names  its arrays
    read   those that were read so far
    """

    def __init__(self, path: Path, archive: Any) -> None:
        self.path = path
        self.names: tuple[str, ...] = tuple(archive.files)
        self.read: set[str] = set()
        self._archive = archive

    def array(self, name: str) -> npt.NDArray[Any]:
        """One array. Raises DataError where it is absent, damaged, too large, or holds objects."""
        if name not in self.names:
            hint = f"It has {len(self.names)}, from {self.names[0]!r}." if self.names else ""
            raise DataError(f"{self.path}: {unknown_name('array', name, self.names, hint)}")
        self.read.add(name)
        try:
            found = self._archive[name]
        except MemoryError as error:
            raise DataError(f"{self.what(name)} does not fit into memory; save it as float32, or fewer rows") from error
        # zipfile, zlib and numpy's parser of headers let errors of any type through from damaged files.
        except Exception as error:
            if str(error).startswith("Object arrays"):
                raise DataError(
                    f"{self.what(name)} holds objects, which are never unpickled; save numbers or text, and series of "
                    "unequal lengths padded with NaN at the end"
                ) from error
            raise DataError(
                f"{self.what(name)} is cut short or damaged; write the file again ({one_line(error)})"
            ) from error
        if not isinstance(found, np.ndarray):
            raise DataError(f"{self.path}: {name!r} is no array of numpy's; write the file with numpy.savez")
        return found

    def keys(self, name: str, rows: int) -> npt.NDArray[Any]:
        """An array of labels, groups or lengths: int64 `(rows,)` where all are whole numbers, else text.

        Raises DataError where it has another shape, or a value is missing or is neither a whole number nor text.
        """
        array = self.array(name)
        if array.shape != (rows,):
            raise DataError(f"{self.what(name)} has the shape {array.shape}, not ({rows},): it holds one value a row")
        return keys_of(self._cells(name, array), self.what(name), lambda row: f"{name}[{row}]")

    def _cells(self, name: str, array: npt.NDArray[Any]) -> Any:
        """The values as a `pyarrow.ChunkedArray`."""
        if array.dtype.kind == "U":
            try:
                return pyarrow.chunked_array([pyarrow.array(array.tolist(), pyarrow.string())])
            except UnicodeError as error:
                raise DataError(
                    f"{self.what(name)} holds text that is no Unicode (lone surrogates); save it again"
                ) from error
        kind = {"f": np.float64, "i": np.int64, "u": np.uint64, "b": np.int64}.get(array.dtype.kind)
        if kind is None:
            raise DataError(f"{self.what(name)} holds {array.dtype}; save whole numbers or text (`.astype(str)`)")
        return pyarrow.chunked_array([pyarrow.array(array.astype(kind))])

    def lengths(self, name: str, rows: int, times: int) -> Ints:
        """An array of lengths, int64 `(rows,)` in 1 to `times`. Raises DataError."""
        lengths = self.keys(name, rows)
        if lengths.dtype != np.int64:
            raise DataError(f"{self.what(name)} holds text; lengths are whole numbers")
        broken = np.flatnonzero((lengths < 1) | (lengths > times))
        if broken.size:
            raise DataError(
                f"{self.what(name)} is {lengths[broken[0]]} at {name}[{broken[0]}]; lengths are 1 to {times}, the "
                "width of the series"
            )
        return lengths

    def one_of(self, names: Sequence[str], noun: str, way_out: str) -> str:
        """The one of these names that there is. Raises DataError where there is none, or more than one."""
        found = [name for name in names if name in self.names]
        if not found:
            have = ", ".join(self.names[:8]) or "nothing"
            raise DataError(
                f"{self.path}: no array of {noun}: it is called {' or '.join(names)}; there is {have}{way_out}"
            )
        if len(found) > 1:
            raise DataError(f"{self.path}: {' and '.join(found)} could both be the {noun}; keep one{way_out}")
        return found[0]

    def what(self, name: str) -> str:
        """An array as messages name it."""
        return f"{self.path}: array {name!r}"


@contextmanager
def opened(path: Path) -> Iterator[NpzFile]:
    """The archive, open. Raises DataError, one line with the way out, where there is none."""
    check_file(path)
    # Opened here, as numpy leaves a file open that it takes for an archive and cannot read.
    with path.open("rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
        except Exception as error:
            raise DataError(
                f"{path} is no .npz archive, or is cut short or damaged; write it again with numpy.savez"
            ) from error
        if not hasattr(archive, "files"):
            raise DataError(f"{path} holds one array without a name; write it with numpy.savez(path, X=…, y=…)")
        with archive:
            yield NpzFile(path, archive)
