"""The stored runs that count for an answer: those of the user's results, and those of published results.

In the user's results, a run counts if `zoo bench` would reuse it: it has the key of the request. Published results come
from another machine and another release, so a run counts there if it has the same configuration, whatever its code. A
run of the user with the same configuration and data, but other code, counts as long as there is none of the present
code, and the answer has a note.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.harness.cells import Cell
from zoo.records import plain
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

LOST = (RunStatus.DIVERGED, RunStatus.TIMEOUT)  # the same request would end in this way again
COUNTED = (RunStatus.DONE, *LOST, RunStatus.FAILED)
DATA_DECIDE = ("scale", "dataset_params", "rows")  # unknown until the data are loaded


@dataclass(frozen=True)
class Stored:
    """A finished run with the store that holds its files."""

    run: Run
    store: Store


@dataclass(frozen=True)
class Wanted:
    """A cell that needs a run.

    keys   its possible keys; empty if its data cannot be loaded
    test   the fingerprint of its test set
    """

    cell: Cell
    keys: tuple[str, ...] = ()
    test: str = ""


@dataclass(frozen=True)
class Found:
    """The stored runs of a cell.

    runs       the finished ones, oldest first
    reusable   whether they need not be trained again
    published  whether they come from published results
    lost       how the last run of this request ended, if it has no scores and the same request would end so again
    error      why the last run of this request failed, if it has no scores
    """

    runs: tuple[Stored, ...] = ()
    reusable: bool = False
    published: bool = False
    lost: str = ""
    error: str = ""


class Shelf:
    """All stored runs, found by key and by configuration."""

    def __init__(self, own: Store | None, published: Sequence[Store] = ()) -> None:
        self.stores = [(store, False) for store in [own] if store is not None]
        self.stores += [(store, True) for store in published]
        self.by_key: dict[tuple[str, bool], list[Stored]] = defaultdict(list)
        self.by_cell: dict[tuple[object, ...], list[tuple[Stored, bool]]] = defaultdict(list)
        for store, public in self.stores:
            for run in store.runs():
                if run.status in COUNTED and not run.folds:
                    self.by_key[run.key, public].append(Stored(run, store))
                    self.by_cell[_short(run)].append((Stored(run, store), public))

    def find(self, wanted: Wanted) -> Found:
        """Return the runs of a cell, the best match first: own, published, published by configuration, other code."""
        for public in (False, True):
            runs = [each for key in wanted.keys for each in self.by_key.get((key, public), ())]
            if runs:
                return _found(runs, published=public, reusable=True)
        alike = [
            (each, public) for each, public in self.by_cell.get(_asked(wanted.cell), ()) if _same(wanted, each.run)
        ]
        published = [each for each, public in alike if public]
        if published:
            return _found(published, published=True, reusable=True)
        return _found([each for each, _ in alike], published=False, reusable=False)


def _found(runs: Sequence[Stored], *, published: bool, reusable: bool) -> Found:
    done = tuple(each for each in runs if each.run.status == RunStatus.DONE)
    if done or not runs:
        return Found(done, reusable and bool(done), published and bool(done))
    last = runs[-1].run
    return Found(lost=str(last.status) if last.status in LOST else "", reusable=reusable, error=last.error)


def _short(run: Run) -> tuple[object, ...]:
    return run.architecture, run.block, run.dataset, run.data, run.loss, run.seed


def _asked(cell: Cell) -> tuple[object, ...]:
    from pathlib import Path

    from zoo.data.files import data_set_name

    known = cell.dataset_key is not None or "/" not in cell.dataset
    name = cell.dataset if known else data_set_name(Path(cell.dataset))
    loss = "" if cell.objective is None else cell.objective.entry.name
    return cell.network.entry.name, cell.network.block, name, cell.resampler.entry.name, loss, cell.seed


def _same(wanted: Wanted, run: Run) -> bool:
    """Whether a run has the configuration of a cell; a cell without data leaves open what they decide."""
    cell = wanted.cell
    if wanted.test and cell.dataset_key == "" and run.parts.fingerprints.get("test") != wanted.test:
        return False
    precision = str(run.config.get("training", {}).get("precision", ""))
    asked, known = (_flat(each) for each in (cell.with_precision(precision).config(), run.config))
    skipped = set() if wanted.keys else {*DATA_DECIDE, *(f"training.{name}" for name in cell.adaptable)}
    if not wanted.keys and not cell.protocol:
        skipped.add("protocol")
    skipped |= {"dataset", "training.min_steps", *(key for key in known if key.startswith("files."))}
    names = {name for name in {*asked, *known} if not _is_skipped(name, skipped)}
    return all(asked.get(name) == known.get(name) for name in names)


def _is_skipped(name: str, skipped: set[str]) -> bool:
    return name in skipped or name.partition(".")[0] in skipped or name.startswith("files.")


def _flat(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a configuration by dotted names, each value as JSON."""
    found: dict[str, str] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": text for key, text in _flat(value).items()}
        else:
            found[name] = json.dumps(plain(value))
    return found
