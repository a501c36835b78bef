"""The assignments of `--set`: `key=value`, tables of them in TOML, and the scope of each key."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zoo.errors import UsageError, unknown_name
from zoo.numerals import is_number
from zoo.space import Value
from zoo.tomls import Table, parsed
from zoo.visible import quoted

SCOPES = ("block", "data", "loss", "dataset", "training")


def split_assignments(assignments: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """Split assignments such as `block.reduction=8` by scope; keys without a scope are the architecture's, under ""."""
    scopes: dict[str, dict[str, Value]] = {scope: {} for scope in ("", *SCOPES)}
    for key, value in assignments.items():
        scope, dot, name = key.partition(".")
        if not dot:
            scopes[""][key] = value
        elif scope in SCOPES:
            scopes[scope][name] = value
        else:
            raise unknown_name("scope of --set", scope, SCOPES)
    return scopes


def parse_assignments(assignments: Iterable[str]) -> dict[str, Value]:
    """Return `key=value` strings as a mapping; values are read as TOML, bare words as text."""
    parsed = {}
    for assignment in assignments:
        key, sign, text = assignment.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"--set {assignment!r} is not key=value")
        parsed[key.strip()] = parse_value(text.strip())
    return parsed


def parse_value(text: str) -> Value:
    """Return a typed value: a number in plain notation, true, false or text, with or without quotes."""
    try:
        value = parsed(f"value = {text}")["value"]
    except ValueError:
        return text
    if isinstance(value, bool | str) or (isinstance(value, int | float) and is_number(text)):
        return value
    return text


def settings_of_table(value: Any) -> dict[str, Any]:
    """Return the settings of a table `set` of a TOML file by their whole names. Raises UsageError."""
    if not isinstance(value, dict):
        raise UsageError(f'set must be a table, such as {{ "training.batch_size" = 32 }}, not {quoted(value)}')
    flat = dict(_flat(value))
    for key, each in flat.items():
        if not isinstance(each, bool | int | float | str):
            raise UsageError(f"set.{key} must be a number, text, true or false, not {quoted(each)}")
    return flat


def _flat(table: Table, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by their whole names: `training.batch_size = 32` in TOML is a table in a table."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
