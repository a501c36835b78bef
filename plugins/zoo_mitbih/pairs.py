"""The forms that come as a train file and a test file."""

from pathlib import Path

import numpy as np

from zoo import DataError
from zoo.data import TEST, TRAIN, Ints
from zoo.data.files import Table, dropped_note, read_table, rows_to_keep
from zoo_mitbih.rows import CLASSES, TIMES, Rows
from zoo_mitbih.splits import RECORDS

# Ours stands first: it alone can name patients.
PAIRS = (
    ("mitbih_train.parquet", "mitbih_test.parquet"),
    ("mitbih_train.csv", "mitbih_test.csv"),
    ("heart_big_train.parq", "heart_big_test.parq"),
)

_SAMPLES = tuple(str(time) for time in range(TIMES))


def read_pair(train: Path, test: Path, constant: str) -> Rows:
    """The rows of both files, the train file's first.

    Raises DataError where a file cannot be used, or only one of them names records.
    """
    parts = [_read_part(path, part, constant) for path, part in ((train, TRAIN), (test, TEST))]
    named = [rows.records for rows in parts if rows.records is not None]
    if len(named) == 1:
        raise DataError(f"{train} and {test}: only one of them has a column 'record'; take both from one source")
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
    """The label's column: `target`, or the last of 188 where the columns have no names."""
    names = set(table.names)
    samples = sum(name.isdecimal() for name in names - {"target"})
    if "target" in names and samples == TIMES and names.issuperset(_SAMPLES):
        return "target"
    if table.names == (*_SAMPLES, str(TIMES)):
        return table.names[-1]
    raise DataError(
        f"{table.path} has {len(table.names)} columns; it takes {TIMES} samples, '0' to '{TIMES - 1}', and "
        "the label, called 'target' or the last of a CSV without names"
    )


def _labels(table: Table, target: str) -> Ints:
    labels = table.keys(target)
    broken = np.flatnonzero(~np.isin(labels, np.arange(len(CLASSES))))
    if broken.size:
        raise DataError(
            f"{table.path}: the label at {table.place(int(broken[0]))} is {str(labels[broken[0]])!r}; "
            f"labels are 0 to {len(CLASSES) - 1} for {', '.join(CLASSES)}"
        )
    return labels.astype(np.int64)


def _records(table: Table) -> Ints:
    records = table.keys("record")
    broken = np.flatnonzero(~np.isin(records, np.array(RECORDS)))
    if broken.size:
        raise DataError(
            f"{table.path}: the record at {table.place(int(broken[0]))} is {str(records[broken[0]])!r}, "
            "none of the database's 48 (100 to 234)"
        )
    return records.astype(np.int64)
