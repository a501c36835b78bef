"""One `.ts` file, in the format of the UCR/UEA archive, sktime and aeon.

Lines that begin with `#` are comments. A header of `@key value` lines ends with `@data`; keys may be in any case. Each
line after it is one row: samples are separated by commas, channels by colons, and the class is last. Spaces separate
the classes in the header; a class that contains spaces is in quotes, or is recognized by its rows.

    @timeStamps false
    @dimensions 2
    @classLabel true calm busy
    @data
    0.1,0.5,0.9:1.0,0.0,0.5:busy
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo import numerals
from zoo.data.checks import check_file
from zoo.data.series import Floats
from zoo.errors import DataError, unknown_name
from zoo.wording import count_text

_SHOWN = 24  # characters of a faulty cell that a message shows
_OF_NUMBERS = b"0123456789+-.eE, \t"  # all that a channel consists of; `float` also reads other digits, signs and words
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")


@dataclass(frozen=True)
class TsFile:
    """The rows of a file.

    path        the file
    classes     the classes that the header names, in its order
    words       the words of the header from which the classes were put together
    n_channels  the number of channels of each row
    series      float32 `(channels, times)` for each row, finite; the rows may differ in length
    labels      the class of each row, one of `classes`
    lines       the line number of each row, counted from 1
    padded      whether a row ends with missing values in all channels; they are left out
    notes       notes on a header that does not describe the rows
    """

    path: Path
    classes: tuple[str, ...]
    words: tuple[str, ...]
    n_channels: int
    series: tuple[Floats, ...]
    labels: tuple[str, ...]
    lines: tuple[int, ...]
    padded: bool = False
    notes: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        return f"line {self.lines[row]}"

    def take(self, kept: npt.NDArray[np.bool_]) -> "TsFile":
        """Return the file with only the kept rows."""
        return replace(
            self,
            series=tuple(compress(self.series, kept)),
            labels=tuple(compress(self.labels, kept)),
            lines=tuple(compress(self.lines, kept)),
        )


@dataclass(frozen=True)
class _Header:
    """What a header declares.

    words   the classes, or the words of which they consist
    quoted  whether classes are in quotes
    length  the length of all series, if it is declared
    """

    words: tuple[str, ...]
    quoted: bool
    n_channels: int | None
    equal: bool
    length: int | None


def read_ts(path: Path) -> TsFile:
    """Read the rows of a `.ts` file.

    Raises DataError, in one line with the file, the line and the way out, if the file is absent, empty, damaged or not
    a `.ts` file; if it has time stamps, no classes or missing samples; or if the channels of a row differ in length.
    """
    check_file(path)
    with path.open("rb") as file:
        lines = _lines(path, file)
        return _read_rows(path, _read_header(path, lines), lines)


def _lines(path: Path, file: Any) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that are neither empty nor comments. Comments may be in any encoding."""
    for number, line in enumerate(file, 1):
        stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
        if b"\r@" in stripped or (b"\r" in stripped and not stripped.startswith(b"#")):
            raise DataError(
                f"{path}: line {number} holds several lines that end with CR, as on old Macs; save the file with the "
                "line ends LF or CRLF"
            )
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
                f"{path}: line {number} comes before @data but does not start with @, so this is not a .ts file in "
                "UCR/UEA format; convert it"
            )
        key, *words = text[1:].split() or [""]
        if key.lower() == "data":
            return _header(path, found)
        found[key.lower()] = _in_quotes(text) or tuple(words)
    raise DataError(
        f"{path}: there is no line @data, so the file is cut short or not a .ts file; write or download it again"
    )


def _header(path: Path, found: Mapping[str, tuple[str, ...]]) -> _Header:
    true = {key for key, words in found.items() if words and words[0].lower() == "true"}
    if "timestamps" in true:
        raise DataError(f"{path}: @timeStamps true: time stamps are not supported; resample the series to equal steps")
    if "targetlabel" in true:
        raise DataError(f"{path}: @targetLabel true: this is a regression problem; the zoo needs classes")
    if "classlabel" not in true:
        raise DataError(f"{path}: the header names no classes; add a line such as '@classLabel true a b'")
    quoted = any(" " in word for word in found["classlabel"])
    equal = "equallength" in true
    length = next(iter(found.get("serieslength", ())), "") if equal else ""
    declared = int(length) if length.isascii() and length.isdigit() and len(length) < 10 else None
    return _Header(found["classlabel"][1:], quoted, _channels(path, found), equal, declared)


def _in_quotes(text: str) -> tuple[str, ...]:
    """Return the words after the key of a line, without quotes, if quotes are around spaces; else nothing."""
    words = _QUOTED.findall(text)[1:]
    quoted = any(" " in word for word in words)
    return tuple(map(_unquoted, words)) if quoted else ()


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def split_classes(words: Sequence[str], labels: Collection[str]) -> tuple[str, ...]:
    """Return the classes that consist of these words: the labels that contain spaces, and all other words."""
    spaced = sorted((label.split() for label in labels if " " in label), key=len, reverse=True)
    found: list[str] = []
    left = [*words]
    while left:
        name = next((parts for parts in spaced if left[: len(parts)] == parts), left[:1])
        found.append(" ".join(name))
        left = left[len(name) :]
    return tuple(found)


def _classes(path: Path, header: _Header, places: Mapping[str, int]) -> tuple[str, ...]:
    """Return the classes, given the first line of each label. Raises DataError if the header does not name them."""
    classes = split_classes(header.words, places)
    for label, number in places.items():
        if label not in classes:
            raise DataError(
                f"{path}: line {number}: the class {_short(label)!r} contains a space, but spaces separate the classes "
                "in @classLabel; put it in quotes there, or write an underscore instead, in the header and in the rows"
            )
    _check_distinct(path, classes)
    return classes


