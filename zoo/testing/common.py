"""What every component promises, of whatever kind."""

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

SEED = 0x5EED_0F_2007  # one that no one else sets
RANDOM = "the random numbers of torch"


def factory(registry: Registry, entry: Entry[Component]) -> None:
    """Its factory can be imported, and takes what the harness passes."""
    imported(entry.spec.factory)
    refused = _refused(entry)
    expect(not refused, f"its factory {entry.spec.factory!r} cannot be called as the harness does: {refused}")


def defaults(registry: Registry, entry: Entry[Component]) -> None:
    """Every parameter has a default, and it is a plain value."""
    complete(entry.spec, {})
    tried()


def global_state(registry: Registry, entry: Entry[Component]) -> None:
    """Importing and using it leaves what all code shares as it was: torch's settings, random numbers, warnings."""
    changes = imported(entry.spec.factory).changes
    expect(not changes, f"the import of its factory changes {_listed(changes)}")
    torch.manual_seed(SEED)
    changes = _used(registry, entry).changes
    if entry.kind in ("architecture", "block"):  # whose weights are drawn from torch's random numbers
        changes = [change for change in changes if change != RANDOM]
        expect(torch.initial_seed() == SEED, f"it sets the seed of {RANDOM}")
    expect(not changes, f"it changes {_listed(changes)}")


def writes(registry: Registry, entry: Entry[Component]) -> None:
    """Importing and using it writes nothing outside the temporary folder."""
    written = imported(entry.spec.factory).writes
    expect(not written, f"the import of its factory writes {_listed(written)}")
    written = _used(registry, entry).writes
    expect(not written, f"it writes {_listed(written)}")


FIRST = (factory, defaults)
LAST = (global_state, writes)


def _refused(entry: Entry[Component]) -> str:
    """Why its factory cannot be called with what the harness passes; "" where it can."""
    given = dict.fromkeys(sorted(_passed(entry.spec)))
    places = [given.pop("channels")] if entry.kind == "block" else []
    try:
        inspect.signature(load_factory(entry.spec.factory)).bind_partial(*places, **given)
    except TypeError as error:
        return str(error)
    return ""


def _passed(spec: Component) -> set[str]:
    """What the harness passes to the factory of this very component."""
    passed = set(HARNESS_ARGUMENTS[spec.kind])
    if isinstance(spec, Architecture) and spec.block_dims is None:
        passed.discard("block")
    if isinstance(spec, Dataset):
        passed -= {name for name, taken in (("data_dir", spec.from_files), ("rows", spec.generated)) if not taken}
    return passed


def _used(registry: Registry, entry: Entry[Component]) -> Seen:
    """What using a component once brings about, in a working folder of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        with chdir(folder), watched() as seen:
            KITS[entry.kind].use(registry, entry)
        left = [str(path) for path in folder.rglob("*") if path.is_file()]  # those of code that is not Python's too
    seen.writes = [_shown(path, folder) for path in dict.fromkeys([*seen.writes, *left])]
    return seen


def _shown(path: str, folder: Path) -> str:
    return f"{Path(path).relative_to(folder)} in the working folder" if Path(path).is_relative_to(folder) else path


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
