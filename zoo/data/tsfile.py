"""One `.ts` file, as the UCR/UEA archive, sktime and aeon have it.

Lines that begin with `#` are comments. A header of `@key value` lines ends with `@data`; keys in any case. Then one
line a row: the samples of a channel separated by commas, channels by colons, the class last.

    @timeStamps false
    @dimensions 2
    @classLabel true calm busy
    @data
    0.1,0.5,0.9:1.0,0.0,0.5:busy
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.checks import check_file
from zoo.data.series import Floats
from zoo.errors import DataError, unknown_name
from zoo.wording import count_text

_SHOWN = 24  # characters of a faulty cell that a message shows


@dataclass(frozen=True)
class TsFile:
    """The rows of a file.

    path        the file
    classes     what its header names, in that order
    n_channels  how many channels each row has
    series      float32 `(channels, times)` for each row, finite, of as many times as it has
    labels      the class of each row, one of `classes`
    lines       where each row stands, from 1 on
    """

    path: Path
    classes: tuple[str, ...]
    n_channels: int
    series: tuple[Floats, ...]
    labels: tuple[str, ...]
    lines: tuple[int, ...]

    def place(self, row: int) -> str:
        return f"line {self.lines[row]}"

    def take(self, kept: npt.NDArray[np.bool_]) -> "TsFile":
        """The rows that are kept."""
        return replace(
            self,
            series=tuple(compress(self.series, kept)),
            labels=tuple(compress(self.labels, kept)),
            lines=tuple(compress(self.lines, kept)),
        )


@dataclass(frozen=True)
class _Header:
    classes: tuple[str, ...]
    n_channels: int | None
    equal: bool


def read_ts(path: Path) -> TsFile:
    """The rows of a `.ts` file.

    Raises DataError, one line with the file, the line and the way out, where it is absent, empty, damaged or no such
    file; where it has time stamps, no classes or missing samples; and where the channels of a row differ in length.
    """
    check_file(path)
    with path.open("rb") as file:
        lines = _lines(path, file)
        return _read_rows(path, _read_header(path, lines), lines)


def _lines(path: Path, file: Any) -> Iterator[tuple[int, str]]:
    """The lines that are neither empty nor comments, by number. Comments may be in any encoding: the archive's are."""
    for number, line in enumerate(file, 1):
        stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not stripped or stripped.startswith(b"#"):
            continue
        try:
            text = stripped.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: line {number} is not UTF-8 text; write or download the file again") from error
        yield number, text


def _read_header(path: Path, lines: Iterator[tuple[int, str]]) -> _Header:
    found: dict[str, tuple[str, ...]] = {}
    for number, text in lines:
        if not text.startswith("@"):
            raise DataError(
                f"{path}: line {number} stands before @data and is no header line (@…), so this is no .ts file of the "
                "UCR/UEA form; convert it"
            )
        key, *words = text[1:].split() or [""]
        if key.lower() == "data":
            return _header(path, found)
        found[key.lower()] = tuple(words)
    raise DataError(
        f"{path}: there is no line @data, so the file is cut short or no .ts file; write or download it again"
    )


def _header(path: Path, found: Mapping[str, tuple[str, ...]]) -> _Header:
    true = {key for key, words in found.items() if words and words[0].lower() == "true"}
    if "timestamps" in true:
        raise DataError(f"{path}: @timeStamps true: series with time stamps are not read; resample them to equal steps")
    if "targetlabel" in true:
        raise DataError(f"{path}: @targetLabel true: this is a regression problem; data sets here have classes")
    if "classlabel" not in true:
        raise DataError(f"{path}: the header names no classes; add a line such as '@classLabel true a b'")
    classes = found["classlabel"][1:]
    if len(set(classes)) < max(2, len(classes)):
        raise DataError(
            f"{path}: @classLabel names {len(classes)} classes, {len(set(classes))} of them different; "
            "name two or more, each once"
        )
    return _Header(classes, _channels(path, found), "equallength" in true)


def _channels(path: Path, found: Mapping[str, tuple[str, ...]]) -> int | None:
    words = found.get("dimensions", found.get("dimension", ()))
    if not words:
        return None
    if not (words[0].isdecimal() and len(words[0]) < 10 and int(words[0])):
        raise DataError(f"{path}: @dimensions is {_short(words[0])!r}; it is the number of channels")
    return int(words[0])


def _read_rows(path: Path, header: _Header, lines: Iterator[tuple[int, str]]) -> TsFile:
    series: list[Floats] = []
    labels: list[str] = []
    numbers: list[int] = []
    known = frozenset(header.classes)
    for number, text in lines:
        where = f"{path}: line {number}"
        *channels, label = (cell.strip() for cell in text.split(":"))
        _check_channels(where, len(channels), series[0].shape[0] if series else header.n_channels)
        if label not in known:
            wrong = unknown_name("class", _short(label), header.classes, "@classLabel does not name it.")
            raise DataError(f"{where}: {wrong}")
        row = _row(where, [channel.split(",") for channel in channels])
        if header.equal and series and row.shape[1] != series[0].shape[1]:
            raise DataError(
                f"{where} has {row.shape[1]} samples and line {numbers[0]} {series[0].shape[1]}, though the "
                "header says @equalLength true; complete the line, or correct the header"
            )
        series.append(row)
        labels.append(label)
        numbers.append(number)
    if not series:
        raise DataError(f"{path}: there are no rows after @data; write or download the file again")
    return TsFile(path, header.classes, series[0].shape[0], tuple(series), tuple(labels), tuple(numbers))


def _check_channels(where: str, count: int, expected: int | None) -> None:
    if count != expected and (count == 0 or expected is not None):
        raise DataError(
            f"{where} has {count_text(count, 'channel')} before its class, not "
            f"{expected or 'one or more'}; complete it, or write or download the file again"
        )


def _row(where: str, channels: Sequence[Sequence[str]]) -> Floats:
    """float32 `(channels, times)` of the cells of a row's channels."""
    for number, cells in enumerate(channels, 1):
        if len(cells) != len(channels[0]):
            raise DataError(
                f"{where}: channel {number} has the length {len(cells)} and channel 1 {len(channels[0])}; "
                "the channels of a row are of one length: cut or fill them"
            )
    try:
        # What is too large for float32 becomes infinite, which is refused below by its place.
        with np.errstate(over="ignore"):
            numbers = np.fromiter(map(float, chain.from_iterable(channels)), np.float64)
            row = numbers.astype(np.float32).reshape(len(channels), -1)
    except ValueError as error:
        raise DataError(f"{where}, {_first_fault(channels)}") from error
    if not np.isfinite(row).all():
        raise DataError(f"{where}, {_first_fault(channels)}")
    return row


def _first_fault(channels: Sequence[Sequence[str]]) -> str:
    """What keeps a row from being read: slow, and only asked when reading failed."""
    faults = (
        f"channel {channel}, sample {sample}: {fault}"
        for channel, cells in enumerate(channels, 1)
        for sample, cell in enumerate(cells, 1)
        if (fault := _fault(cell.strip()))
    )
    return next(faults)


def _fault(cell: str) -> str:
    if cell.lower() in ("", "?", "nan"):
        return f"{cell!r} is a missing value; fill it in or take the row out"
    try:
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.float32(float(cell)))
    except ValueError:
        return f"{_short(cell)!r} is not a number; correct it, or write or download the file again"
    return "" if finite else f"{_short(cell)!r} is infinite or too large; correct it or take the row out"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
