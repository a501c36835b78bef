"""The file formats with one training file and one test file."""

from pathlib import Path

import numpy as np

from zoo import DataError
from zoo.data import TEST, TRAIN, Ints
from zoo.data.files import Table, dropped_note, read_table, rows_to_keep
from zoo_mitbih.rows import CLASSES, TIMES, Rows
from zoo_mitbih.splits import RECORDS

# The zoo's own format comes first: it is the only one that can identify patients.
PAIRS = (
    ("mitbih_train.parquet", "mitbih_test.parquet"),
    ("mitbih_train.csv", "mitbih_test.csv"),
    ("heart_big_train.parq", "heart_big_test.parq"),
)

_SAMPLES = tuple(str(time) for time in range(TIMES))


def read_pair(train: Path, test: Path, constant: str) -> Rows:
    """Read the rows of both files, those of the training file first.

    Raises DataError if a file cannot be used, or if only one of them has record numbers.
    """
    parts = [_read_part(path, part, constant) for path, part in ((train, TRAIN), (test, TEST))]
    named = [rows.records for rows in parts if rows.records is not None]
    if len(named) == 1:
        raise DataError(f"{train} and {test}: only one of them has a column 'record'; use files from the same source")
    return Rows(
        values=np.concatenate([rows.values for rows in parts]),
        labels=np.concatenate([rows.labels for rows in parts]),
        records=np.concatenate(named) if named else None,
        parts=np.concatenate([rows.parts for rows in parts if rows.parts is not None]),
        notes=tuple(note for rows in parts for note in rows.notes),
    )


def _read_part(path: Path, part: int, constant: str) -> Rows:
    table = read_table(path)
    target = _target(table)
    values = table.numbers(_SAMPLES)
    kept = rows_to_keep(values, constant, str(path), table.place)
    rows = Rows(
        values=values,
        labels=_labels(table, target),
        records=_records(table) if "record" in table.names else None,
        parts=np.full(len(table), part, np.int8),
        notes=tuple(f"{path.name}: {note}" for note in dropped_note(kept)),
    )
    return rows if kept.all() else rows.take(kept)


def _target(table: Table) -> str:
    """Return the name of the label column: `target`, or the last of 188 columns without names."""
    names = set(table.names)
    samples = sum(name.isdecimal() for name in names - {"target"})
    if "target" in names and samples == TIMES and names.issuperset(_SAMPLES):
        return "target"
    if table.names == (*_SAMPLES, str(TIMES)):
        return table.names[-1]
    raise DataError(
        f"{table.path} has {len(table.names)} columns; expected {TIMES} samples, '0' to '{TIMES - 1}', and "
        "the label, named 'target' or last in a CSV without column names"
    )


def _labels(table: Table, target: str) -> Ints:
    labels = table.keys(target)
    broken = np.flatnonzero(~np.isin(labels, np.arange(len(CLASSES))))
    if broken.size:
        raise DataError(
            f"{table.path}: the label at {table.place(int(broken[0]))} is {str(labels[broken[0]])!r}; "
            f"expected 0 to {len(CLASSES) - 1} for {', '.join(CLASSES)}"
        )
    return labels.astype(np.int64)


def _records(table: Table) -> Ints:
    records = table.keys("record")
    broken = np.flatnonzero(~np.isin(records, np.array(RECORDS)))
    if broken.size:
        raise DataError(
            f"{table.path}: the record at {table.place(int(broken[0]))} is {str(records[broken[0]])!r}, "
            "which is not one of the 48 records of the database (100 to 234)"
        )
    return records.astype(np.int64)
