"""Files as data sets, by their extension: tables, NumPy `.npz` archives, and `.ts` and `.tsv` files of the UCR archive.

Plugins can use `read_table`, the checks and the notes to read files of their own.
"""

from pathlib import Path

from zoo.data.checks import check_file, dropped_note, rows_to_keep
from zoo.data.dialects import checked
from zoo.data.npz import NPZ_SUFFIXES, from_npz
from zoo.data.pairs import has_pair, pair_of
from zoo.data.series import LabelledSeries
from zoo.data.tables import CSV_SUFFIXES, PARQUET_SUFFIXES, Table, check_finite, from_table, read_table
from zoo.data.ts import TS_SUFFIXES, from_ts
from zoo.data.tsv import TSV_SUFFIXES, from_tsv
from zoo.errors import DataError, UsageError
from zoo.paths import is_file, is_folder

__all__ = [
    "SUFFIXES",
    "Table",
    "check_file",
    "check_finite",
    "data_set_name",
    "dropped_note",
    "from_file",
    "is_path",
    "read_table",
    "rows_to_keep",
]

_WAYS_OUT = {
    **dict.fromkeys((".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar"), "unpack the file"),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), "save the sheet as CSV"),
    **dict.fromkeys((".txt", ".dat"), "rename a table of text to .csv"),
    ".npy": "save the series and the labels with numpy.savez(path, X=…, y=…)",
}
SUFFIXES = (*CSV_SUFFIXES, *PARQUET_SUFFIXES, *NPZ_SUFFIXES, *TS_SUFFIXES)


def from_file(
    path: Path,
    *,
    target: str | None = None,
    group: str | None = None,
    constant: str = "error",
    header: bool | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    columns: str | None = None,
    drop: str | None = None,
    layout: str | None = None,
) -> LabelledSeries:
    """Read a file as a data set, or a pair `_TRAIN.ts` and `_TEST.ts` by its folder or its name.

    target    the labels: a column of a table (required), or an array of an `.npz`
    group     the group of each row, such as the patient: a column or an array
    constant  the treatment of rows whose samples are all equal: "error", "keep" or "drop"
    header    whether the first line of a CSV holds the column names; None decides by the file
    separator, decimal  the sign between cells of a CSV, and the sign before decimals; None decides by the file
    columns   the samples of a table: names, patterns such as `t*`, ranges such as `t0:t139`, separated by commas
    drop      the columns of a table to leave out, in the same form
    layout    the axes of three-dimensional series in an `.npz`: "ntc" or "nct"; None decides by the array

    Raises DataError for a file that cannot be used, UsageError for an option that its format does not support. Both
    are one line.
    """
    pair = pair_of(path)
    suffix = pair.suffix if pair else "" if is_folder(path) else path.suffix.lower()
    archive = suffix in TS_SUFFIXES or (suffix in TSV_SUFFIXES and (target is None or pair is not None))
    csv_form = {"header": header, "separator": separator, "decimal": decimal}
    for name, value in csv_form.items():
        with_decimals = name == "decimal" and suffix in TSV_SUFFIXES
        if value is not None and not with_decimals and (archive or suffix not in CSV_SUFFIXES):
            raise UsageError(f"{path}: dataset.{name} is for .csv files; leave it out")
    if (columns is not None or drop is not None) and (archive or suffix not in (*CSV_SUFFIXES, *PARQUET_SUFFIXES)):
        raise UsageError(f"{path}: --columns and --drop are for tables (.csv, .parquet); leave them out")
    if layout is not None and suffix not in NPZ_SUFFIXES:
        raise UsageError(f"{path}: dataset.layout is for .npz files; leave it out")
    if suffix in NPZ_SUFFIXES:
        return from_npz(path, target=target, group=group, constant=constant, layout=layout)
    if archive:
        if target is not None or group is not None:
            raise UsageError(
                f"{path}: a {suffix} file names its labels and has no groups; leave out --target and --group"
            )
        if suffix in TS_SUFFIXES:
            return from_ts(path, constant=constant)
        return from_tsv(path, constant=constant, decimal=checked("decimal", decimal))
    if suffix not in SUFFIXES:
        check_file(path)
        way_out = _WAYS_OUT.get(suffix, "convert the file")
        raise DataError(f"{path}: extension {path.suffix!r} is not one of {', '.join(SUFFIXES)}; {way_out}")
    if target is None:
        check_file(path)
        raise UsageError(f"{path}: name the column of the labels with --target")
    return from_table(
        path,
        target=target,
        group=group,
        constant=constant,
        header=header,
        separator=checked("separator", separator),
        decimal=checked("decimal", decimal),
        columns=columns,
        drop=drop,
    )


def data_set_name(path: Path) -> str:
    """Return the name of a file in results. Both files of a pair have the name of the pair."""
    pair = pair_of(path)
    return path.name if pair is None else pair.name


def is_path(name: str) -> bool:
    """Return whether a word means a path: it looks like one, or such a file exists."""
    path = Path(name)
    looks = path.suffix.lower() in SUFFIXES or "/" in name or "\\" in name
    return looks or (path.suffix != "" and is_file(path)) or has_pair(path)
