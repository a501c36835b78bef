"""The assignments of `--set`: `key=value`, and the scope of each key."""

import tomllib
from collections.abc import Iterable, Mapping

from zoo.errors import UsageError, unknown_name
from zoo.space import Value

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
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str) else text
