"""Estimates of the time that missing runs take, from the stored runs that are most like them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from zoo.errors import ModelError, ZooError, guarded
from zoo.harness.cells import Cell
from zoo.inspection import count_macs
from zoo.missing.needs import Need
from zoo.missing.shelf import Shelf
from zoo.records import JsonObject, plain
from zoo.store.run import Run

UNKNOWN = 30.0  # seconds of a run if no run is stored
MACS_PER_SECOND = 5e9  # of one CPU core in small convolutions
FORWARD_AND_BACK = 3  # the arithmetic of a training step, in forward passes
OVERHEAD = 3.0  # seconds beside the epochs: loading, scoring and storing


@dataclass(frozen=True)
class Pace:
    """The seconds of training of stored runs.

    known  by what runs have in common, most in common first
    rates  by network and data set, and by network alone: seconds for a pass over one sample of the training rows
    """

    known: dict[tuple[object, ...], float]
    rates: dict[tuple[object, ...], float] = field(default_factory=dict)

    @classmethod
    def of(cls, shelf: Shelf) -> "Pace":
        """Return the median seconds of all groups of stored runs; published ones come from another machine."""
        every = [each for runs in shelf.by_cell.values() for each in runs]
        own = [stored.run for stored, public in every if not public]
        published = [stored.run for stored, public in every if public]
        return cls({**_medians(published), **_medians(own)}, {**_rates(published), **_rates(own)})

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

    def estimate(self, need: Need) -> float | None:
        """Return the seconds of one run from stored runs of the same network, of any length and on any data.

        Without any, the arithmetic of the network is a rough estimate; None for a network with fit().
        """
        config = need.cell.config()
        rate = next((self.rates[key] for key in _networks(config) if key in self.rates), None)
        if rate is not None and need.size:
            return rate * need.size * _passes(config) + OVERHEAD
        return None if need.cell.network.fitted else _rough(need)


def _rough(need: Need) -> float | None:
    """Return the seconds that the arithmetic of a training takes; None if the network cannot be built for this."""
    try:
        with guarded(ModelError, need.name):
            model = need.cell.on_meta(need.shape)
            if model is None:
                return None
            macs = count_macs(model, n_channels=need.shape["n_channels"], n_times=need.shape["n_times"])
    except ZooError:
        return None
    return FORWARD_AND_BACK * macs * need.rows * _passes(need.cell.config()) / MACS_PER_SECOND + OVERHEAD


def _medians(runs: Iterable[Run]) -> dict[tuple[object, ...], float]:
    seconds: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for run in runs:
        if run.cost.train_seconds is not None:
            epochs = run.config.get("training", {}).get("epochs")
            for key in _keys(run.dataset, run.architecture, run.block, run.data, run.rows, epochs):
                seconds[key].append(run.cost.train_seconds)
    return {key: median(values) for key, values in seconds.items()}


def _rates(runs: Iterable[Run]) -> dict[tuple[object, ...], float]:
    seconds: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for run in runs:
        shape = run.shape
        size = run.parts.rows.get("train", 0) * shape.get("n_channels", 0) * shape.get("n_times", 0)
        if run.cost.train_seconds is not None and size:
            for key in _networks(run.config):
                seconds[key].append(run.cost.train_seconds / size / _passes(run.config))
    return {key: median(values) for key, values in seconds.items()}


def _networks(config: JsonObject) -> Sequence[tuple[object, ...]]:
    """Return the network of a configuration with its data set, and alone."""
    params = json.dumps(plain([config.get("params", {}), config.get("block_params", {})]), sort_keys=True)
    network = (config.get("architecture"), config.get("block"), params)
    return (*network, config.get("dataset")), network


def _passes(config: JsonObject) -> int:
    """Return how often training passes over the rows; a network with fit() counts as one pass."""
    training = config.get("training", {})
    return int(training.get("epochs", 1)) * int(training.get("members", 1))


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
