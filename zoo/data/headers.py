"""Whether the first line of a CSV holds column names or a row, decided by all that the file shows.

Names differ from each other. Names that are numbers, such as times or frequencies, are equally spaced or at least
increase or decrease from left to right. The name of the label column is no label of the rows below. Where the evidence
allows both readings, the file is refused with the two ways out.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import pairwise

from zoo.numerals import is_nan_or_infinity, is_number

USUAL_LABELS = frozenset(
    ("class", "classes", "label", "labels", "target", "targets", "y", "kind", "category", "type", "diagnosis")
)
_LONG = 8  # numbers in a line that are equally spaced, or only increase, by more than chance
_MISSING = frozenset(("", "na", "n/a", "null", "none", "?"))


class Unclear(Exception):
    """Both readings of a first line are possible; the message has the reason."""


class _Numbers(Enum):
    """The order of the numbers in a line, from left to right."""

    MIXED = 0
    MONOTONE = 1
    EQUALLY_SPACED = 2


class _Label(Enum):
    """The first cell of the label column, beside the cells below it."""

    UNKNOWN = 0
    USUAL_NAME = 1
    OTHER_TYPE = 2
    NEW = 3
    REPEATED = 4


@dataclass(frozen=True)
class FirstLine:
    """The first line of a CSV, and what is needed of the lines below it.

    fields  its cells
    keys    the positions of the label and the group, which may be text
    label   the position of the label, None if it is not known
    below   returns the cells of the lines below
    comma   whether numbers have a decimal comma
    """

    fields: Sequence[str]
    keys: Collection[int]
    label: int | None
    below: Callable[[], list[list[str]]]
    comma: bool = False

    def is_header(self) -> bool:
        """Return whether the line holds names. Raises Unclear if both readings are possible."""
        samples = self._samples(self.fields)
        numbers = self._numbers(samples)
        words = [cell for cell in samples if not _is_missing(cell) and self._number(cell) is None]
        if words:
            return self._with_words(words, numbers)
        repeated = len(set(self.fields)) < len(self.fields)
        order = _order(numbers)
        if order is _Numbers.MIXED and not _sorted_as_text(samples):
            return self._with_mixed_numbers(repeated)
        if repeated:
            return False
        if order is _Numbers.MONOTONE:
            return self._with_monotone_numbers(len(numbers))
        return self._with_equally_spaced_numbers(samples)

    @property
    def label_recurs(self) -> bool:
        """Whether the label of the line is also a label below."""
        return self._label is _Label.REPEATED

    def _with_words(self, words: Sequence[str], numbers: Sequence[float]) -> bool:
        if not numbers or self._label is _Label.USUAL_NAME:
            return True
        shown = f"{words[0]!r} is no sample"
        if self._label is _Label.REPEATED:
            raise Unclear(f"{shown}, but {self._label_text} is also a label below")
        if _order(numbers) is _Numbers.MIXED:
            raise Unclear(f"{shown}, but the numbers beside it are in no order")
        return True

    def _with_mixed_numbers(self, repeated: bool) -> bool:
        if self._first_label is None or self._number(self._first_label) is not None:
            return False
        if self._label is _Label.USUAL_NAME:
            return True
        if not repeated and self._label is _Label.OTHER_TYPE and len(self._rows) > 1:
            raise Unclear(f"its numbers are in no order, but {self._label_text} stands above labels of another type")
        return False

    def _with_monotone_numbers(self, count: int) -> bool:
        text = self._first_label is not None and self._number(self._first_label) is None
        if self._label is _Label.USUAL_NAME or (text and self._label is _Label.OTHER_TYPE):
            return True
        if text and self._label is _Label.NEW:
            raise Unclear(f"its numbers go in one direction, and {self._label_text} occurs only there")
        if not text and self._label is _Label.OTHER_TYPE:
            raise Unclear(f"its numbers go in one direction, and {self._label_text} stands above labels of text")
        if not text and count >= _LONG and _Numbers.MONOTONE not in self._orders_below:
            raise Unclear("its numbers go in one direction, unlike those of any line below")
        return False

    def _with_equally_spaced_numbers(self, samples: Sequence[str]) -> bool:
        text = self._first_label is not None and self._number(self._first_label) is None
        if self._label in (_Label.USUAL_NAME, _Label.OTHER_TYPE) or (text and self._label is _Label.NEW):
            return True
        spaced = "its numbers are equally spaced"
        if text:
            raise Unclear(f"{spaced}, but {self._label_text} is also a label below")
        if _Numbers.EQUALLY_SPACED in self._orders_below:
            raise Unclear(f"{spaced}, but so are those of lines below")
        positions = [str(place) for place in range(len(self.fields))]
        counts = list(self.fields) == positions and self._label is not _Label.REPEATED
        if not counts and len(samples) < _LONG:
            raise Unclear(f"{spaced}, but they are few")
        return True

    @cached_property
    def _rows(self) -> list[list[str]]:
        return [row for row in self.below() if len(row) == len(self.fields)]

    @cached_property
    def _orders_below(self) -> set[_Numbers]:
        """The orders of the lines below; equally spaced numbers are monotone as well."""
        orders = {_order(self._numbers(self._samples(row))) for row in self._rows}
        return orders | ({_Numbers.MONOTONE} if _Numbers.EQUALLY_SPACED in orders else set())

    @cached_property
    def _first_label(self) -> str | None:
        if self.label is None or _is_missing(self.fields[self.label]):
            return None
        return self.fields[self.label]

    @property
    def _label_text(self) -> str:
        return f"its label {self._first_label!r}"

    @cached_property
    def _label(self) -> _Label:
        first = self._first_label
        if first is None or self.label is None:
            return _Label.UNKNOWN
        others = {row[self.label].strip() for row in self._rows} - {""}
        number = self._number(first)
        numbers = {self._number(cell) for cell in others}
        if first in others or (number is not None and number in numbers):
            return _Label.REPEATED
        if first.lower() in USUAL_LABELS:
            return _Label.USUAL_NAME
        all_numbers, all_words = None not in numbers, numbers == {None}
        if others and (all_words if number is not None else all_numbers):
            return _Label.OTHER_TYPE
        return _Label.NEW

    def _samples(self, row: Sequence[str]) -> list[str]:
        return [cell for place, cell in enumerate(row) if place not in self.keys]

    def _numbers(self, cells: Sequence[str]) -> list[float]:
        return [number for cell in cells if (number := self._number(cell)) is not None]

    def _number(self, cell: str) -> float | None:
        text = cell.strip().replace(",", ".") if self.comma else cell.strip()
        return float(text) if is_number(text) else None


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in _MISSING or is_nan_or_infinity(cell.strip())


def _order(numbers: Sequence[float]) -> _Numbers:
    steps = [right - left for left, right in pairwise(numbers)]
    if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
        return _Numbers.MIXED
    if len(steps) < 2:
        return _Numbers.MONOTONE
    mean = (numbers[-1] - numbers[0]) / len(steps)
    digit = _last_digit(numbers)
    # Times are printed with some digits: 0.003, 0.006, 0.008 at 360 Hz.
    rounded = len(numbers) >= _LONG and abs(mean) >= 2 * digit
    tolerance = digit if rounded else abs(mean) * 1e-6
    even = all(abs(numbers[0] + place * mean - number) <= tolerance for place, number in enumerate(numbers))
    return _Numbers.EQUALLY_SPACED if even else _Numbers.MONOTONE


def _last_digit(numbers: Sequence[float]) -> float:
    """Return the value of the last digit with which the most precise of the numbers is printed."""
    digits = max(len(re.sub(r"^[^.]*\.?|e.*$", "", repr(number).removesuffix(".0"))) for number in numbers)
    return float(10.0**-digits)


def _sorted_as_text(samples: Sequence[str]) -> bool:
    """Return whether cells count from 0 in the order of text: 0, 1, 10, 11, 2."""
    return len(samples) > _LONG and list(samples) == sorted(str(place) for place in range(len(samples)))
