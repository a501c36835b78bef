"""Checks of every component, of any kind."""

import inspect
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from zoo.factories import HARNESS_ARGUMENTS, complete, load_factory
from zoo.registry import Entry, Registry
from zoo.specs import Architecture, Component, Dataset
from zoo.testing.check import expect, tried
from zoo.testing.kinds import KITS
from zoo.testing.watching import Seen, imported, watched

SEED = 0x5EED_0F_2007  # a value that no other code uses
RANDOM = "torch's random state"


def factory(registry: Registry, entry: Entry[Component]) -> None:
    """Its factory can be imported, and accepts the arguments of the harness."""
    imported(entry.spec.factory)
    refused = _refused(entry)
    expect(not refused, f"its factory {entry.spec.factory!r} does not accept the arguments of the harness: {refused}")


def defaults(registry: Registry, entry: Entry[Component]) -> None:
    """Every parameter has a default, which is a plain value."""
    complete(entry.spec, {})
    tried()


def global_state(registry: Registry, entry: Entry[Component]) -> None:
    """Import and use change no global state: torch settings, random seeds, warning filters."""
    changes = imported(entry.spec.factory).changes
    expect(not changes, f"the import of its factory changes {_listed(changes)}")
    torch.manual_seed(SEED)
    changes = _used(registry, entry).changes
    if entry.kind in ("architecture", "block"):  # their weights are drawn from it
        changes = [change for change in changes if change != RANDOM]
        expect(torch.initial_seed() == SEED, "it sets torch's random seed")
    expect(not changes, f"it changes {_listed(changes)}")


def writes(registry: Registry, entry: Entry[Component]) -> None:
    """Import and use write no file outside the temporary folder."""
    written = imported(entry.spec.factory).writes
    expect(not written, f"the import of its factory writes {_listed(written)}")
    written = _used(registry, entry).writes
    expect(not written, f"it writes {_listed(written)}")


FIRST = (factory, defaults)
LAST = (global_state, writes)


def _refused(entry: Entry[Component]) -> str:
    """Return why its factory does not accept the arguments of the harness; "" if it does."""
    given = dict.fromkeys(sorted(_passed(entry.spec)))
    places = [given.pop("channels")] if entry.kind == "block" else []
    try:
        inspect.signature(load_factory(entry.spec.factory)).bind_partial(*places, **given)
    except TypeError as error:
        return str(error)
    return ""


def _passed(spec: Component) -> set[str]:
    """Return the names of the arguments that the harness passes to this factory."""
    passed = set(HARNESS_ARGUMENTS[spec.kind])
    if isinstance(spec, Architecture) and spec.block_dims is None:
        passed.discard("block")
    if isinstance(spec, Dataset):
        passed -= {name for name, taken in (("data_dir", spec.from_files), ("rows", spec.generated)) if not taken}
    return passed


def _used(registry: Registry, entry: Entry[Component]) -> Seen:
    """Use a component once in its own working folder, and return the observed effects."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        with chdir(folder), watched() as seen:
            KITS[entry.kind].use(registry, entry)
        left = [str(path) for path in folder.rglob("*") if path.is_file()]  # also files of non-Python code
    seen.writes = [_shown(path, folder) for path in dict.fromkeys([*seen.writes, *left])]
    return seen


def _shown(path: str, folder: Path) -> str:
    return f"{Path(path).relative_to(folder)} in the working folder" if Path(path).is_relative_to(folder) else path


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
