"""`.tsv` files of the UCR archive as data sets: a single file, or a pair `_TRAIN.tsv` and `_TEST.tsv`.

Each line is a series: the label first, then its samples, separated by tabs, without column names. NaN at the end of a
line is padding of shorter series (Dau et al. 2019, arXiv:1810.07758).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zoo.data.checks import check_file, dropped_note, flat_rows, kept_of
from zoo.data.counting import describing
from zoo.data.csvs import CsvForm, has_names, read_csv
from zoo.data.keys import Cells, alike_note, classes_of, keys_of_sets
from zoo.data.lengths import padding_note, settled
from zoo.data.pairs import alone_note, check_can_stand_alone, pair_of, refusals
from zoo.data.reading import read_line
from zoo.data.series import Floats, Ints, LabelledSeries
from zoo.data.tables import Table
from zoo.errors import DataError

TSV_SUFFIXES = (".tsv",)
_LABEL = "0"  # the name of the first column


@dataclass(frozen=True)
class _Half:
    """The rows of one file: values float32 `(rows, 1, times)`, their lengths, and the labels of all rows read.

    kept     the rows that are kept, out of all rows read
    details  how the file was read, where it is not the usual way
    """

    path: Path
    values: Floats
    lengths: Ints
    labels: Cells
    kept: npt.NDArray[np.bool_]
    notes: tuple[str, ...]
    details: tuple[str, ...]


def from_tsv(path: Path, *, constant: str = "error", decimal: str | None = None) -> LabelledSeries:
    """Read a `.tsv` file as a data set; given a file of a pair, its folder or its name, read both as `official`.

    constant  the treatment of rows whose samples are all equal: "error", "keep" or "drop"
    decimal   the sign before decimals; None decides by the file

    Raises DataError for data that cannot be used, in one line with the file, the place and the way out.
    """
    pair = pair_of(path)
    if pair is None:
        check_can_stand_alone(path)
    halves = [_half(each, constant, decimal) for each in ((path,) if pair is None else (pair.train, pair.test))]
    names = " and ".join(half.path.name for half in halves)
    read = keys_of_sets([half.labels for half in halves])
    for half, of_half in zip(halves, read, strict=True):
        _check_samples(half, of_half[half.kept])
    keys = np.concatenate([of_half[half.kept] for of_half, half in zip(read, halves, strict=True)])
    labels, classes = classes_of(keys, f"{path}: the first column")
    details = dict.fromkeys(detail for half in halves for detail in half.details)
    values, lengths = settled(_wide(halves), np.concatenate([half.lengths for half in halves]))
    return LabelledSeries(
        values=values,
        labels=labels,
        classes=classes,
        lengths=lengths,
        splits={} if pair is None else {"official": pair.split(*(len(half.values) for half in halves))},
        refusals=refusals(path, pair),
        notes=(
            *(alone_note(path) if pair is None else ()),
            *(note for half in halves for note in half.notes),
            *alike_note(keys, "labels"),
        ),
        read=read_line(names, values, lengths, labels, classes, details=("label first", "no header", *details)),
    )


def _check_samples(half: _Half, labels: npt.NDArray[np.generic]) -> None:
    """Raise DataError for a column that is an index, an id or the label by its values."""
    found = describing(half.values[:, 0], labels, half.lengths)
    if found:
        place, reason = next(iter(found.items()))
        raise DataError(
            f"{half.path}: column '{place + 1}' seems to be no sample: {reason}; remove the column, or save the series "
            "as X (rows, 1, times) in an .npz if it is a sample"
        )


def _half(path: Path, constant: str, decimal: str | None) -> _Half:
    table = _table(path, decimal)
    values, lengths = table.series(table.names[1:])
    kept = kept_of(flat_rows(values, lengths), constant, str(path), table.place)
    padded = () if lengths is None else (padding_note(path.name),)
    ends = np.full(len(values), values.shape[2], np.int64) if lengths is None else lengths
    notes = (*(f"{path.name}: {note}" for note in dropped_note(kept)), *padded)
    return _Half(path, values[kept], ends[kept], table.cells(_LABEL), kept, notes, table.details)


def _table(path: Path, decimal: str | None) -> Table:
    check_file(path)
    form = CsvForm(header=False, separator="\t", decimal=decimal)
    try:
        if has_names(path, form, _LABEL):
            raise DataError(
                f"{path}: the first line seems to hold column names; remove it, or name the labels with --target"
            )
        csv = read_csv(path, form, [_LABEL])
    except DataError as error:
        raise DataError(f"{error}; without --target, a .tsv file has the label first and no column names") from error
    if len(csv.names) < 3:
        raise DataError(f"{path}: the first line has {len(csv.names)} columns; a series needs a label and 2 samples")
    details = tuple(detail for detail in csv.dialect.details() if "tabs" not in detail)
    return Table(path, csv.names, csv.data, csv.header, details=details)


def _wide(halves: Sequence[_Half]) -> Floats:
    """Return the rows of both files, padded with zeros to the wider one."""
    widest = max(half.values.shape[2] for half in halves)
    return np.concatenate(
        [np.pad(half.values, ((0, 0), (0, 0), (0, widest - half.values.shape[2]))) for half in halves]
    )
