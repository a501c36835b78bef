"""Factories: import the callable that a spec names, and read its parameters and their defaults.

The signature of the factory is the only place that defines the defaults.
"""

import hashlib
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from math import isfinite
from typing import Any

from zoo.absent import absent_library, missing
from zoo.errors import PluginError, UsageError, guarded, unknown_name
from zoo.paths import expanded, problem, why_not
from zoo.space import Value
from zoo.specs import Component
from zoo.standalone import plain_name
from zoo.surroundings.imports import import_kept
from zoo.visible import is_unicode, quoted

# The arguments that the harness passes; users cannot set them.
HARNESS_ARGUMENTS: Mapping[str, frozenset[str]] = {
    "architecture": frozenset({"n_channels", "n_times", "n_classes", "block"}),
    "block": frozenset({"channels", "dims"}),
    "dataset": frozenset({"data_dir", "rows"}),
    "resampler": frozenset({"random_state"}),
    "objective": frozenset({"class_counts"}),
    "searcher": frozenset({"seed", "startup"}),
}


@cache
def load_factory(spec_factory: str) -> Callable[..., Any]:
    """Import and return the callable `"package.module:Name"`.

    Raises PluginError if there is none, MissingLibrary if its module imports a library that is not installed.
    """
    module_name, _, name = spec_factory.partition(":")
    shown = repr(plain_name(spec_factory))
    try:
        with guarded(PluginError, f"factory {shown} cannot be imported"):
            module = import_kept(module_name)
    except PluginError as error:
        if library := absent_library(error.__cause__, module_name):
            raise missing(library, plain_name(spec_factory)) from error
        raise
    factory = getattr(module, name, None)
    if not callable(factory):
        close = get_close_matches(name, vars(module), n=1)
        hint = f". Did you mean {close[0]}?" if close else ""
        raise PluginError(f"factory {shown}: the module has no callable {name!r}{hint}")
    return factory  # type: ignore[no-any-return]


def parameters(spec: Component) -> dict[str, inspect.Parameter]:
    """Return the parameters that users can set, with their defaults, in the order of the signature."""
    hidden = HARNESS_ARGUMENTS[spec.kind]
    signature = inspect.signature(load_factory(spec.factory))
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind in named and name not in hidden
    }


def complete(spec: Component, given: Mapping[str, Value], *, elsewhere: Iterable[str] = ()) -> dict[str, Value]:
    """Check the given parameters, and return them with the factory's defaults for all others.

    `elsewhere` holds names outside this component that an error message may suggest. Raises UnknownName for an unknown
    parameter, UsageError for a missing value or a value of a wrong type.
    """
    known = parameters(spec)
    for name in given:
        if name not in known:
            raise unknown_name(f"parameter of {spec.name}", name, known, elsewhere=elsewhere)
    values = {name: parameter.default for name, parameter in known.items() if name not in given}
    for name, value in values.items():
        if not isinstance(value, bool | int | float | str | None) and value is not inspect.Parameter.empty:
            raise PluginError(
                f"{spec.kind} {spec.name}: the default of {name!r} is {value!r}, not a plain value that can be stored "
                "and set (bool, int, float, str or None)"
            )
    missing = [name for name, value in values.items() if value is inspect.Parameter.empty]
    if missing:
        raise UsageError(f"{spec.kind} {spec.name} needs a value for {', '.join(missing)}: --set {missing[0]}=…")
    values |= {name: checked(f"{spec.name}'s {name}", value, known[name].default) for name, value in given.items()}
    for name, value in values.items():
        if isinstance(value, str) and not is_unicode(value):
            raise UsageError(f"{spec.name}'s {name} must be text in UTF-8, not {value!r}")
    return {name: values[name] for name in known}


def located(spec: Component, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return complete parameters with absolute paths of files. Raises UsageError for a file that cannot be read."""
    found = dict(values)
    for name in spec.files:
        if name not in found:
            raise PluginError(f"{spec.kind} {spec.name}: files has {name!r}, which is no parameter of its factory")
        value = found[name]
        if value in (None, ""):
            continue
        if not isinstance(value, str):
            raise UsageError(f"{spec.name}'s {name} must be the path of a file, not {quoted(value)}")
        path = expanded(value)
        if wrong := problem(path):
            raise UsageError(f"{spec.name}'s {name}: {wrong}")
        found[name] = str(path.absolute())
    return found


def contents(spec: Component, values: Mapping[str, Value]) -> dict[str, str]:
    """Return the sha256 of the content of each file among the parameters. Raises UsageError if one cannot be read."""
    files = {name: value for name in spec.files if isinstance(value := values.get(name), str) and value}
    found = {}
    for name, path in files.items():
        try:
            status = os.stat(path)
            found[name] = _sha256(path, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        except OSError as error:
            raise UsageError(f"{spec.name}'s {name}: {path!r} cannot be read: {why_not(error)}") from None
    return found


@lru_cache(maxsize=64)
def _sha256(path: str, unchanged: tuple[int, ...]) -> str:
    """Return the sha256 of a file, which is read again if `unchanged` differs."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(what: str, value: Value, like: Any) -> Value:
    """Return the value in the type of the default `like`, with whole numbers converted between int and float."""
    if isinstance(value, float) and not isfinite(value):
        raise UsageError(f"{what} must be a finite number, not {quoted(value)}")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UsageError(f"{what} must be a number that fits into 64 bits, not {quoted(value)}")
    if like is None or like is inspect.Parameter.empty or type(value) is type(like):
        return value
    if isinstance(like, float) and type(value) is int:
        return float(value)
    if isinstance(like, int) and type(like) is not bool and isinstance(value, float) and value.is_integer():
        return int(value)
    raise UsageError(f"{what} must be {_noun(like)}, not {quoted(value)}")


def _noun(like: Any) -> str:
    nouns = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return nouns.get(type(like), type(like).__name__)
