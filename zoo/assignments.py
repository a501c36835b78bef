"""The assignments of `--set`: `key=value`, and the scope of each key."""

from collections.abc import Iterable, Mapping

from zoo.errors import UsageError, unknown_name
from zoo.numerals import is_number
from zoo.space import Value
from zoo.tomls import parsed

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
