"""Settings: the shipped registry.toml, overridden by the user's registry.toml, overridden by ZOO_* variables.

This code holds no defaults: registry.toml defines `training.epochs` and all other settings.
"""

import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

from zoo import numerals
from zoo.deprecation import renamed_text
from zoo.errors import SettingsError, UsageError, unknown_name
from zoo.paths import expanded, is_file
from zoo.references.file import Fault, references_in
from zoo.references.record import Reference
from zoo.scores import MONITORS
from zoo.space import Value
from zoo.specs import KINDS, Preset
from zoo.tomls import Table, parsed_file, read_text
from zoo.visible import quoted

USER_FILE = Path("registry.toml")
FILE_VARIABLE, OLD_FILE_VARIABLE = "ZOO_CONFIG", "ZOO_REGISTRY"
VARIABLES: Mapping[str, str] = {"data": "ZOO_RESAMPLER"}  # ZOO_DATA is the data folder; all others are ZOO_<KEY>


@dataclass(frozen=True)
class Training:
    """Training settings: the `[training]` table of registry.toml, which explains each of them."""

    epochs: int
    min_steps: int
    epoch: str
    batch_size: int
    optimiser: str
    learning_rate: float
    weight_decay: float
    scheduler: str
    factor: float
    min_lr: float
    scheduler_patience: int
    monitor: str
    keep: str
    patience: int
    clip: float
    label_smoothing: float
    precision: str
    members: int
    validation: float

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                hint = HINTS.get(name, "")
                raise UsageError(
                    f"training.{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}{hint}"
                )
        for name in ("epochs", "batch_size", "members"):
            if getattr(self, name) < 1:
                raise UsageError(f"training.{name} must be at least 1, not {getattr(self, name)!r}")
        for name in ("min_steps", "weight_decay", "min_lr", "scheduler_patience", "patience", "clip"):
            if getattr(self, name) < 0:
                raise UsageError(f"training.{name} must be at least 0, not {getattr(self, name)!r}")
        if not 0 < self.learning_rate < float("inf"):
            raise UsageError(f"training.learning_rate must be above 0, not {self.learning_rate!r}")
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"training.label_smoothing must be at least 0 and below 1, not {self.label_smoothing!r}")
        if not 0 <= self.validation <= MOST_VALIDATION:
            raise UsageError(
                f"training.validation must be above 0 and at most {MOST_VALIDATION}, not {self.validation!r}; 0 is for "
                "architectures that need no validation rows"
            )
        if not 0 < self.factor < 1:
            raise UsageError(f"training.factor must be between 0 and 1, not {self.factor!r}")


# the training settings that reach a network with fit(), which has no epochs
FITTED = ("batch_size", "members", "monitor", "validation")
OF_PLATEAU = ("factor", "min_lr", "scheduler_patience")  # the training settings of the scheduler `plateau` alone
MOST_VALIDATION = 0.5
ONE_STANDARD_ERROR, BEST = "one-standard-error", "best"  # which epoch's weights are kept

CHOICES: Mapping[str, tuple[str, ...]] = {
    "epoch": ("original", "resampled"),
    "monitor": tuple(MONITORS),
    "keep": (ONE_STANDARD_ERROR, BEST),
    "optimiser": ("adam", "adamw"),
    "scheduler": ("plateau", "cosine", "none"),
    "precision": ("auto", "fp32", "bf16"),
}

HINTS: Mapping[str, str] = {"epoch": "; training.epochs is the number of epochs"}


_TYPES: Mapping[str, Mapping[str, type]] = {
    "defaults": {"dataset": str, "protocol": str, "scale": str, "data": str, "loss": str, "results": str},
    "training": {item.name: item.type for item in fields(Training) if isinstance(item.type, type)},
    "hardware": {"device": str, "threads": int},
    "plugins": {"disabled": list, "prefer": list},
}
_DATASET_TYPES: Mapping[str, type] = {"dir": str}
_PRESET_TYPES: Mapping[str, type] = {
    "summary": str,
    "params": dict,
    "block": str,
    "block_params": dict,
    "data": str,
    "data_params": dict,
    "loss": str,
    "loss_params": dict,
    "training": dict,
}
_KNOWN_TYPES: Mapping[str, type] = {"provides": list, "homepage": str}
_NAMED: Mapping[str, Mapping[str, type]] = {
    "datasets": _DATASET_TYPES,
    "presets": _PRESET_TYPES,
    "known": _KNOWN_TYPES,
}


@dataclass(frozen=True)
class Layer:
    """One registry.toml, checked key by key. Errors name the file, the line and the problem."""

    path: str
    text: str = ""
    tables: Table = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Layer":
        """Read and check the file at `path`. Raises SettingsError if it cannot be read or is invalid."""
        text = read_text(path)
        layer = cls(str(path), text, parsed_file(path, text))
        layer._check()
        return layer

    def get(self, table: str, key: str) -> Any:
        return self.tables.get(table, {}).get(key)

    def _check(self) -> None:
        _ = self.references
        for name, content in self.tables.items():
            if name in _TYPES:
                self._check_table(name, content, _TYPES[name])
            elif name in _NAMED:
                self._check_named(name, content, _NAMED[name])
            elif name != "reference":
                self._fail(name, str(unknown_name("table", name, [*_TYPES, *_NAMED, "reference"])))

    def _check_table(self, name: str, content: Any, types: Mapping[str, type]) -> None:
        if not isinstance(content, dict):
            self._fail(name, f"{name} must be a table, not {quoted(content)}")
        for key, value in content.items():
            if key not in types:
                self._fail(key, str(unknown_name(f"key in [{name}]", key, types)))
            if not _fits(value, types[key]):
                self._fail(key, _wrong_type(name, key, value, types[key]))

    def _check_named(self, name: str, content: Any, types: Mapping[str, type]) -> None:
        if not isinstance(content, dict):
            self._fail(name, f"{name} must be a table of tables, not {quoted(content)}")
        for key, table in content.items():
            self._check_table(f"{name}.{key}", table, types)
        if name == "presets":
            self._check_presets(content)
        if name == "known":
            self._check_known(content)

    def _check_presets(self, content: Table) -> None:
        for key, table in content.items():
            self._check_table("training", table.get("training", {}), _TYPES["training"])
            self._check_params(key, table)
            if not all(key.partition(".")):
                self._fail(key, f"a preset's name must be ARCHITECTURE.NAME in quotes, not {key!r}")
            try:
                Preset(**table)
            except ValueError as error:
                self._fail(key, f"preset {key}: {error}")

    def _check_params(self, preset: str, table: Table) -> None:
        for name in ("params", "block_params", "data_params", "loss_params"):
            for key, value in table.get(name, {}).items():
                if not isinstance(value, bool | int | float | str):
                    problem = f"must be a number, text, true or false, not {quoted(value)}"
                    self._fail(key, f"presets.{preset}.{name}.{key} {problem}")

    def _check_known(self, content: Table) -> None:
        for key, table in content.items():
            for provided in table.get("provides", []):
                kind, _, component = provided.partition(" ") if isinstance(provided, str) else ("", "", "")
                if kind not in KINDS or not component:
                    problem = f"each entry of provides must be a kind and a name, such as 'block se', not {provided!r}"
                    self._fail(key, f"known.{key}: {problem}")

    @property
    def references(self) -> list[Reference]:
        """The references of the file. Raises SettingsError."""
        try:
            return references_in(self.tables.get("reference", []), self.path)
        except Fault as fault:
            self._fail(fault.key, str(fault))

    def _fail(self, key: str, message: str) -> NoReturn:
        raise SettingsError(f"{self.path}{_line_of(self.text, key)}: {message}")


@dataclass(frozen=True)
class Settings:
    """The shipped file, the user's file and the environment variables; a later one overrides an earlier one."""

    shipped: Layer
    user: Layer
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None = None) -> "Settings":
        """Load the shipped file and the user's: `path`, else ZOO_CONFIG, else ./registry.toml."""
        named = path or file_in_environment(os.environ)
        shipped = shipped_path()
        overlay = named or USER_FILE
        is_shipped = is_file(overlay) and overlay.resolve() == shipped.resolve()
        user = Layer.read(overlay) if named or (is_file(USER_FILE) and not is_shipped) else Layer("")
        variables = {name: value for name, value in os.environ.items() if name.startswith("ZOO_")}
        return cls(Layer.read(shipped), user, variables)

    def default(self, table: str, key: str, preset: Any = None) -> Any:
        """Return a setting from its ZOO_* variable, else the user's file, the preset or the shipped file."""
        variable = VARIABLES.get(key, f"ZOO_{key.upper()}")
        if self.environment.get(variable):
            return _from_text(variable, self.environment[variable], _TYPES[table][key])
        layers = (self.user.get(table, key), preset, self.shipped.get(table, key))
        return next(value for value in layers if value is not None)

    def training(self, flags: Mapping[str, Value], preset: Mapping[str, Value]) -> Training:
        """Return the training settings of one run. Raises UsageError for an unknown name or an invalid value."""
        types = _TYPES["training"]
        for name in (*flags, *preset):
            if name not in types:
                raise unknown_name("training setting", name, types)
        values = {
            name: flags[name] if name in flags else self.default("training", name, preset.get(name)) for name in types
        }
        for name, value in values.items():
            if not _fits(value, types[name]):
                raise UsageError(_wrong_type("training", name, value, types[name]))
        return Training(**{name: types[name](value) for name, value in values.items()})

    def given_training(self, flags: Mapping[str, Value], preset: Mapping[str, Value]) -> frozenset[str]:
        """Return the names of the training settings that somebody has set: all but those from the shipped file."""
        user = self.user.tables.get("training", {})
        named = {
            name for name in _TYPES["training"] if self.environment.get(VARIABLES.get(name, f"ZOO_{name.upper()}"))
        }
        return frozenset({*flags, *preset, *user, *named})

    @property
    def disabled(self) -> list[str]:
        named = self.environment.get("ZOO_DISABLE_PLUGINS", "").replace(",", " ").split()
        return [*named, *(self.user.get("plugins", "disabled") or self.shipped.get("plugins", "disabled"))]

    @property
    def prefer(self) -> list[str]:
        """The distributions whose components a bare name means if several plugins provide it, the first one first."""
        return [*(self.user.get("plugins", "prefer") or self.shipped.get("plugins", "prefer"))]

    @property
    def known(self) -> dict[tuple[str, str], str]:
        """Third-party distributions, by the kind and name of each component they provide."""
        tables = {**self.shipped.tables.get("known", {}), **self.user.tables.get("known", {})}
        return {
            (kind, name): distribution
            for distribution, table in tables.items()
            for kind, _, name in (provided.partition(" ") for provided in table.get("provides", []))
        }

    @property
    def presets(self) -> dict[str, Preset]:
        """The presets written in registry.toml, by full name."""
        tables = {**self.shipped.tables.get("presets", {}), **self.user.tables.get("presets", {})}
        return {name: Preset(**table) for name, table in tables.items()}

    @property
    def references(self) -> list[Reference]:
        """The references of both files; those of plugins are theirs: `zoo.shipped`."""
        return [*self.shipped.references, *self.user.references]

    def results_folder(self, given: str | Path | None) -> Path:
        """Return the results folder: `given`, else ZOO_RESULTS, else the one in registry.toml."""
        return Path(given) if given is not None else expanded(self.default("defaults", "results"))

    def device(self, given: str | None) -> str:
        """The device to compute on: as given, else ZOO_DEVICE, else registry.toml."""
        return given or str(self.default("hardware", "device"))

    def data_dir(self, dataset: str, flag: Path | None) -> Path | None:
        """Return the folder of a data set's files: `flag`, else ZOO_DATA, else `[datasets.NAME] dir`, else None."""
        if flag is not None:
            return flag
        if self.environment.get("ZOO_DATA"):
            return Path(self.environment["ZOO_DATA"])
        tables = {**self.shipped.tables.get("datasets", {}), **self.user.tables.get("datasets", {})}
        directory = tables.get(dataset, {}).get("dir")
        return expanded(directory) if directory else None


def file_in_environment(environment: Mapping[str, str]) -> Path | None:
    """Return the settings file of ZOO_CONFIG, else of the old ZOO_REGISTRY, with a DeprecationWarning; else None.

    Raises UsageError if the two name different files.
    """
    new, old = (environment.get(name) for name in (FILE_VARIABLE, OLD_FILE_VARIABLE))
    if new and old and Path(new) != Path(old):
        raise UsageError(
            f"{FILE_VARIABLE} is {new!r} and {OLD_FILE_VARIABLE} is {old!r}: leave out {OLD_FILE_VARIABLE}"
        )
    if old:
        warnings.warn(renamed_text(OLD_FILE_VARIABLE), DeprecationWarning, stacklevel=3)
    return Path(new or old or "") if new or old else None


def shipped_path() -> Path:
    """Return the path of the shipped registry.toml: inside the installed package, or at the root of the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "registry.toml"
    return installed if installed.is_file() else package.parent / "registry.toml"


_NOUNS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a finite number",
    list: "a list of texts",
    dict: "a table",
}


def _fits(value: Any, wanted: type) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    if isinstance(value, float) and not isfinite(value):
        return False
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return False
    if isinstance(value, list):
        return wanted is list and all(isinstance(each, str) for each in value)
    return isinstance(value, (int, float) if wanted is float else wanted)


def _wrong_type(table: str, key: str, value: Any, wanted: type) -> str:
    """Return the message for a value of a wrong type, with the allowed values if they are few."""
    allowed = CHOICES.get(key) if table.endswith("training") else None
    noun, hint = (f"one of {', '.join(allowed)}", HINTS.get(key, "")) if allowed else (_NOUNS[wanted], "")
    return f"{table}.{key} must be {noun}, not {quoted(value)}{hint}"


def _from_text(variable: str, text: str, wanted: type) -> Any:
    read: Mapping[type, Callable[[str], Any]] = {int: numerals.whole, float: numerals.number}
    try:
        value = read.get(wanted, wanted)(text)
    except ValueError:
        value = None
    if value is None or not _fits(value, wanted):
        raise UsageError(f"{variable} must be {_NOUNS[wanted]}, not {text!r}")
    return value


def _line_of(text: str, key: str) -> str:
    """Return the line of a key as `:12`, found by a search of the text since tomllib keeps no positions."""
    word = re.escape(key)
    pattern = re.compile(rf"""^\s*(?:\[+.*["']?{word}["']?\s*\]+|["']?{word}["']?\s*=)""")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return f":{number}"
    return ""
