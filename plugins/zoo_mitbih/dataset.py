"""The data set `mitbih`, from any of its file formats."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from zoo import DataError
from zoo.data import DeclaredSplit, LabelledSeries
from zoo_mitbih.beats import FILES, read_records
from zoo_mitbih.pairs import PAIRS, read_pair
from zoo_mitbih.rows import CLASSES, Rows, in_order
from zoo_mitbih.splits import inter_patient, official, patients

# The folder itself, and the folders that archives and downloads unpack to.
SUBFOLDERS = ("", "mitbih", "mitdb", "mit-bih-arrhythmia-database-1.0.0")

_SOURCES = (
    "download mitbih_train.csv and mitbih_test.csv (Kaggle, 'ECG Heartbeat Categorization Dataset': "
    "https://www.kaggle.com/datasets/shayanfazeli/heartbeat) or the raw records (PhysioNet, "
    "'MIT-BIH Arrhythmia Database 1.0.0': https://physionet.org/content/mitdb/1.0.0/) "
    "and name their folder with --data-dir"
)
_NO_PATIENTS = "these files do not identify patients; use the raw PhysioNet folder (MIT-BIH Arrhythmia Database 1.0.0)"
_NO_OFFICIAL = "the raw records have no official split; use inter-patient, or the Kaggle CSV files"


def mitbih(*, data_dir: Path | None = None, constant: str = "error") -> LabelledSeries:
    """Return 109,446 heartbeats of 47 patients, `(rows, 1, 187)` in 0 to 1 at 120 Hz, classes N, S, V, F, Q.

    data_dir  the folder with the files, or the folder above it if the folder is named `mitbih` or `mitdb`. The files
              are one of:
              `mitbih_train.parquet` and `mitbih_test.parquet`, with or without a column `record`;
              `mitbih_train.csv` and `mitbih_test.csv`, as on Kaggle;
              `heart_big_train.parq` and `heart_big_test.parq`;
              the 48 raw records of PhysioNet (requires wfdb)
    constant  how to treat rows whose samples are all equal: "error", "keep" or "drop"

    The order of the rows does not depend on the file format. Groups are patients, if the format has record numbers.
    Raises DataError if the files are missing or cannot be used.
    """
    rows = in_order(_read(data_dir, constant))
    return LabelledSeries(
        values=rows.values[:, np.newaxis, :],
        labels=rows.labels,
        classes=CLASSES,
        groups=None if rows.records is None else patients(rows.records),
        splits=_splits(rows),
        refusals=_refusals(rows),
        notes=rows.notes,
    )


def _splits(rows: Rows) -> Mapping[str, DeclaredSplit]:
    found = {} if rows.parts is None else {"official": official(rows.parts)}
    if rows.records is not None:
        found["inter-patient"] = inter_patient(rows.records, rows.labels, strict=False)
        found["inter-patient-strict"] = inter_patient(rows.records, rows.labels, strict=True)
    return found


def _refusals(rows: Rows) -> Mapping[str, str]:
    found = {"official": _NO_OFFICIAL} if rows.parts is None else {}
    if rows.records is None:
        found |= dict.fromkeys(("inter-patient", "inter-patient-strict"), _NO_PATIENTS)
    return found


def _read(data_dir: Path | None, constant: str) -> Rows:
    if data_dir is None:
        raise DataError(f"mitbih needs its files: {_SOURCES}, or set ZOO_DATA")
    try:
        folder, form = _find(data_dir)
    except OSError as error:
        raise DataError(f"{data_dir} cannot be read: {error.strerror}; check its permissions") from error
    if form is FILES:
        return read_records(folder, constant)
    train, test = form
    return read_pair(folder / train, folder / test, constant)


def _find(data_dir: Path) -> tuple[Path, tuple[str, ...]]:
    """Return a folder that contains all files of one format, and their names."""
    if data_dir.is_file():
        raise DataError(f"{data_dir} is a file; name the folder that contains it")
    if not data_dir.is_dir():
        raise DataError(f"folder {str(data_dir)!r} does not exist; {_SOURCES}")
    places = [(folder, form) for folder in _folders(data_dir) for form in (*PAIRS, FILES)]
    for folder, form in places:
        if not _missing(folder, form):
            return folder, form
    for folder, form in places:
        missing = _missing(folder, form)
        if len(missing) < len(form):
            raise DataError(_incomplete(folder, form, missing))
    raise DataError(f"{data_dir} contains no files of mitbih; {_SOURCES}")


def _missing(folder: Path, form: tuple[str, ...]) -> list[str]:
    return [name for name in form if not (folder / name).exists()]


def _incomplete(folder: Path, form: tuple[str, ...], missing: list[str]) -> str:
    if form is not FILES:
        (other,) = set(form) - set(missing)
        return f"{folder}: {missing[0]} is missing, only {other} was found; download both"
    some = ", ".join(missing[:4]) + (", …" if len(missing) > 4 else "")
    return (
        f"{folder}: {len(missing)} of the {len(FILES)} files of the 48 raw records are missing: {some}; "
        "download them from https://physionet.org/content/mitdb/1.0.0/"
    )


def _folders(data_dir: Path) -> Iterator[Path]:
    return (data_dir / name for name in SUBFOLDERS if (data_dir / name).is_dir())
