"""The sha256 of the raw files: a file that differs from the published one is refused before it is read.

A flipped bit in annotations would otherwise change labels, or move them, without an error.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from zoo import DataError
from zoo.data.files import check_file

NAME = "SHA256SUMS.txt"  # beside the records, as PhysioNet publishes it
KNOWN = Path(__file__).with_name(NAME)  # its lines for the files of the 48 records of release 1.0.0

_LINE = re.compile(r"([0-9a-fA-F]{64})\s+\*?(\S+)")
_MOST_CHARACTERS = 1_000_000  # of the sums: PhysioNet's own file has 55,000


def check_sums(folder: Path, names: Iterable[str]) -> None:
    """Check files against the sums in their folder, and where these name no sum, against those of release 1.0.0.

    Raises DataError, with the name of the file, for the first one that differs or cannot be read.
    """
    known, beside = _sums(KNOWN), {}
    if (folder / NAME).exists():
        check_file(folder / NAME)
        beside = _sums(folder / NAME)
    for name in names:
        path = folder / name
        check_file(path)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != beside.get(name, known[name]):
            source = f"in {NAME} beside it" if name in beside else "of release 1.0.0"
            raise DataError(
                f"{path} is damaged: its sha256 differs from the one {source}; download it again, or write its new "
                f"sum into {folder / NAME} if you changed it on purpose"
            )


def _sums(path: Path) -> dict[str, str]:
    """Return the sums by the name of the file. Lines of any other form are ignored."""
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = file.read(_MOST_CHARACTERS).splitlines()
    return {found[2]: found[1].lower() for line in lines if (found := _LINE.fullmatch(line.strip()))}
