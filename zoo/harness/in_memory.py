"""Data sets that Python code passes to a bench: arrays, tables, labelled series, and paths."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.assignments import split_assignments
from zoo.data.arrays import ArrayOptions, content_name, from_memory, is_table
from zoo.data.series import LabelledSeries
from zoo.errors import UsageError, unknown_name
from zoo.space import Value

_PARAMETERS = ("constant", "layout")


@dataclass(frozen=True)
class InMemory:
    """A data set in memory; `grouped` is true if the user named its groups."""

    series: LabelledSeries
    params: Mapping[str, Value]
    grouped: bool


def named_datasets(
    dataset: Any, assignments: Mapping[str, Value], **options: Any
) -> tuple[tuple[str, ...], dict[str, InMemory]]:
    """Return the names of data sets, and those in memory by their names, which come from their content.

    dataset  a name, a path, or any value that `zoo.data.arrays.from_memory` takes; a list holds several, and so does a
             tuple of names, paths and labelled series alone
    options  `target`, `group`, `columns` and `drop`

    Raises DataError or UsageError for data that cannot be used.
    """
    names, found = list[str](), dict[str, InMemory]()
    items = _items(dataset)
    if not items:
        _check_names("the default data set", options)
    for item in items:
        if isinstance(item, str | Path):
            _check_names(item, options)
            names.append(item if isinstance(item, str) else _text(item))
            continue
        loaded = _loaded(item, split_assignments(assignments)["dataset"], options)
        name = content_name(loaded.series)
        names.append(name)
        found[name] = loaded
    return tuple(names), found


def _items(dataset: Any) -> list[Any]:
    one = (
        isinstance(dataset, str | Path | LabelledSeries | Mapping) or is_table(dataset) or hasattr(dataset, "__array__")
    )
    if one or (
        isinstance(dataset, tuple) and not all(isinstance(each, str | Path | LabelledSeries) for each in dataset)
    ):
        return [dataset]
    try:
        return list(dataset)
    except TypeError:
        return [dataset]


def _text(path: Path) -> str:
    """Return a path as text that is no name of a data set."""
    return str(path) if path.is_absolute() else f"./{path}"


def _check_names(name: str | Path, options: Mapping[str, Any]) -> None:
    for option in ("target", "group"):
        if not isinstance(options[option], str | None):
            raise UsageError(f"{option}= takes a column of {name}, not a {type(options[option]).__name__}")


def _loaded(item: Any, params: Mapping[str, Value], options: Mapping[str, Any]) -> InMemory:
    for name in params:
        if name not in _PARAMETERS:
            raise unknown_name("parameter of arrays", name, _PARAMETERS)
    stated = {name: str(value) for name, value in params.items()}
    series = from_memory(item, ArrayOptions(**stated, **options))
    columns = {name: value for name, value in options.items() if isinstance(value, str | int)}
    return InMemory(series, {"constant": "error", **stated, **columns}, options["group"] is not None)
