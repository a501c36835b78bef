"""Parquet files. Their metadata state how large they are in memory, which a small file may hide."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from zoo.data.checks import one_line
from zoo.data.columns import checked_names
from zoo.data.csvs import Choose
from zoo.data.lists import is_list
from zoo.data.memory import check_fits
from zoo.errors import DataError

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_SAMPLE_BYTES = 2 * 4  # a value of a series, float32, and one copy
_FEWER = "save fewer rows or columns, or use a machine with more memory"


@dataclass(frozen=True)
class Parquet:
    """The columns of a Parquet file as a `pyarrow.Table`.

    names  all columns but those of the index, also columns that were not read
    index  the columns that pandas wrote as the index of the rows
    """

    names: tuple[str, ...]
    index: tuple[str, ...]
    data: Any


def read_parquet(path: Path, choose: Choose) -> Parquet:
    """Read columns. Raises DataError for a damaged file, one too large for the memory, or columns without numbers."""
    try:
        # Not `pyarrow.parquet.read_table`: it would turn a folder named `a=b` into a column. Opened here: pyarrow opens
        # only paths in UTF-8.
        with path.open("rb") as file:
            found = pyarrow.parquet.ParquetFile(file)
            schema = found.schema_arrow
            index = index_columns(schema)
            names = checked_names(path, [name for name in schema.names if name not in index])
            chosen = [*choose(names, index), *index]
            _check_types(path, [schema.field(name) for name in chosen])
            texts = _check_size(path, found)
            options = {"page_checksum_verification": True, "read_dictionary": texts}
            columns = None if len(chosen) == len(schema.names) else chosen
            data = pyarrow.parquet.ParquetFile(file, **options).read(columns).select(chosen)
            return Parquet(names, index, _plain(path, data))
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is not a Parquet file, or is cut short or damaged; write or download it again ({one_line(error)})"
        ) from error


def index_columns(schema: Any) -> tuple[str, ...]:
    """Return the columns that pandas wrote as the index of the rows, which its metadata in the file name."""
    found = [name for name in schema.names if name.startswith("__index_level_")]
    try:
        listed = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))["index_columns"]
        found += [name for name in listed if isinstance(name, str) and name in schema.names]
    except (ValueError, KeyError, TypeError, RecursionError):  # not written by pandas
        pass
    return tuple(dict.fromkeys(found))


def _check_types(path: Path, fields: Sequence[Any]) -> None:
    """Raise DataError for a column whose cells are neither numbers nor text nor lists of numbers."""
    for field in fields:
        nested = pyarrow.types.is_nested(field.type) or isinstance(field.type, pyarrow.BaseExtensionType)
        if nested and not is_list(field.type):
            raise DataError(
                f"{path}: column {field.name!r} holds {field.type}, not numbers; write one column for each sample, or "
                f"the series as X in an .npz, or leave the column out with --drop {shlex.quote(field.name)}"
            )


def _check_size(path: Path, file: Any) -> list[str]:
    """Return the columns of text. Raises DataError if the numbers do not fit in memory."""
    rows, schema = file.metadata.num_rows, file.schema
    columns = [schema.column(place) for place in range(len(schema))]
    texts = [place for place, column in enumerate(columns) if column.physical_type == "BYTE_ARRAY"]
    needed = sum(
        (rows if column.max_repetition_level == 0 else _values(file.metadata, place))
        * (_WIDTHS.get(column.physical_type, column.length) + _SAMPLE_BYTES)
        for place, column in enumerate(columns)
    ) + sum(_stored(file.metadata, place) for place in texts)
    check_fits(needed, f"{path}: reading {rows:,} rows of {len(columns):,} columns", _FEWER)
    return [columns[place].path for place in texts]


def _values(metadata: Any, column: int) -> int:
    """Return the number of values in the lists of a column."""
    return sum(metadata.row_group(group).column(column).num_values for group in range(metadata.num_row_groups))


def _stored(metadata: Any, column: int) -> int:
    """Return the size of a column without compression."""
    groups = range(metadata.num_row_groups)
    return sum(metadata.row_group(group).column(column).total_uncompressed_size for group in groups)


def _plain(path: Path, table: Any) -> Any:
    """Return the table with its text in full. In the file, and as read, each text is stored once.

    Raises ArrowInvalid for text that is not UTF-8.
    """
    for place, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):
            column = table.column(place)
            for chunk in column.chunks:
                chunk.dictionary.validate(full=True)
            check_fits(_length(column), f"{path}: the text of {len(column):,} rows", _FEWER)
            table = table.set_column(place, field.name, column.cast(field.type.value_type))
    return table


def _length(column: Any) -> int:
    """Return the number of bytes of a column of text that is stored as indices into a dictionary."""
    total = 0
    for chunk in column.chunks:
        lengths = pyarrow.compute.binary_length(chunk.dictionary)
        total += pyarrow.compute.sum(lengths.take(chunk.indices)).as_py() or 0
    return total
