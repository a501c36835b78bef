"""TOML that users write: files of limited size, and texts that no parser reads in one piece."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import SettingsError
from zoo.paths import unreadable, why_not
from zoo.visible import LONGEST_WORD, abridged

MOST_BYTES = 1_000_000  # far above any file written by hand
Table = Mapping[str, Any]  # a TOML table


def read_text(path: Path) -> str:
    """Read a TOML file; the null device is an empty one.

    Raises SettingsError if it is not a regular file, is too large, or is not UTF-8 text.
    """
    if str(path) == os.devnull:
        return ""
    name = abridged(str(path), LONGEST_WORD)
    if reason := unreadable(path):
        raise SettingsError(f"{name}: cannot be read: {reason}")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{name}: cannot be read: {why_not(error)}") from None
    if len(content) > MOST_BYTES:
        raise SettingsError(f"{name}: cannot be read: it has more than {MOST_BYTES:,} bytes; is this the right file?")
    try:
        return content.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: cannot be read: it is not UTF-8 text") from None


def parsed(text: str) -> Table:
    """Return the content of a TOML text. Raises ValueError, in one line, for any text that is not valid TOML."""
    try:
        tables = tomllib.loads(text)
        _check(tables)
    except RecursionError:
        raise ValueError("values are nested too deeply") from None
    except ValueError as error:
        if isinstance(error, tomllib.TOMLDecodeError):
            raise
        raise ValueError("a number does not fit into 64 bits") from None  # Python reads at most 4,300 digits
    return tables


def parsed_file(path: Path, text: str) -> Table:
    """Return the content of the text of a file. Raises SettingsError with the file and the line."""
    try:
        return parsed(text)
    except ValueError as error:
        raise SettingsError(f"{path}{_as_location(str(error))}") from None


def _as_location(message: str) -> str:
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", message, re.DOTALL)
    if not found:
        return f": {message}"
    line = f":{found[2]}" if found[2] else ", at its end"
    return f"{line}: {found[1][0].lower()}{found[1][1:]}"


def _check(value: Any) -> None:
    """Raise ValueError for a whole number that does not fit into 64 bits, which TOML does not allow."""
    if isinstance(value, dict):
        for each in value.values():
            _check(each)
    elif isinstance(value, list):
        for each in value:
            _check(each)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError
