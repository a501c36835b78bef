"""Read a file of hypotheses. Every error is one line with the file, the hypothesis and the key."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from zoo.assignments import settings_of_table
from zoo.claims.hypothesis import AXES, TREATMENT, Direction, Group, Hypothesis, HypothesisFile, Kind, Part
from zoo.claims.metrics import check_metric, is_positive
from zoo.data.folds import CROSS_VALIDATION
from zoo.errors import UsageError, ZooError, unknown_name
from zoo.harness.request import MOST_SEEDS
from zoo.paths import expanded
from zoo.tomls import Table, parsed_file, read_text
from zoo.visible import quoted

LISTS = {*AXES, "dataset", "if_available", "space", "drop_class", "merge_class"}  # one text, or a list of texts
TEXTS = {"kind", "metric", "direction", "protocol", "search", "data_dir", "target", "group", "columns", "drop"}
WHOLE = {"rows", "epochs", "steps", "trials"}
OPTIONS = ("data_dir", "target", "group", "columns", "drop", "drop_class", "merge_class")
COMMON = {*LISTS, *TEXTS, *WHOLE, "seeds", "margin", "ratio", "set"}
OF_PART = {*COMMON, "first", "second"}
OF_HYPOTHESIS = {*OF_PART, "id", "text", "part"}
OF_GROUP = {*AXES, "set", "name"}
TOP = {"common", "hypothesis", "results"}
OTHER_WORDS = {"resampler": "data", "objective": "loss", "settings": "set", "baseline": "second", "datasets": "dataset"}
EXAMPLE = '{ data = "smote" }'


def read_hypotheses(path: Path) -> HypothesisFile:
    """Read a file of hypotheses.

    Raises SettingsError for a file that cannot be read, UsageError or UnknownName for an entry that is not valid.
    """
    tables = parsed_file(path, read_text(path))
    reader = _Reader(path)
    try:
        return reader.file(tables)
    except ZooError as error:
        raise type(error)(f"{path}: {reader.place}{error}") from None


class _Reader:
    """Reads the tables of one file; `place` is the entry that is read, for the messages of errors."""

    def __init__(self, path: Path) -> None:
        self.path, self.place = path, ""

    def file(self, tables: Table) -> HypothesisFile:
        _check_keys(tables, TOP)
        common = _checked_table("common", tables.get("common", {}), COMMON)
        self.place = "common: "
        _check_values(common)
        self.place = ""
        given = tables.get("hypothesis")
        if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
            raise UsageError("a file of hypotheses needs at least one table [[hypothesis]]")
        found = tuple(self.hypothesis(number, common, each) for number, each in enumerate(given, start=1))
        self.place = ""
        folders = tuple(self._near(each) for each in _texts("results", tables.get("results", ())))
        return HypothesisFile(self.path, self._each_once(found), folders)

    def hypothesis(self, number: int, common: Table, given: Table) -> Hypothesis:
        identifier = given.get("id")
        self.place = f"hypothesis {number}: "
        if not isinstance(identifier, str | int) or isinstance(identifier, bool) or not str(identifier).strip():
            raise UsageError('id must be a text or a number, such as id = "smote"')
        self.place = f"hypothesis {identifier}: "
        _check_keys(given, OF_HYPOTHESIS)
        text = given.get("text", "")
        if not isinstance(text, str):
            raise UsageError(f"text must be text, not {quoted(text)}")
        parts = given.get("part", [{}])
        if not isinstance(parts, list) or not parts or not all(isinstance(each, dict) for each in parts):
            raise UsageError("part must be tables: write [[hypothesis.part]]")
        own = {key: value for key, value in given.items() if key not in ("id", "text", "part")}
        found = tuple(self.part(place, [common, own, each]) for place, each in self._placed(str(identifier), parts))
        return Hypothesis(" ".join(str(identifier).split()), " ".join(text.split()), found)

    def part(self, place: str, levels: list[Table]) -> Part:
        self.place = place
        for level in levels[1:]:
            _check_keys(level, OF_PART)
            _check_values(level)
        merged: dict[str, Any] = {}
        for level in levels:
            merged |= _without_rivals(merged, level)
        merged["set"] = {key: value for level in levels for key, value in level.get("set", {}).items()}
        return self._part(merged)

    def _part(self, given: Table) -> Part:
        kind = _word(Kind, "kind", given.get("kind", "difference"))
        common = _group(given)
        if not common.values.get("architecture") and kind != Kind.DIFFERENCE:
            raise UsageError('name an architecture, such as architecture = "cnn1d"')
        part = Part(
            kind=kind,
            metric=given.get("metric", "macro_recall"),
            common=common,
            datasets=self._datasets(given, "dataset"),
            if_available=self._datasets(given, "if_available"),
            seeds=_seeds(given.get("seeds", 5)),
            protocol=given.get("protocol", ""),
            options=self._options(given),
            **{name: given[name] for name in ("rows", "epochs", "steps", "ratio") if name in given},
        )
        part = _reproducible(part, given) if kind == Kind.REPRODUCIBLE else _claim(part, given)
        part = _tuned(part, given) if kind == Kind.TUNED else _without_search(part, given)
        if kind == Kind.DIFFERENCE:
            part = _two_groups(part, given)
        _check_length(part)
        return part

    def _datasets(self, given: Table, key: str) -> tuple[str, ...]:
        named = _texts(key, given.get(key, () if key == "if_available" else ("heartbeats",)))
        if key in given and not named:
            raise UsageError(f'{key} is an empty list: name at least one data set, such as {key} = "heartbeats"')
        return tuple(self._path(name) for name in named)

    def _path(self, name: str) -> str:
        """Return a data set; a path starts at the folder of the file of hypotheses."""
        path = self._near(name)
        return str(path) if "/" in name or path.exists() else name

    def _options(self, given: Table) -> dict[str, Any]:
        found = {name: given[name] for name in OPTIONS if name in given}
        if "data_dir" in found:
            found["data_dir"] = self._near(found["data_dir"])
        return found

    def _near(self, name: str) -> Path:
        return Path(os.path.normpath(self.path.parent / expanded(name)))

    def _placed(self, identifier: str, parts: list[Table]) -> Iterator[tuple[str, Table]]:
        for number, part in enumerate(parts, start=1):
            yield f"hypothesis {identifier}{f', part {number}' if len(parts) > 1 else ''}: ", part

    def _each_once(self, found: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
        known: set[str] = set()
        for each in found:
            if each.id in known:
                raise UsageError(f"hypothesis {each.id}: id = {each.id!r} is used twice: each hypothesis needs its own")
            known.add(each.id)
        return found


def _check_keys(given: Table, known: set[str], where: str = "") -> None:
    """Raise UsageError for a key that is not known; `where` names its table, if it is not that of the message."""
    for key in given:
        if key not in known:
            right = OTHER_WORDS.get(key, "")
            if right in known:
                raise UsageError(f"{where}no key named {key!r}. Did you mean {right}?")
            problem = unknown_name("key", key, known, f"Known keys: {', '.join(sorted(known))}.")
            raise UsageError(f"{where}{problem}")


def _checked_table(name: str, given: Any, known: set[str]) -> Table:
    if not isinstance(given, dict):
        raise UsageError(f"{name} must be a table, not {quoted(given)}")
    _check_keys(given, known, f"{name}: ")
    return given


def _check_values(given: Table) -> None:
    """Raise UsageError for a value of a wrong type."""
    for key, value in given.items():
        if key in LISTS:
            _texts(key, value)
        elif key in TEXTS and not (isinstance(value, str) and value.strip()):
            raise UsageError(f"{key} must be text, not {quoted(value)}")
        elif key in WHOLE and not (type(value) is int and value >= 1):
            raise UsageError(f"{key} must be a whole number of at least 1, not {quoted(value)}")
        elif key == "margin" and not (type(value) in (int, float) and isfinite(value)):
            raise UsageError(f"margin must be a finite number, not {quoted(value)}")
        elif key == "ratio" and not isinstance(value, bool):
            raise UsageError(f"ratio must be true or false, not {quoted(value)}")
        elif key == "set":
            settings_of_table(value)
        elif key == "seeds":
            _seeds(value)
    if given.get("protocol") == CROSS_VALIDATION:
        raise UsageError(f"protocol {CROSS_VALIDATION!r} has no answer yet: name one with a test set, such as holdout")
    if "metric" in given:
        check_metric(given["metric"])
    if "direction" in given:
        _word(Direction, "direction", given["direction"])


def _without_rivals(before: Mapping[str, Any], level: Table) -> dict[str, Any]:
    """Return the keys of a level, without the keys of the levels above that it replaces.

    A treatment replaces the resampler and the loss, or is replaced by them; epochs replace steps, and steps epochs.
    """
    found = dict(level)
    if "treatment" in level:
        found |= {axis: () for axis in TREATMENT if axis in before}
    elif {*TREATMENT} & {*level} and "treatment" in before:
        found["treatment"] = ()
    for name, other in (("epochs", "steps"), ("steps", "epochs")):
        if name in level and other not in level:
            found[other] = None
    return found


def _texts(key: str, value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) and each.strip() for each in values):
        raise UsageError(f"{key} must be text or a list of texts, not {quoted(value)}")
    return tuple(dict.fromkeys(values))


def _seeds(value: Any) -> tuple[int, ...]:
    if type(value) is int and 1 <= value <= MOST_SEEDS:
        return tuple(range(value))
    whole = isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)
    if not whole or not value or len(set(value)) < len(value):
        raise UsageError(f"seeds must be a number of seeds, or a list of different seeds, not {quoted(value)}")
    return tuple(value)


def _word(kind: Any, key: str, value: Any) -> Any:
    if value not in tuple(kind):
        raise unknown_name(key, str(value), tuple(map(str, kind)))
    return kind(value)


def _group(given: Table) -> Group:
    values = {axis: found for axis in AXES if (found := _texts(axis, given.get(axis, ())))}
    if "treatment" in values and {*TREATMENT} & {*values}:
        raise UsageError("treatment names the resampler and the loss: leave out data and loss")
    return Group(values, settings_of_table(given.get("set", {})), str(given.get("name", "")))


def _two_groups(part: Part, given: Table) -> Part:
    for name in ("first", "second"):
        if name not in given:
            raise UsageError(f"there is no group {name}: a hypothesis compares two, such as {name} = {EXAMPLE}")
        _checked_table(name, given[name], OF_GROUP)
        if not isinstance(given[name].get("name", ""), str):
            raise UsageError(f"{name}.name must be text, not {quoted(given[name]['name'])}")
    first, second = _group(given["first"]), _group(given["second"])
    if (first.values, first.settings) == (second.values, second.settings):
        raise UsageError("first and second are the same group")
    for name, group in (("first", first), ("second", second)):
        if not group.over(part.common).values.get("architecture"):
            raise UsageError(f'{name} has no architecture: name one, such as architecture = "cnn1d"')
    return replace(part, first=first, second=second)


def _claim(part: Part, given: Table) -> Part:
    """Return the part with its direction and margin, which every claim on a difference needs."""
    check_metric(part.metric)
    if "direction" not in given:
        raise UsageError(f"there is no direction: {', '.join(Direction)}")
    direction = _word(Direction, "direction", given["direction"])
    if "margin" not in given:
        raise UsageError("there is no margin: margin = 0.0 claims any difference, margin = 0.02 one of more than 0.02")
    margin = float(given["margin"])
    if part.ratio and not is_positive(part.metric):
        raise UsageError(f"ratio = true is for costs and steps, not for {part.metric}")
    if part.ratio and margin <= (1 if direction == Direction.EQUAL else 0):
        raise UsageError(f"with ratio = true the margin is a factor, such as 1.5, not {given['margin']!r}")
    if direction == Direction.EQUAL and margin <= 0:
        raise UsageError(f'direction = "equal" needs a margin above 0, not {given["margin"]!r}')
    return replace(part, direction=direction, margin=margin)


def _reproducible(part: Part, given: Table) -> Part:
    _refuse(given, ("first", "second"), 'kind = "reproducible" compares runs with themselves: leave out {}')
    if len(part.seeds) < 2:
        raise UsageError("seeds must be at least two: different seeds are compared")
    return part


def _tuned(part: Part, given: Table) -> Part:
    _refuse(
        given, ("first", "second"), 'kind = "tuned" compares the winner of a search with the defaults: leave out {}'
    )
    if "trials" not in given:
        raise UsageError('kind = "tuned" needs the number of trials, such as trials = 12')
    several = [axis for axis, values in part.common.values.items() if len(values) > 1]
    if several or "treatment" in part.common.values:
        raise UsageError(f"a search takes one configuration: one value of {(several or ['data and loss'])[0]}")
    if len(part.datasets) + len(part.if_available) > 1:
        raise UsageError("a search takes one data set: write another [[hypothesis.part]] for the other ones")
    found = _texts("space", given.get("space", ()))
    return replace(part, search=given.get("search", "random"), trials=given["trials"], space=found)


def _without_search(part: Part, given: Table) -> Part:
    _refuse(given, ("search", "trials", "space"), '{} is for kind = "tuned"')
    return part


def _refuse(given: Table, keys: Sequence[str], message: str) -> None:
    """Raise UsageError with the first of these keys that a part has, in the place of {} in the message."""
    for key in keys:
        if key in given:
            raise UsageError(message.format(key))


def _check_length(part: Part) -> None:
    """Raise UsageError if `steps` does not determine the number of epochs."""
    if part.steps is None:
        return
    if part.epochs is not None:
        raise UsageError("steps determines the number of epochs: leave out epochs")
    sizes = [side.over(part.common).settings.get("training.batch_size") for side in part.sides]
    if part.rows is None or not all(type(size) is int and size > 0 for size in sizes):
        raise UsageError('steps needs rows and a batch size: rows = 1000, set = { "training.batch_size" = 32 }')
