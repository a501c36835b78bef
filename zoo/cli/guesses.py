"""Common wrong guesses on the command line: each is one line with the right way, before anything heavy is imported."""

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.cli.session import Session
from zoo.errors import UnknownName, UsageError
from zoo.harness.treatments import FORM, halves
from zoo.paths import is_file, is_folder, problem
from zoo.registry import Registry, is_pattern, presets_of, split_reference
from zoo.specs import KINDS
from zoo.unpackaged import is_unpackaged
from zoo.wording import with_article

# The options of a cell that take components, by kind.
OPTIONS: Mapping[str, str] = {
    "block": "--block",
    "resampler": "--data",
    "objective": "--loss",
    "dataset": "--dataset",
    "searcher": "--search",
}
_PARAMETERS = {"block": "block", "resampler": "data", "objective": "loss", "dataset": "dataset"}


def check_cell(session: Session, command: str, architectures: Iterable[str], given: Mapping[str, Any]) -> None:
    """Check the names of `zoo bench` or `zoo tune`; `given` holds the values of the options by parameter.

    Raises UsageError for a name that is in the wrong place, UnknownName for a typo, DataError for a missing file.
    """
    for word in architectures:
        _check_architecture(session, command, word)
    for kind, parameter in _PARAMETERS.items():
        values = given.get(parameter) or ()
        for word in [values] if isinstance(values, str) else values:
            _check_value(session.registry, command, kind, word)
    for word in given.get("treatment") or ():
        _check_treatment(session.registry, word)
    folder = given.get("data_dir")
    if folder is not None and is_file(folder):
        raise UsageError(f"--data-dir {str(folder)!r} is a file, not a folder: use --dataset {folder}")


def check_installed(session: Session, command: str, word: str) -> None:
    """Raise UsageError if `zoo show` or `zoo check` gets something that is not an installed component."""
    registry = session.registry
    if is_unpackaged(registry, word) or word.endswith(".py"):
        network = word if ":" in word else f"{word}:NET"
        raise UsageError(
            f"zoo {command} takes an installed component, not a network in a file: `zoo bench {network}` trains it, "
            "`zoo new architecture NAME` creates a plugin for it"
        )
    if _is_data_file(word):
        raise UsageError(
            f"zoo {command} takes a component, not a data file: `zoo bench cnngru --dataset {word}` trains on it"
        )


def check_shown(session: Session, word: str) -> None:
    """Raise UsageError if `zoo show` gets the name of something else: a file, a kind, a plugin or a run."""
    check_installed(session, "show", word)
    registry = session.registry
    name, preset = split_reference(word)
    kinds = _kinds_of(registry, name)
    if preset and kinds and "architecture" not in kinds:
        raise UnknownName(f"{name!r} is {with_article(kinds[0])}, and only architectures have presets: zoo show {name}")
    if kinds:
        return
    if word.removesuffix("s") in KINDS:
        raise UsageError(f"{word!r} is a kind of component: zoo list {word}")
    if any(word in plugin.names for plugin in registry.plugins):
        raise UsageError(f"{word!r} is a plugin: `zoo plugins` shows its components, zoo show COMPONENT one of them")
    if re.fullmatch("[0-9a-f]{8}", word):
        raise UsageError(f"{word!r} looks like the id of a run: zoo results {word}")


def _check_architecture(session: Session, command: str, word: str) -> None:
    registry = session.registry
    if is_unpackaged(registry, word):
        return
    name, preset = split_reference(word)
    if not is_pattern(word) and "architecture" not in _kinds_of(registry, name):
        _refuse_architecture(registry, command, word, name)
    if is_pattern(word):
        registry.match("architecture", name)
        return
    entry = registry.architecture(name)[0]
    if preset and not {**entry.spec.presets, **presets_of(entry.name, session.settings.presets)}:
        raise UnknownName(f"{name} has no presets: leave out .{preset}")
    session.workspace.architecture(word)


def _refuse_architecture(registry: Registry, command: str, word: str, name: str) -> None:
    """Raise UsageError if a word that is not an architecture is something else."""
    if word.endswith(".py"):
        raise UsageError(_networks_text(command, Path(word)))
    if _is_data_file(word):
        raise UsageError(f"{word!r} is a data file, not an architecture: zoo {command} ARCH --dataset {word}")
    if is_folder(Path(word)):
        raise UsageError(f"{word!r} is a folder, not an architecture; a network in a file is FILE.py:NET")
    if "," in word and all(_kinds_of(registry, split_reference(part)[0]) for part in word.split(",")):
        if command == "tune":
            raise UsageError(f"zoo tune takes one architecture, not {word!r}")
        raise UsageError(f"{word!r}: separate names by spaces: zoo {command} {word.replace(',', ' ')}")
    for kind in _kinds_of(registry, name):
        raise UsageError(f"{name!r} is {with_article(kind)}, not an architecture: name one, and {_use(kind, name)}")


