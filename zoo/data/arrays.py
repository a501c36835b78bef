"""Arrays and tables in memory as data sets: NumPy arrays, torch tensors, DataFrames, and all that NumPy can take.

No value is copied before it is needed: a `numpy.memmap` stays on disk.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow

from zoo.data.checks import one_line
from zoo.data.columns import check_one_meaning, checked_names
from zoo.data.counting import describing
from zoo.data.fingerprints import content_key
from zoo.data.keys import Cells, arrow_of, keys_of
from zoo.data.parquets import index_columns
from zoo.data.reading import read_line
from zoo.data.samples import Choice
from zoo.data.series import TEST, TRAIN, LabelledSeries
from zoo.data.sets import LAYOUTS, RowSet, joined, laid_out, place_in, row_set
from zoo.data.tables import Table
from zoo.data.unread import AT_ONCE, Unread, at_once, unread
from zoo.errors import DataError, UsageError, guarded

SOURCE = "the arrays"
PREFIX = "array-"
_PARTS = {1: (("", TRAIN),), 2: (("_train", TRAIN), ("_test", TEST))}


@dataclass(frozen=True, kw_only=True)
class ArrayOptions:
    """How arrays and tables in memory are read.

    target    the column of the labels of a table, by its name or its position from the end, or one label for each row
    group     the column of the groups of a table, or one group for each row; for a published split, the groups of the
              training rows and those of the test rows
    constant  the treatment of rows whose samples are all equal: "error", "keep" or "drop"
    layout    the axes of series `(rows, channels, times)`, "nct", or `(rows, times, channels)`, "ntc"; None: "nct",
              and an array with more channels than samples is refused
    columns, drop  the samples of a table, and the columns to leave out, as in `zoo.data.tables.from_table`
    """

    target: Any = None
    group: Any = None
    constant: str = "error"
    layout: str | None = None
    columns: str | None = None
    drop: str | None = None

    def __post_init__(self) -> None:
        if self.layout not in (None, *LAYOUTS):
            raise UsageError(f"dataset.layout must be one of {', '.join(LAYOUTS)}, not {self.layout!r}")


def is_table(given: object) -> bool:
    """Return whether this is a table, such as a DataFrame of pandas or polars, or a `pyarrow.Table`."""
    return (hasattr(given, "__arrow_c_stream__") or hasattr(given, "__dataframe__")) and hasattr(given, "columns")


def from_memory(given: object, options: ArrayOptions) -> LabelledSeries:
    """Return labelled series, a table, `(X, y)` or `(X_train, y_train, X_test, y_test)` as a data set.

    X is `(rows, times)`, `(rows, channels, times)` or a table; the four arrays are the split `official`. NaN at the end
    of a row, in all channels, is padding. Raises DataError for data that cannot be used, UsageError for options that do
    not fit.
    """
    if isinstance(given, LabelledSeries):
        if options != ArrayOptions(constant=options.constant):
            raise UsageError("a LabelledSeries states its labels, groups and samples: leave out the options for tables")
        large = not isinstance(given.values, Unread) and given.values.nbytes > AT_ONCE
        return replace(given, values=unread(np.asarray(given.values))) if large else given
    arrays = _arrays_of(given, options)
    parts, groups = _PARTS[len(arrays) // 2], _groups_of(options.group, len(arrays) // 2)
    if not any(map(is_table, arrays[::2])) and (options.columns or options.drop):
        raise UsageError("columns and drop are for tables, such as a DataFrame: leave them out")
    sets = [
        _set(f"X{end}", arrays[2 * place], f"y{end}", arrays[2 * place + 1], (f"group{end}", groups[place]), options)
        for place, (end, _) in enumerate(parts)
    ]
    _check_columns(sets)
    series = joined(
        SOURCE,
        [each.rows for each in sets],
        [mark for _, mark in parts],
        short=SOURCE,
        constant=options.constant,
        group_noun=options.group if isinstance(options.group, str) else "group",
    )
    first = sets[0]
    read = read_line(
        SOURCE,
        series.values,
        series.lengths,
        series.labels,
        series.classes,
        samples=_samples(sets),
        label=first.rows.label,
        details=first.left_out,
    )
    return replace(series, read=read)


def content_name(series: LabelledSeries) -> str:
    """Return the name of a data set in memory, such as `array-1f0c2a9b`: equal content has an equal name."""
    return f"{PREFIX}{content_key(series)[:8]}"


@dataclass(frozen=True)
class _Set:
    """A set of rows; of a table, the columns that are samples, and what the line on its reading has to add."""

    rows: RowSet
    samples: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class _MemoryTable(Table):
    """A table whose rows are counted from 0, as in Python."""

    def place(self, row: int) -> str:
        return f"row {row} (counted from 0)"


def _arrays_of(given: object, options: ArrayOptions) -> tuple[Any, ...]:
    """Return X and y, or those of both sets; y is None if a column of the table X holds the labels."""
    if is_table(given):
        if options.target is None:
            raise UsageError(f"the {type(given).__name__}: name the column of the labels with target=")
        return given, None if _is_name(options.target) else options.target
    if not isinstance(given, tuple) or len(given) not in (2, 4):
        many = f"a tuple of {len(given)}" if isinstance(given, tuple) else f"a {type(given).__name__}"
        raise UsageError(
            f"dataset= takes a name, a path, a table, a LabelledSeries, (X, y) or (X_train, y_train, X_test, y_test), "
            f"not {many}; a list has several data sets"
        )
    if options.target is not None:
        raise UsageError("target= is for a table or a file: (X, y) has its labels")
    if any(labels is None for labels in given[1::2]):
        raise UsageError("y is None: pass the labels of X, or the table alone with target=, the column of its labels")
    return given


def _groups_of(group: Any, sets: int) -> tuple[Any, ...]:
    """Return the column of the groups, or the groups of the rows, for each set."""
    if group is None or _is_name(group) or sets == 1:
        return (group,) * sets
    if not isinstance(group, tuple | list) or len(group) != sets:
        raise UsageError("with (X_train, y_train, X_test, y_test), group= takes (group_train, group_test)")
    return tuple(group)


def _is_name(given: object) -> bool:
    return isinstance(given, str | int | np.integer)


def _set(name: str, series: Any, label: str, labels: Any, group: tuple[str, Any], options: ArrayOptions) -> _Set:
    """Return the set of rows of these series, labels and groups; None for labels that are a column of the series."""
    for given, other, each in ((series, labels, label), (series, group[1], group[0]), (labels, group[1], group[0])):
        _check_order(given, name if given is series else label, other, each)
    if is_table(series):
        return _set_of_table(name, series, label, labels, group, options)
    if _is_name(group[1]):
        raise UsageError(f"group={group[1]!r} names a column, but {name} is an array: pass the group of each row")
    given = array_of(series, f"{SOURCE}: {name}")
    values = at_once(unread(laid_out(given, f"{SOURCE}: {name}", options.layout)))
    cells = _cells(labels, label, len(values))
    groups = None if group[1] is None else _cells(group[1], group[0], len(values))
    at = place_in(name, values, options.layout)
    columns = given.ndim == 2
    return _Set(row_set(SOURCE, values, name=name, label=label, labels=cells, groups=groups, columns=columns, at=at))


def _set_of_table(
    name: str, series: Any, label: str, labels: Any, group: tuple[str, Any], options: ArrayOptions
) -> _Set:
    if options.layout is not None:
        raise UsageError("dataset.layout is for arrays with three axes; leave it out")
    table = _table_of(series)
    source, rows = str(table.path), len(table)
    asked = [str(each) for each in (options.target if labels is None else None, group[1]) if _is_name(each)]
    for each in asked:
        check_one_meaning(table.path, table.names, each)
    named = [table.column(each) for each in asked]
    if len(set(named)) < len(named):
        raise DataError(f"{source}: column {named[0]!r} is requested as target and as group; name two columns")
    choice = Choice(asked, options.columns, options.drop)
    samples = choice.samples(table.path, table.names, named)
    lists = table.lists(samples)
    if lists is None and len(samples) < 2:
        besides = f" besides {', '.join(named)}" if named else ""
        raise DataError(f"{source}: {len(samples)} sample columns{besides}; a series needs at least 2")
    values, lengths = table.series(samples)
    cells = table.cells(named[0]) if labels is None else _cells(labels, label, rows)
    if lists is None:
        described = describing(values[:, 0], keys_of(cells), lengths)
        choice.check(table.path, table.names, samples, described)
    if _is_name(group[1]):
        groups: Cells | None = table.cells(named[-1])
    else:
        groups = None if group[1] is None else _cells(group[1], group[0], rows)
    found = row_set(
        source,
        values,
        name=name,
        label=named[0] if labels is None else label,
        labels=cells,
        groups=groups,
        lengths=lengths,
        at=lambda row, _, time: f"{table.place(row)}, sample {time}",
        place=table.place,
    )
    unused = [each for each in table.names if each not in {*samples, *named}]
    left_out = (f"left out: {', '.join(unused[:6])}{', …' if len(unused) > 6 else ''}",) if unused else ()
    return _Set(replace(found, ended=lengths is not None), tuple(samples), left_out)


def _check_columns(sets: Sequence[_Set]) -> None:
    """Raise DataError if the tables of a split have their samples in different columns."""
    for each in sets[1:]:
        for one, other in zip_longest(sets[0].samples, each.samples, fillvalue="no column"):
            if one != other and sets[0].samples and each.samples:
                unlike = f"X_train has {one!r} where X_test has {other!r}"
                raise DataError(f"{unlike}: the same columns in the same order are needed")


def _samples(sets: Sequence[_Set]) -> str:
    if first := sets[0].samples:
        return f"{first[0]} … {first[-1]}"
    return " and ".join(each.rows.name for each in sets)


def _check_order(one: Any, its_name: str, other: Any, name: str) -> None:
    """Raise DataError if pandas has two of series, labels and groups in another order, or other rows, by their index.

    An index that counts from 0 was made by pandas, and names no rows.
    """
    here: Any = getattr(one, "index", None)
    there: Any = getattr(other, "index", None)
    if not (hasattr(here, "get_indexer_for") and hasattr(there, "get_indexer_for")) or here.equals(there):
        return
    counts = any(each.tolist() == list(range(len(each))) for each in (here, there))
    if len(here) == len(there) and here.isin(there).all() and there.isin(here).all():
        raise DataError(f"{name} has the rows in another order, by its index: pass {name}.loc[{its_name}.index]")
    if not counts and here.isin(there).any():
        raise DataError(f"{name} has other rows than {its_name}, by its index: pass {name}.loc[{its_name}.index]")


def _table_of(given: Any) -> Table:
    """Return a table in memory; the index that pandas gave its rows, if it has names, is no sample."""
    path = Path(f"the {type(given).__name__}")
    pandas = sys.modules.get("pandas")
    try:
        if pandas is not None and isinstance(given, pandas.DataFrame):
            checked_names(path, [str(name) for name in given.columns])
            named = [name for name in given.index.names if name is not None]
            index = tuple(str(name) for name in named)
            data = pyarrow.Table.from_pandas(given.reset_index(named) if named else given, preserve_index=False)
        else:
            data = pyarrow.table(given)
            index = index_columns(data.schema)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read: {one_line(error)}; each column holds numbers or text, with a name of its own"
        ) from error
    if not data.num_rows:
        raise DataError(f"{path} has no rows")
    names = checked_names(path, [name for name in data.column_names if name not in index])
    return _MemoryTable(path, names, data, index=index)


def array_of(given: Any, what: str) -> npt.NDArray[Any]:
    """Return an array without a copy if possible, also of a tensor on any device. Raises DataError for other things."""
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise DataError(f"{what} has masked values; fill them in, NaN only at the end of rows")
    torch = sys.modules.get("torch")
    with guarded(DataError, f"{what} cannot be an array"):
        if torch is not None and isinstance(given, torch.Tensor):
            given = given.detach().cpu().resolve_conj().resolve_neg()
            given = given.float() if given.dtype == torch.bfloat16 else given
            return np.asarray(given.numpy())
        if (
            isinstance(given, list | tuple)
            and torch is not None
            and any(isinstance(one, torch.Tensor) for one in given)
        ):
            return np.stack([array_of(one, what) for one in given])
        try:
            return np.asarray(given)
        except ValueError as error:
            if isinstance(given, list | tuple) and len({len(row) for row in given if hasattr(row, "__len__")}) > 1:
                raise DataError(f"{what} has rows of unequal lengths; pad them with NaN at the end") from error
            raise


def _cells(given: Any, name: str, rows: int) -> Cells:
    """Return labels or groups, one for each row. Raises DataError for another shape, or values of several types."""
    what = f"{SOURCE}: {name}"
    array = np.fromiter(given, object, len(given)) if isinstance(given, list | tuple) else array_of(given, what)
    if array.shape != (rows,):
        raise DataError(f"{what} has the shape {array.shape}, not ({rows},): it needs one value per row")
    values = _arrow_of_objects(array, what) if array.dtype == object else arrow_of(array, what)
    return Cells(values, what, lambda row: f"{name}[{row}]")


def _arrow_of_objects(array: npt.NDArray[Any], what: str) -> Any:
    plain = [item.item() if hasattr(item, "item") else item for item in array.tolist()]
    try:
        return pyarrow.chunked_array([pyarrow.array(plain, from_pandas=True)])
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{what} holds values of several types; use whole numbers alone, or text alone") from error