def _check_distinct(path: Path, classes: Sequence[str]) -> None:
    distinct = set(classes) - {""}
    if len(distinct) < max(2, len(classes)):
        raise DataError(
            f"{path}: @classLabel names {len(classes)} classes, {len(distinct)} of them distinct; "
            "name two or more, each once, separated by spaces"
        )


def _channels(path: Path, found: Mapping[str, tuple[str, ...]]) -> int | None:
    words = found.get("dimensions", found.get("dimension", ()))
    if not words:
        return None
    try:
        channels = numerals.whole(words[0])
    except ValueError:
        channels = 0
    if channels < 1:
        raise DataError(f"{path}: @dimensions is {_short(words[0])!r}, not a number of channels; correct it")
    return channels


def _read_rows(path: Path, header: _Header, lines: Iterator[tuple[int, str]]) -> TsFile:
    series: list[Floats] = []
    labels: list[str] = []
    numbers: list[int] = []
    widths: list[int] = []
    padded = False
    places: dict[str, int] = {}
    known = frozenset(header.words)
    for number, text in lines:
        where = f"{path}: line {number}"
        *channels, label = (cell.strip() for cell in text.split(":"))
        _check_channels(where, len(channels), series[0].shape[0] if series else header.n_channels)
        label = " ".join((_unquoted(label) if header.quoted else label).split())
        if label not in known and not (" " in label and known.issuperset(label.split())):
            _check_distinct(path, header.words)
            wrong = unknown_name("class", _short(label), header.words, "@classLabel lists the classes.")
            raise DataError(f"{where}: {wrong}")
        places.setdefault(label, number)
        row, missing = _row(where, channels)
        widths.append(row.shape[1] + missing)
        if header.equal and widths[-1] != widths[0]:
            raise DataError(
                f"{where} has {widths[-1]} samples and line {numbers[0]} has {widths[0]}, but the header "
                "declares @equalLength true; complete the line, or correct the header"
            )
        padded = padded or missing > 0
        series.append(row)
        labels.append(label)
        numbers.append(number)
    if not series:
        raise DataError(f"{path}: there are no rows after @data; write or download the file again")
    classes = _classes(path, header, places)
    notes = []
    if header.length is not None and header.length not in widths:
        notes.append(
            f"{path.name}: the header declares @seriesLength {header.length}, the rows have {widths[0]} samples"
        )
    return TsFile(
        path,
        classes,
        header.words,
        series[0].shape[0],
        tuple(series),
        tuple(labels),
        tuple(numbers),
        padded,
        tuple(notes),
    )


def _check_channels(where: str, count: int, expected: int | None) -> None:
    if count != expected and (count == 0 or expected is not None):
        raise DataError(
            f"{where} has {count_text(count, 'channel')} before its class, not "
            f"{expected or 'one or more'}; complete it, or write or download the file again"
        )


def _row(where: str, texts: Sequence[str]) -> tuple[Floats, int]:
    """Return a row as float32 `(channels, times)`, and the number of missing samples after its end in all channels."""
    channels = [text.split(",") for text in texts]
    for channel, cells in enumerate(channels, 1):
        if len(cells) != len(channels[0]):
            raise DataError(
                f"{where}: channel {channel} has {count_text(len(cells), 'sample')} and channel 1 has "
                f"{len(channels[0])}; all channels of a row have the same length: cut or fill them"
            )
    missing = min(map(_missing_at_end, channels))
    if missing == len(channels[0]) > 1:
        raise DataError(f"{where} has only missing samples; remove the row")
    if missing and missing < len(channels[0]):
        channels = [cells[:-missing] for cells in channels]
        texts = [",".join(cells) for cells in channels]
    if any(text.encode().translate(None, _OF_NUMBERS) for text in texts):
        raise DataError(f"{where}, {_first_fault(channels)}")
    try:
        # A value too large for float32 becomes infinite; it is refused below with its place.
        with np.errstate(over="ignore"):
            numbers = np.fromiter(map(float, chain.from_iterable(channels)), np.float64)
            row = numbers.astype(np.float32).reshape(len(channels), -1)
    except ValueError as error:
        raise DataError(f"{where}, {_first_fault(channels)}") from error
    if not np.isfinite(row).all():
        raise DataError(f"{where}, {_first_fault(channels)}")
    return row, missing


def _missing_at_end(cells: Sequence[str]) -> int:
    return next((number for number, cell in enumerate(reversed(cells)) if not _is_missing(cell)), len(cells))


def _is_missing(cell: str) -> bool:
    return cell.strip(" \t").lower() in ("", "?", "nan")


def _first_fault(channels: Sequence[Sequence[str]]) -> str:
    """Return the first error in a row; slow, and used only after reading has failed."""
    faults = (
        f"channel {channel}, sample {sample}: {fault}"
        for channel, cells in enumerate(channels, 1)
        for sample, cell in enumerate(cells, 1)
        if (fault := _fault(cell.strip(" \t")))
    )
    return next(faults)


def _fault(cell: str) -> str:
    if _is_missing(cell):
        return f"{cell!r} is a missing value; fill it in or remove the row"
    try:
        with np.errstate(over="ignore"):
            finite = not numerals.is_nan_or_infinity(cell) and np.isfinite(np.float32(numerals.number(cell)))
    except ValueError:
        return f"{_short(cell)!r} is not a number; correct it, or write or download the file again"
    return "" if finite else f"{_short(cell)!r} is infinite or too large; correct it or remove the row"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