def _check_value(registry: Registry, command: str, kind: str, word: str) -> None:
    """Raise an error for the value of an option that is a typo, or belongs to another option."""
    option = OPTIONS[kind]
    if kind == "dataset" and kind not in _kinds_of(registry, word):
        _check_file(word)
    elif _is_data_file(word):
        raise UsageError(f"{word!r} is a data file, but {option} takes {with_article(kind)}: use --dataset {word}")
    if "," in word and all(kind in _kinds_of(registry, part) for part in word.split(",")):
        if command == "tune":
            way_out = "" if kind == "dataset" else f"; to search over several: --tune {_PARAMETERS[kind]}={word}"
            raise UsageError(f"{option} takes one name, not {word!r}{way_out}")
        raise UsageError(f"{option} {word}: separate names by spaces: {option} {word.replace(',', ' ')}")
    for name in word.split("+") if kind == "block" else [word]:
        kinds = _kinds_of(registry, name)
        for other in kinds if kind not in kinds else ():
            message = f"{name!r} is {with_article(other)}, but {option} takes {with_article(kind)}"
            raise UsageError(f"{message}: {_use(other, name)}")


def _check_treatment(registry: Registry, word: str) -> None:
    """Raise an error for a treatment that is not RESAMPLER[/OBJECTIVE]."""
    names = word.split(",")
    if len(names) > 1 and all(_kinds_of(registry, name.partition("/")[0]) for name in names):
        raise UsageError(f"--treatment {word}: separate treatments by spaces: --treatment {' '.join(names)}")
    for name, kind in zip(halves(registry, word), ("resampler", "objective"), strict=True):
        kinds = [] if name is None else _kinds_of(registry, name)
        if kinds and kind not in kinds:
            raise UsageError(f"{name!r} is {with_article(kinds[0])}, but --treatment takes {FORM}")


def _check_file(word: str) -> None:
    """Raise DataError for a missing file, UsageError for a folder that is not a data set."""
    from zoo.data.checks import check_file
    from zoo.data.files import SUFFIXES, is_path
    from zoo.data.pairs import has_pair

    path = Path(word)
    if has_pair(path):
        return
    if is_folder(path):
        files = sorted(path / name for name in _names_in(path) if Path(name).suffix.lower() in SUFFIXES)
        example = f", such as {files[0]}" if files else ""
        raise UsageError(f"--dataset {word!r} is a folder: name a file in it{example}, or use --data-dir {word}")
    if is_path(word):
        check_file(path)


def _names_in(folder: Path) -> list[str]:
    """Return the names in a folder; none if it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _kinds_of(registry: Registry, name: str) -> list[str]:
    """Return the kinds of the components with this name, bare or as `plugin:name`."""
    return list(dict.fromkeys(kind for kind, names in _names(registry) if name in names))


def _names(registry: Registry) -> Iterator[tuple[str, tuple[str, ...]]]:
    for entry in registry.entries:
        yield entry.kind, (entry.name, entry.spec.name, f"{entry.plugin.name}:{entry.spec.name}")


def _use(kind: str, name: str) -> str:
    """Return how to name a component of this kind."""
    if kind == "architecture":
        return f"name it first, zoo bench {name}"
    return f"use zoo tune ARCH --search {name}" if kind == "searcher" else f"use {OPTIONS[kind]} {name}"


def _is_data_file(word: str) -> bool:
    from zoo.data.files import SUFFIXES

    return Path(word).suffix.lower() in SUFFIXES


def _networks_text(command: str, path: Path) -> str:
    """Return how to name a network of a Python file, with the modules that the file defines. Imports nothing."""
    if command == "tune":
        return "zoo tune needs an installed architecture; `zoo new architecture NAME` creates one"
    if wrong := problem(path):
        return wrong
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
        return f"{str(path)!r} is not valid Python: {error}"
    names = _modules(tree)
    if not names:
        return f"{str(path)!r} defines no class that inherits nn.Module: name a network as {path}:NAME"
    return f"name a network in the file: {', '.join(f'{path}:{name}' for name in names)}"


def _modules(tree: ast.Module) -> list[str]:
    """Return the classes that inherit nn.Module, directly or through classes of the same file."""
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if bases & {"Module", *found}:
                found.append(node.name)
    return found
