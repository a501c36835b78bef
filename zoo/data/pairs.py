"""The two files of a published split, as the UCR and UEA archive names them: `NAME_TRAIN.ts` and `NAME_TEST.ts`.

Bagnall et al. 2018, arXiv:1811.00075; Dau et al. 2019, arXiv:1810.07758.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.series import TEST, TRAIN, DeclaredSplit
from zoo.errors import DataError
from zoo.paths import is_file, is_folder, why_not

_SUFFIXES = (".ts", ".tsv")
_HALVES = tuple(
    (f"_{train}{suffix}", f"_{test}{suffix}")
    for suffix in _SUFFIXES
    for train, test in (("TRAIN", "TEST"), ("train", "test"))
)


@dataclass(frozen=True)
class Pair:
    """The two files of a problem's published split."""

    train: Path
    test: Path

    @property
    def name(self) -> str:
        """The problem as a file name: `JapaneseVowels.ts`."""
        return self.train.name[: -len(f"_TRAIN{self.suffix}")] + self.suffix

    @property
    def suffix(self) -> str:
        return self.train.suffix

    def split(self, train_rows: int, test_rows: int) -> DeclaredSplit:
        """Return the split `official` of rows that begin with those of the training set."""
        parts = np.repeat(np.array([TRAIN, TEST], np.int8), [train_rows, test_rows])
        note = f"official: {self.train.name} is the training set, {self.test.name} the test set"
        return DeclaredSplit(parts, notes=(note,))


def pair_of(path: Path) -> Pair | None:
    """Return the pair that a file belongs to, that a folder contains, or that has this name; None for any other path.

    Raises DataError for a folder with no pair or with several.
    """
    if not is_folder(path):
        return _pair_beside(path) or _pair_named(path)
    pairs = _pairs_in(path)
    if not pairs:
        raise DataError(
            f"{path} is a folder without a pair NAME_TRAIN and NAME_TEST of .ts or .tsv files; name a file in it"
        )
    if len(pairs) > 1:
        names = ", ".join(pair.train.name for pair in pairs)
        raise DataError(f"{path} is a folder with {len(pairs)} pairs; name a file of one of them: {names}")
    return pairs[0]


def has_pair(path: Path) -> bool:
    """Return whether this is a folder with one or more pairs of files, or the name of a pair."""
    return bool(_pairs_in(path)) if is_folder(path) else _pair_named(path) is not None


def check_can_stand_alone(path: Path) -> None:
    """Raise DataError for a test set whose training set is absent."""
    for train, test in _HALVES:
        if path.name.endswith(test) and is_file(path):
            missing = path.name.removesuffix(test) + train
            raise DataError(f"{path} is a test set, but its training set {missing} is not in the folder; download both")


def alone_note(path: Path) -> tuple[str, ...]:
    """Return a note on a training set whose test set is absent."""
    for train, test in _HALVES:
        if path.name.endswith(train):
            missing = path.name.removesuffix(train) + test
            return (f"{path.name} is used as a complete data set: {missing} is not in the folder",)
    return ()


def refusals(path: Path, pair: Pair | None) -> dict[str, str]:
    """Return the protocols by group with the reason why the files do not support them."""
    there = "holdout" if pair is None else "official or holdout"
    suffix = path.suffix if pair is None else pair.suffix
    reason = f"{path}: a {suffix} file has no groups for a split by group; use --protocol {there}"
    return {"inter-patient": reason, "inter-patient-strict": reason}


def _pairs_in(folder: Path) -> list[Pair]:
    try:
        found = [_pair_beside(file) for file in sorted(folder.iterdir())]
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {why_not(error)}") from error
    return list(dict.fromkeys(pair for pair in found if pair is not None))


def _pair_beside(path: Path) -> Pair | None:
    for ends in _HALVES:
        for end in ends:
            if path.name.endswith(end):
                return _existing(path.with_name(path.name.removesuffix(end)), ends)
    return None


def _pair_named(path: Path) -> Pair | None:
    """Return the pair whose name this is: `ECG5000` for ECG5000_TRAIN.tsv. Raises DataError if there are two."""
    if not path.name or path.suffix in _SUFFIXES or is_file(path):
        return None
    pairs = [pair for ends in _HALVES if (pair := _existing(path, ends)) is not None]
    if len(pairs) > 1 and pairs[0].suffix != pairs[-1].suffix:
        files = " or ".join(str(pair.train) for pair in pairs)
        raise DataError(f"{path} is the name of several pairs; name a file of one of them: {files}")
    return pairs[0] if pairs else None


def _existing(stem: Path, ends: tuple[str, str]) -> Pair | None:
    pair = Pair(*(stem.with_name(stem.name + end) for end in ends))
    return pair if is_file(pair.train) and is_file(pair.test) else None
