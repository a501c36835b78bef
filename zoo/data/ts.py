"""`.ts` files of the UCR/UEA archive as data sets: a single file, or a pair `_TRAIN.ts` and `_TEST.ts`.

The pair is the published split of its problem (Bagnall et al. 2018, arXiv:1811.00075).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zoo.data.checks import dropped_note, kept_of
from zoo.data.lengths import padding_note, settled
from zoo.data.memory import check_fits
from zoo.data.series import TEST, TRAIN, DeclaredSplit, Floats, LabelledSeries
from zoo.data.tsfile import TsFile, read_ts
from zoo.errors import DataError
from zoo.paths import is_file, is_folder, why_not

TS_SUFFIXES = (".ts",)
_HALVES = (("_TRAIN.ts", "_TEST.ts"), ("_train.ts", "_test.ts"))


@dataclass(frozen=True)
class Pair:
    """The two files of a problem's published split."""

    train: Path
    test: Path

    @property
    def name(self) -> str:
        """The problem as a file name: `JapaneseVowels.ts`."""
        return self.train.name[: -len("_TRAIN.ts")] + ".ts"


def from_ts(path: Path, *, constant: str = "error") -> LabelledSeries:
    """Read a `.ts` file as a data set; given either file of a pair, or their folder, read both as the split `official`.

    constant  the treatment of rows that are constant in every channel: "error", "keep" or "drop"

    The classes come from the headers, in their order. Series of unequal lengths are padded with zeros to the longest
    series of both files, and their lengths are declared. Raises DataError for data that cannot be used, in one line
    with the file, the line and the way out.
    """
    pair = pair_of(path)
    if pair is None:
        _check_can_stand_alone(path)
    read = [read_ts(each) for each in ((path,) if pair is None else (pair.train, pair.test))]
    kept = [kept_of(_flat(file), constant, str(file.path), file.place) for file in read]
    files = [file.take(keep) for file, keep in zip(read, kept, strict=True)]
    number = {name: place for place, name in enumerate(dict.fromkeys(name for file in files for name in file.classes))}
    values, lengths = settled(*_padded(files))
    padded = [padding_note(file.path.name) for file in read if file.padded]
    dropped = [
        f"{file.path.name}: {note}" for file, keep in zip(files, kept, strict=True) for note in dropped_note(keep)
    ]
    return LabelledSeries(
        values=values,
        labels=np.array([number[name] for file in files for name in file.labels], np.int64),
        classes=tuple(number),
        lengths=lengths,
        splits={} if pair is None else {"official": _official(pair, files)},
        refusals=_refusals(path, pair),
        notes=(*_alone_note(path, pair), *padded, *dropped),
    )


def pair_of(path: Path) -> Pair | None:
    """Return the pair that a file belongs to or that a folder contains; None for any other file.

    Raises DataError for a folder with no pair or with several.
    """
    if not is_folder(path):
        return _pair_beside(path)
    pairs = _pairs_in(path)
    if not pairs:
        raise DataError(f"{path} is a folder without a pair NAME_TRAIN.ts and NAME_TEST.ts; name a file in it")
    if len(pairs) > 1:
        names = ", ".join(pair.train.name for pair in pairs)
        raise DataError(f"{path} is a folder with {len(pairs)} pairs; name a file of one of them: {names}")
    return pairs[0]


def has_pair(path: Path) -> bool:
    """Return whether this is a folder with one or more pairs of files."""
    return is_folder(path) and bool(_pairs_in(path))


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
                pair = Pair(*(path.with_name(path.name.removesuffix(end) + each) for each in ends))
                return pair if is_file(pair.train) and is_file(pair.test) else None
    return None


def _check_can_stand_alone(path: Path) -> None:
    for train, test in _HALVES:
        if path.name.endswith(test) and is_file(path):
            missing = path.name.removesuffix(test) + train
            raise DataError(f"{path} is a test set, but its training set {missing} is not in the folder; download both")


def _alone_note(path: Path, pair: Pair | None) -> tuple[str, ...]:
    for train, test in _HALVES:
        if pair is None and path.name.endswith(train):
            missing = path.name.removesuffix(train) + test
            return (f"{path.name} is used as a complete data set: {missing} is not in the folder",)
    return ()


def _flat(file: TsFile) -> npt.NDArray[np.bool_]:
    return np.array([(row == row[:, :1]).all() for row in file.series], np.bool_)


def _padded(files: Sequence[TsFile]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return all series in one array `(rows, channels, times)`, padded with zeros, and their lengths."""
    series = [row for file in files for row in file.series]
    names = " and ".join(str(file.path) for file in files)
    channels = {file.n_channels for file in files}
    if len(channels) > 1:
        raise DataError(
            f"{names}: the files have {files[0].n_channels} and {files[1].n_channels} channels; download both again"
        )
    lengths = np.array([row.shape[1] for row in series], np.int64)
    if lengths.max() < 2:
        raise DataError(f"{names}: all series have one sample; a series needs at least 2")
    _check_padding(files, lengths)
    values = np.zeros((len(series), files[0].n_channels, int(lengths.max())), np.float32)
    for place, row in zip(values, series, strict=True):
        place[:, : row.shape[1]] = row
    return values, lengths


def _check_padding(files: Sequence[TsFile], lengths: npt.NDArray[np.int64]) -> None:
    """Raise DataError if the padded series do not fit in memory."""
    longest = int(np.argmax(lengths))
    most = int(np.quantile(lengths, 0.95, method="higher"))
    check_fits(
        2 * 4 * len(lengths) * files[0].n_channels * int(lengths[longest]),  # float32, and one copy
        f"{files[0].path}: padding {len(lengths):,} series to the longest, {lengths[longest]:,} samples "
        f"({_place(files, longest)}),",
        f"cut the longest series, or remove them: 95 % of the series have at most {most:,} samples",
    )


def _place(files: Sequence[TsFile], row: int) -> str:
    """Return the file and the line of a row, counted through all files."""
    for file in files[:-1]:
        if row < len(file.series):
            return f"{file.path.name}, {file.place(row)}"
        row -= len(file.series)
    return f"{files[-1].path.name}, {files[-1].place(row)}"


def _official(pair: Pair, files: Sequence[TsFile]) -> DeclaredSplit:
    parts = np.repeat(np.array([TRAIN, TEST], np.int8), [len(file.series) for file in files])
    note = f"official: {pair.train.name} is the training set, {pair.test.name} the test set"
    return DeclaredSplit(parts, notes=(note,))


def _refusals(path: Path, pair: Pair | None) -> dict[str, str]:
    there = "holdout" if pair is None else "official or holdout"
    reason = f"{path}: a .ts file has no groups for a split by group; use --protocol {there}"
    return {"inter-patient": reason, "inter-patient-strict": reason}
