"""Estimates of the time that missing runs take, from the stored runs that are most like them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from zoo.claims.hypothesis import Kind
from zoo.claims.plan import Need, Scope
from zoo.claims.result import Finding
from zoo.claims.shelf import Shelf
from zoo.harness.cells import Cell
from zoo.store.run import Run

UNKNOWN = 30.0  # seconds of a run if no run is stored
OVERHEAD = 3.0  # seconds beside the epochs: loading, scoring and storing


@dataclass(frozen=True)
class Pace:
    """The seconds of training of stored runs by what they have in common, most in common first."""

    known: dict[tuple[object, ...], float]

    @classmethod
    def of(cls, shelf: Shelf) -> "Pace":
        """Return the median seconds of all groups of stored runs; published ones come from another machine."""
        every = [each for runs in shelf.by_cell.values() for each in runs]
        own = _medians(stored.run for stored, public in every if not public)
        return cls({**_medians(stored.run for stored, public in every if public), **own})

    def of_scope(self, scope: Scope, finding: Finding) -> float:
        """Return the seconds of all runs that a finding misses, one after the other."""
        if scope.part.kind == Kind.TUNED:
            return finding.missing * max((self.of_cell(need.cell) for need in scope.needs), default=UNKNOWN)
        return self.of_needs(scope.needs)

    def of_needs(self, needs: Iterable[Need]) -> float:
        """Return the seconds of all missing runs, one after the other."""
        return sum(need.missing * self.of_cell(need.cell) for need in needs if need.missing)

    def of_cell(self, cell: Cell) -> float:
        """Return the seconds of one run of a cell."""
        keys = _keys(
            cell.dataset,
            cell.network.entry.name,
            cell.network.block,
            cell.resampler.entry.name,
            cell.rows,
            cell.training.epochs,
        )
        return next((self.known[key] for key in keys if key in self.known), UNKNOWN) + OVERHEAD


def _medians(runs: Iterable[Run]) -> dict[tuple[object, ...], float]:
    seconds: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for run in runs:
        if run.cost.train_seconds is not None:
            epochs = run.config.get("training", {}).get("epochs")
            for key in _keys(run.dataset, run.architecture, run.block, run.data, run.rows, epochs):
                seconds[key].append(run.cost.train_seconds)
    return {key: median(values) for key, values in seconds.items()}


def _keys(
    dataset: str, architecture: str, block: str, data: str, rows: int | None, epochs: object
) -> Sequence[tuple[object, ...]]:
    return (
        (dataset, architecture, block, data, rows, epochs),
        (dataset, architecture, block, rows, epochs),
        (dataset, architecture, rows, epochs),
        (dataset, architecture),
        (dataset,),
    )
