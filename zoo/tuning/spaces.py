"""The search space of a study: from the architecture or a file, with typed overrides, checked before any trial.

A file is TOML: `hidden = [8, 16]` are choices, `num_blocks = { low = 1, high = 3 }` is a range of integers, and
`"training.learning_rate" = { low = 1e-4, high = 1e-2, log = true }` is a range of numbers on a log scale. An override
is typed as `key=a,b,c`, `key=low..high` or `key=low..high:log`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoo.assignments import parse_value
from zoo.errors import SettingsError, UsageError, unknown_name
from zoo.factories import parameters
from zoo.registry import Registry
from zoo.space import Choice, Domain, Float, Int, Value
from zoo.tomls import Table, parsed, read_text
from zoo.tuning.request import TuneRequest
from zoo.tuning.trial_cell import AXES, cells_of
from zoo.visible import quoted
from zoo.workspace import Workspace

_RANGE = re.compile(r"(.+?)\.\.(.+?)(:log)?")
Domains = dict[str, Domain]


def resolve_space(workspace: Workspace, request: TuneRequest) -> tuple[Domains, tuple[str, ...]]:
    """Return the space of a study, and notes on it. Raises UsageError or SettingsError, one line each."""
    space = _base(workspace, request)
    for text in request.overrides:
        key, domain = parse_override(text)
        space[key] = domain
    notes = tuple(_drop_what_is_set(space, request))
    if not space:
        raise UsageError("the search space is empty: add keys with --tune key=low..high or key=a,b,c")
    check_space(workspace, request, space)
    return space, notes


def parse_override(text: str) -> tuple[str, Domain]:
    """Parse `key=a,b,c` as a Choice, `key=low..high` as an Int or a Float. Raises UsageError for any other text."""
    key, sign, values = (part.strip() for part in text.partition("="))
    if not (key and sign and values):
        raise UsageError(f"--tune {text!r} is not key=a,b,c or key=low..high")
    ranged = _RANGE.fullmatch(values)
    if ranged is None:
        return key, Choice(*dict.fromkeys(parse_value(value.strip()) for value in values.split(",")))
    low, high = (parse_value(value.strip()) for value in ranged.groups()[:2])
    return key, _range(f"--tune {text!r}", low, high, bool(ranged[3]))


def check_space(workspace: Workspace, request: TuneRequest, space: Mapping[str, Domain]) -> None:
    """Plan a cell for each choice and each end of a range. Raises UsageError for an invalid key or value."""
    for key in space:
        scope = key.partition(".")[0]
        if scope == "dataset" or key == "training.validation":
            raise UsageError(f"{key} cannot be searched, because all trials use the same data: set it with --set")
        if "." in key and scope in AXES and isinstance(named := space.get(scope), Choice):
            _check_applies(workspace.registry, key, named)
    for axis in AXES:
        if axis in space and not isinstance(space[axis], Choice):
            raise UsageError(f"{axis} takes names, not a range: --tune {axis}=a,b")
    first = first_values(space)
    possible = bool(cells_of(workspace, request, first).cells)
    left_out = ""
    for key, domain in space.items():
        for value in _ends(domain):
            plan = cells_of(workspace, request, {**first, key: value})
            possible, left_out = possible or bool(plan.cells), left_out or next(iter(plan.left_out), "")
    if not possible:
        raise UsageError(f"nothing to search: {left_out}")


def _check_applies(registry: Registry, key: str, axis: Choice) -> None:
    """Raise UnknownName for a key that none of the searched components has as a parameter."""
    scope, _, name = key.partition(".")
    kind = AXES[scope]
    known: dict[str, None] = {}
    for component in dict.fromkeys(str(value) for value in axis.values):
        for part in component.split("+"):
            entry = registry.get(kind, part)
            known |= dict.fromkeys(
                [*parameters(entry.spec), *(f"{entry.name}.{each}" for each in parameters(entry.spec))]
            )
    if name not in known:
        raise unknown_name(f"parameter of {axis}", name, known)


def _base(workspace: Workspace, request: TuneRequest) -> Domains:
    entry, _, _ = workspace.architecture(request.architecture)
    spec = entry.spec
    if request.space.endswith(".toml"):
        return read_space(Path(request.space))
    if request.space in spec.spaces:
        return dict(spec.spaces[request.space])
    if request.space == "default" and request.overrides:
        return {}
    if not spec.spaces:
        raise UsageError(f"{entry.name} has no search space: add one with --space FILE.toml or --tune key=low..high")
    raise unknown_name(f"search space of {entry.name}", request.space, spec.spaces)


def read_space(path: Path) -> Domains:
    """Read a space from a TOML file. Raises SettingsError of one line with the path."""
    text = read_text(path)
    try:
        tables = parsed(text)
    except ValueError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}") from None
    try:
        return dict(_domains(tables))
    except UsageError as error:
        raise SettingsError(f"{path}: {error}") from None


def _domains(table: Table, prefix: str = "") -> Iterator[tuple[str, Domain]]:
    """Yield the domains of a table; `a.b` may be a quoted key or a nested table."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and not {"low", "high"} & value.keys():
            yield from _domains(value, f"{key}.")
        elif isinstance(value, dict):
            if unknown := value.keys() - {"low", "high", "log"}:
                raise unknown_name(f"key of {key}", min(unknown), ("low", "high", "log"))
            yield key, _range(key, value.get("low"), value.get("high"), value.get("log", False))
        else:
            values = value if isinstance(value, list) else [value]
            if not values or not all(isinstance(each, bool | int | float | str) for each in values):
                raise UsageError(f"{key} must be a list of values or {{ low = …, high = … }}, not {quoted(value)}")
            yield key, Choice(*values)


def _range(what: str, low: object, high: object, log: object) -> Domain:
    low, high = _number(what, low), _number(what, high)
    if not isinstance(log, bool):
        raise UsageError(f"{what}: log must be true or false, not {quoted(log)}")
    try:
        if isinstance(low, int) and isinstance(high, int):
            return Int(low, high, log)
        return Float(float(low), float(high), log)
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None


def _number(what: str, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{what}: a range needs numbers, such as 1..3 or 1e-4..1e-2, not {quoted(value)}")
    return value


def first_values(space: Mapping[str, Domain]) -> dict[str, Value]:
    """Return one configuration of a space: the first value of each choice, and the low end of each range."""
    return {key: _ends(domain)[0] for key, domain in space.items()}


def _ends(domain: Domain) -> tuple[Value, ...]:
    return domain.values if isinstance(domain, Choice) else (domain.low, domain.high)


def _drop_what_is_set(space: Domains, request: TuneRequest) -> Iterator[str]:
    """Remove keys that a flag or --set fixes; yield a note for each."""
    given: dict[str, Value | None] = {axis: request.given(axis) for axis in AXES}
    given |= {"training.epochs": request.cell.epochs, **request.cell.assignments}
    for key, value in given.items():
        if value is not None and key in space:
            del space[key]
            yield f"{key} is set to {value}, so it is not searched"
