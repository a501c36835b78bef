"""Numbers in text: ASCII digits in plain notation, and nothing else that `int` and `float` would read.

`int` and `float` also read `1_0` as 10, digits of other scripts, spaces around a number, and the words nan and inf.
"""

import re

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")  # fits into 64 bits
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def whole(text: str) -> int:
    """Return the whole number that a text writes: `12`, `-3`. Raises ValueError for any other text."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def number(text: str) -> float:
    """Return the number that a text writes: `0.5`, `-3`, `1e-4`. Raises ValueError for any other text."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def is_number(text: str) -> bool:
    """Return whether a text writes a number."""
    return _NUMBER.fullmatch(text) is not None


def is_nan_or_infinity(text: str) -> bool:
    """Return whether a text is a word for a number that is not finite: `nan`, `-inf`, `Infinity`."""
    return text.lower().removeprefix("-").removeprefix("+") in ("nan", "inf", "infinity")
