"""Which columns of a table are samples: the user's choice, and a check that none of them numbers or describes rows."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from zoo.data.columns import column_name
from zoo.data.headers import USUAL_LABELS
from zoo.errors import DataError, UsageError, unknown_name
from zoo.numerals import is_number

_DESCRIPTIONS = USUAL_LABELS - {"y"} | {
    *("index", "idx", "id", "ids", "uid", "patient", "patients", "subject", "subjects", "person", "participant"),
    *("record", "records", "recording", "session", "group", "row", "age", "sex", "gender", "fold", "split"),
    *("time", "timestamp", "date", "datetime"),
}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_BY_PANDAS = re.compile(r"Unnamed: [0-9]+|level_[0-9]+")
_MANY = 4  # numbered columns for each column with an odd name
_NO_NAME = "has no name"


@dataclass(frozen=True)
class Choice:
    """The requested columns.

    keys     the columns of the labels and the groups, as requested
    columns  the samples: names, patterns such as `t*` and ranges such as `t0:t139`, separated by commas; None: all
    drop     the columns to leave out, in the same form
    """

    keys: Sequence[str]
    columns: str | None = None
    drop: str | None = None

    def samples(self, path: Path, names: Sequence[str], named: Sequence[str]) -> list[str]:
        """Return the names of the samples, in file order; `named` are the columns of labels and groups.

        Raises DataError for a column that does not exist, UsageError if one of `named` is left out.
        """
        keys = set(named)
        wanted = set(names) if self.columns is None else set(_listed(path, names, self.columns))
        dropped = set() if self.drop is None else set(_listed(path, names, self.drop))
        if taken := sorted(keys & dropped):
            raise UsageError(f"--drop {self.drop}: column {taken[0]!r} is the target or the group; keep it")
        return [name for name in names if name in wanted - dropped - keys]

    def read(self, path: Path, names: Sequence[str], index: Sequence[str] = ()) -> list[str]:
        """Return the names of all columns to read besides those of an index, in file order: samples, labels, groups."""
        named = [column_name(path, names, key) for key in self.keys if key not in index]
        wanted = {*self.samples(path, names, named), *named}
        return [name for name in names if name in wanted]

    def check(self, path: Path, names: Sequence[str], samples: Sequence[str], describing: Mapping[int, str]) -> None:
        """Raise DataError if a sample is none by its name or by its values.

        `names` are those of all columns; `describing` has the positions of samples that are none by their values, each
        with the reason. A column that the user lists by its name is a sample. If most names look like that, none is
        refused.
        """
        listed = [] if self.columns is None else [part.strip() for part in self.columns.split(",")]
        described = [name for name in samples if _describes(name)]
        reasons = dict.fromkeys(_odd(samples), "the names of the other columns are numbered")
        reasons |= {samples[place]: reason for place, reason in describing.items()}
        reasons |= dict.fromkeys(_minority(described, samples), "its name describes the row")
        reasons |= dict.fromkeys(filter(_BY_PANDAS.fullmatch, samples), _NO_NAME)
        refused = [name for name in samples if name in reasons and name not in listed]
        if refused:
            raise DataError(f"{path}: {self._refusal(names, {name: reasons[name] for name in refused})}")

    def _refusal(self, names: Sequence[str], refused: Mapping[str, str]) -> str:
        """Return the message on refused columns, each with its reason, and the ways out."""
        first, *others = refused
        dropped = shlex.quote(",".join(part for part in (self.drop, *refused) if part))
        if not others and refused[first] == _NO_NAME:
            place = f"column {names.index(first) + 1} of {len(names)}"
            return f"{place} {_NO_NAME}; name it, or leave it out with --drop {dropped} if it only numbers the rows"
        group = "" if len(self.keys) > 1 else f", name it with --group {shlex.quote(first)} if it is the patient"
        if not others:
            return (
                f"column {first!r} seems to be no sample: {refused[first]}; leave it out with --drop {dropped}{group}, "
                "or list it by name in --columns if it is a sample"
            )
        some = ", ".join(f"{name!r} ({reason})" for name, reason in [*refused.items()][:5])
        more = ", …" if len(refused) > 5 else ""
        return (
            f"columns {some}{more} seem to be no samples; leave them out with --drop {dropped}, name the patient with "
            "--group, or list by name in --columns what is a sample"
        )


def _listed(path: Path, names: Sequence[str], text: str) -> list[str]:
    if text in names:
        return [text]
    return [name for part in text.split(",") for name in _part(path, names, part.strip())]


def _part(path: Path, names: Sequence[str], part: str) -> Iterable[str]:
    """Return the columns that a name, a pattern or a range means."""
    if part in names:
        return [part]
    first, colon, last = part.partition(":")
    if colon:
        start = names.index(column_name(path, names, first)) if first else 0
        end = names.index(column_name(path, names, last)) if last else len(names) - 1
        if start > end:
            raise DataError(f"{path}: column {first!r} comes after {last!r}; write the range {last}:{first}")
        return names[start : end + 1]
    if any(sign in part for sign in "*?["):
        if found := [name for name in names if fnmatchcase(name, part)]:
            return found
        raise DataError(f"{path}: {unknown_name('column', part, names, f'Columns: {names[0]} … {names[-1]}.')}")
    return [column_name(path, names, part)]


def _describes(name: str) -> bool:
    """Return whether a name describes rows; numbered names, such as `time_0`, are samples."""
    if any(sign.isdigit() for sign in name):
        return False
    return any(word.lower() in _DESCRIPTIONS for word in _WORD.findall(name))


def _odd(names: Sequence[str]) -> list[str]:
    """Return the few names that are not numbered among names such as t0, t1, …, or have a word of their own: uid2."""
    words = {name: "" if is_number(name) else "".join(filter(str.isalpha, name)).lower() for name in names}
    times = Counter(words.values())
    plain = [name for name in names if not any(sign.isdigit() for sign in name)]
    own = [name for name in names if times[words[name]] == 1]
    return [name for odd in (plain, own) if len(names) >= (_MANY + 1) * len(odd) for name in odd]


def _minority(found: Sequence[str], samples: Sequence[str]) -> Sequence[str]:
    return found if 2 * len(found) <= len(samples) else ()
