"""Labels and groups: whole numbers or text, read from any type in which a file stores them."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from zoo import numerals
from zoo.data.series import Ints
from zoo.errors import DataError
from zoo.wording import count_text

Place = Callable[[int], str]
_MISSING = ("", "nan", "NaN", "<NA>", "NaT")  # what pandas and numpy write for a missing value, as text
_MANY_ROWS = 10  # that do not all have a class of their own
_EXACT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")
_NUMERAL = re.compile(r"-?[0-9]+(?:\.([0-9]+))?([eE])?.*")


@dataclass(frozen=True)
class Cells:
    """Labels or groups as a file stores them.

    values  a `pyarrow.ChunkedArray`
    what    their name in messages
    place   the place of a row in messages
    """

    values: Any
    what: str
    place: Place

    @property
    def are_text(self) -> bool:
        return _is_text(self.values.type)


def keys_of(cells: Cells, *, groups: bool = False) -> npt.NDArray[Any]:
    """Return labels or groups: int64 `(rows,)` if all are whole numbers, else text. Raises as `keys_of_sets`."""
    return keys_of_sets([cells], groups=groups)[0]


def keys_of_sets(sets: Sequence[Cells], *, groups: bool = False) -> list[npt.NDArray[Any]]:
    """Return the labels, or with `groups` the groups, of all sets of a file: int64 `(rows,)` for all, or text for all.

    Text becomes numbers only if no text of any set changes by it: all are written alike, such as `1`, `2` or `1.0`,
    `2.0`. Otherwise `1` and `01` are two labels or groups. Raises DataError if a value is missing, if one set has
    numbers and another has text, or if a value is neither a whole number nor text; groups such as `1.10` are text.
    """
    plain = [replace(each, values=_plain(each.values)) for each in sets]
    for each in plain:
        _check_none_missing(each)
    texts = {text for each in plain if each.are_text for text in each.values.unique().to_pylist()}
    numbers = _numbers(texts)
    if numbers is None and not groups:
        _check_no_fractions(plain, texts)
    if numbers is None and not all(each.are_text for each in plain):
        _check_one_type(plain, "groups" if groups else "labels")
    found = [_keys(each, numbers, groups) for each in plain]
    alike = all(each.dtype == np.int64 for each in found)
    return found if alike else [each.astype(np.str_) for each in found]


def classes_of(keys: npt.NDArray[Any], what: str) -> tuple[Ints, tuple[str, ...]]:
    """Return labels int64 `(rows,)` and the sorted classes that they index.

    Raises DataError for fewer than two classes, or if each of many rows has a class of its own.
    """
    found, labels = np.unique(keys, return_inverse=True)
    if len(found) < 2:
        only = f"one class, {str(found[0])!r}" if len(found) else "no class"
        raise DataError(f"{what} has {only}; name the labels with --target")
    if len(found) == len(keys) >= _MANY_ROWS:
        raise DataError(
            f"{what} has another value in each of {len(keys)} rows, as an index or an id has; name the labels with "
            "--target"
        )
    return labels.astype(np.int64), tuple(str(value) for value in found)


def arrow_of(array: npt.NDArray[Any], what: str) -> Any:
    """Return an array of labels or groups as a `pyarrow.ChunkedArray`. Raises DataError for another type of values."""
    if array.dtype.kind == "U":
        try:
            return pyarrow.chunked_array([pyarrow.array(array.tolist(), pyarrow.string())])
        except UnicodeError as error:
            raise DataError(f"{what} holds text that is not valid Unicode (lone surrogates); save it again") from error
    kind = {"f": np.float64, "i": np.int64, "u": np.uint64, "b": np.int64}.get(array.dtype.kind)
    if kind is None:
        raise DataError(f"{what} holds {array.dtype}; save whole numbers or text (`.astype(str)`)")
    return pyarrow.chunked_array([pyarrow.array(array.astype(kind))])


def alike_note(keys: npt.NDArray[Any] | None, noun: str) -> tuple[str, ...]:
    """Return a tuple with a note if text keys write one number in two ways, such as `1` and `01`; else an empty one."""
    seen: dict[Decimal, str] = {}
    for text in np.unique(keys).tolist() if keys is not None and keys.dtype.kind == "U" else ():
        if _EXACT.fullmatch(text):
            other = seen.setdefault(Decimal(text), text)
            if other != text:
                return (f"{noun} {other!r} and {text!r} are kept apart: they are text, not numbers",)
    return ()


def _plain(cells: Any) -> Any:
    """Return text without surrounding spaces, and null for missing text; categories become their values."""
    if pyarrow.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if not _is_text(cells.type):
        return cells
    trimmed = pyarrow.compute.utf8_trim_whitespace(cells.cast(pyarrow.large_string()))
    missing = pyarrow.compute.is_in(trimmed, pyarrow.array(_MISSING, pyarrow.large_string()))
    return pyarrow.compute.if_else(missing, None, trimmed)


def _numbers(texts: Collection[str]) -> dict[str, int] | None:
    """Return the whole number of each text; None if one is no whole number, or not written as the others are."""
    form = _form(next(iter(texts), ""))
    numbers = {text: _number(text, form) for text in texts} if form else dict.fromkeys(texts)
    whole = {text: number for text, number in numbers.items() if number is not None}
    return whole if len(set(whole.values())) == len(texts) else None


def _form(text: str) -> str:
    """Return the format that writes numbers as this text does: `d` for `12`, `.1f` for `12.0`; empty for other text."""
    found = _NUMERAL.fullmatch(text)
    if found is None:
        return ""
    decimals, exponent = found.groups()
    return f".{len(decimals or '')}{exponent or 'f'}" if decimals or exponent else "d"


def _number(text: str, form: str) -> int | None:
    """Return the whole number that this format writes as this text, or None."""
    try:
        number = int(text) if form == "d" else float(text)
    except ValueError:
        return None
    exact = -(2**63) <= number < 2**63 if form == "d" else number == number // 1 and abs(number) < 2**53
    return int(number) if exact and format(number, form) == text else None


def _check_none_missing(cells: Cells) -> None:
    missing = np.flatnonzero(pyarrow.compute.is_null(cells.values, nan_is_null=True).to_numpy())
    if missing.size:
        raise DataError(
            f"{cells.what} is empty in {count_text(missing.size, 'row')}, the first at {cells.place(int(missing[0]))}; "
            "fill it in or remove these rows"
        )


def _check_no_fractions(sets: Sequence[Cells], texts: Collection[str]) -> None:
    """Raise DataError if all texts are numbers and one has a fraction: a measured value is no class."""
    if not all(numerals.is_number(text) for text in texts):
        return
    for each in sets:
        for row, text in enumerate(each.values.to_pylist() if each.are_text else ()):
            if float(text) % 1:
                raise DataError(
                    f"{each.what} is {text} at {each.place(row)}; labels and groups are whole numbers or text: if it "
                    "names a class, begin the name with a letter"
                )


def _check_one_type(sets: Sequence[Cells], noun: str) -> None:
    text = next((each for each in sets if each.are_text), None)
    other = next(each for each in sets if not each.are_text)
    if text is not None:
        raise DataError(
            f"{text.what} and {other.what.rpartition(': ')[2]} have {noun} of two types, numbers and text; save both "
            "with one type"
        )


def _keys(cells: Cells, numbers: dict[str, int] | None, groups: bool) -> npt.NDArray[Any]:
    values, kind = cells.values, cells.values.type
    if cells.are_text:
        texts = values.to_pylist()
        return np.array(texts, np.str_) if numbers is None else np.array([numbers[text] for text in texts], np.int64)
    if pyarrow.types.is_floating(kind):
        return _whole(values.to_numpy().astype(np.float64), cells)
    if pyarrow.types.is_integer(kind) or pyarrow.types.is_boolean(kind):
        return _int64(cells, groups)
    raise DataError(f"{cells.what} holds {kind}; labels and groups are whole numbers or text")


def _whole(values: npt.NDArray[np.float64], cells: Cells) -> Ints:
    broken = np.flatnonzero(~np.isfinite(values) | (values != np.floor(values)) | (np.abs(values) >= 2**53))
    if broken.size:
        raise DataError(
            f"{cells.what} is {values[broken[0]]!s} at {cells.place(int(broken[0]))}; labels and groups are whole "
            "numbers or text"
        )
    return values.astype(np.int64)


def _int64(cells: Cells, groups: bool) -> npt.NDArray[Any]:
    try:
        return np.asarray(cells.values.cast("int64").to_numpy(), np.int64)
    except pyarrow.ArrowInvalid as error:
        if groups:  # 20 digits are an id
            return np.array([str(number) for number in cells.values.to_pylist()], np.str_)
        raise DataError(
            f"{cells.what} holds whole numbers of {2**63} or more; save them as text that begins with a letter"
        ) from error


def _is_text(kind: Any) -> bool:
    types = pyarrow.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
