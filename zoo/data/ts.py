"""`.ts` files of the UCR/UEA archive as data sets: a single file, or a pair `_TRAIN.ts` and `_TEST.ts`.

The pair is the published split of its problem (Bagnall et al. 2018, arXiv:1811.00075).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zoo.data.checks import dropped_note, kept_of
from zoo.data.lengths import padding_note, settled
from zoo.data.memory import check_fits
from zoo.data.pairs import alone_note, check_can_stand_alone, pair_of, refusals
from zoo.data.reading import read_line
from zoo.data.series import Floats, LabelledSeries
from zoo.data.tsfile import TsFile, read_ts, split_classes
from zoo.errors import DataError

TS_SUFFIXES = (".ts",)


def from_ts(path: Path, *, constant: str = "error") -> LabelledSeries:
    """Read a `.ts` file as a data set; given either file of a pair, or their folder, read both as the split `official`.

    constant  the treatment of rows that are constant in every channel: "error", "keep" or "drop"

    The classes come from the headers, in their order. Series of unequal lengths are padded with zeros to the longest
    series of both files, and their lengths are declared. Raises DataError for data that cannot be used, in one line
    with the file, the line and the way out.
    """
    pair = pair_of(path)
    if pair is None:
        check_can_stand_alone(path)
    read = [read_ts(each) for each in ((path,) if pair is None else (pair.train, pair.test))]
    kept = [kept_of(_flat(file), constant, str(file.path), file.place) for file in read]
    files = [file.take(keep) for file, keep in zip(read, kept, strict=True)]
    labels_of_all = {label for file in read for label in file.labels}
    names = dict.fromkeys(name for file in files for name in split_classes(file.words, labels_of_all))
    number = {name: place for place, name in enumerate(names)}
    values, lengths = settled(*_padded(files))
    padded = [padding_note(file.path.name) for file in read if file.padded]
    dropped = [
        f"{file.path.name}: {note}" for file, keep in zip(files, kept, strict=True) for note in dropped_note(keep)
    ]
    labels = np.array([number[name] for file in files for name in file.labels], np.int64)
    return LabelledSeries(
        values=values,
        labels=labels,
        classes=tuple(number),
        lengths=lengths,
        splits={} if pair is None else {"official": pair.split(*(len(file.series) for file in files))},
        refusals=refusals(path, pair),
        notes=(
            *(alone_note(path) if pair is None else ()),
            *(note for file in read for note in file.notes),
            *padded,
            *dropped,
        ),
        read=read_line(" and ".join(file.path.name for file in files), values, lengths, labels, tuple(number)),
    )


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
