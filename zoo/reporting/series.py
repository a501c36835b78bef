"""A bounded sample of test rows for each cell of the confusion matrices, with their series.

The series are loaded anew from the data set, and shown only if the test set has the fingerprint of the runs. They are
read after all training has ended, as a scorer does; nothing is chosen with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.folds import CROSS_VALIDATION
from zoo.data.series import LabelledSeries
from zoo.errors import StoreError, UsageError, ZooError
from zoo.harness.datasets import load_dataset, separated
from zoo.harness.request import DataRequest
from zoo.reporting.records import Example, Sample
from zoo.reporting.repeat import OF_FILE
from zoo.store.leaderboard import Board, Standing
from zoo.store.predictions import Predictions, Remembered, predictions_of
from zoo.store.run import Run
from zoo.workspace import Workspace

PER_CELL = 4  # rows of a cell of one configuration
MOST_ROWS = 160  # series of a board
MOST_POINTS, MOST_CHANNELS = 400, 3  # of a series
MOST_CELLS = 150  # of a configuration: those with the most rows


@dataclass
class Sampler:
    """Chooses rows for the cells of one board, few different ones: a row that was chosen before is chosen again."""

    chosen: dict[int, int] = field(default_factory=dict)  # the place in the sample by the row of the test set

    def examples(self, runs: Sequence[Predictions]) -> tuple[Example, ...]:
        """Return examples of each cell of a configuration, from the predictions of its seeds."""
        first = runs[0]
        votes = sum(np.eye(len(first.classes), dtype=np.int64)[each.outcome.predicted] for each in runs)
        mean = np.mean([each.probabilities for each in runs], axis=0)
        return tuple(self._of_cells(first.labels, np.asarray(votes), mean))

    def _of_cells(
        self, labels: npt.NDArray[np.int64], votes: npt.NDArray[np.int64], mean: npt.NDArray[np.floating[Any]]
    ) -> Iterator[Example]:
        for true, predicted in _largest_cells(labels, votes):
            rows = np.flatnonzero((labels == true) & (votes[:, predicted] > 0))
            known = np.array([row in self.chosen for row in rows.tolist()], bool)
            order = np.lexsort((rows, ~known, -votes[rows, predicted]))
            for row in rows[order][:PER_CELL].tolist():
                if row not in self.chosen and len(self.chosen) >= MOST_ROWS:
                    continue
                place = self.chosen.setdefault(row, len(self.chosen))
                probabilities = tuple(round(float(each), 4) for each in mean[row])
                yield Example(
                    true=true,
                    predicted=predicted,
                    place=place,
                    votes=int(votes[row, predicted]),
                    probabilities=probabilities,
                )


def _largest_cells(labels: npt.NDArray[np.int64], votes: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the cells of a confusion matrix that have rows, errors before hits, and of both the largest first."""
    classes = votes.shape[1]
    sizes = np.array([votes[labels == number].sum(0) for number in range(classes)])
    cells = [(true, predicted) for true in range(classes) for predicted in range(classes) if sizes[true, predicted]]
    yield from sorted(cells, key=lambda cell: (cell[0] == cell[1], -sizes[cell]))[:MOST_CELLS]


def predictions_of_all(store: Remembered, standing: Standing) -> list[Predictions]:
    """Return the predictions of the seeds of a configuration; none if one of them cannot be read."""
    try:
        return [predictions_of(store, run) for run in standing.runs]
    except StoreError:
        return []


def samples(
    workspace: Workspace, board: Board, chosen: Mapping[int, int], some: Predictions, data_dir: Path | None
) -> tuple[tuple[Sample, ...], str]:
    """Return the series of the chosen rows of a test set, and "", or nothing and the reason.

    `chosen` has the place in the sample by the row of the test set; `some` are predictions of the board.
    """
    index = some.index[list(chosen)]
    try:
        series = _series_of(workspace, board.some_run, board.test, data_dir)
    except ZooError as problem:
        return (), f"the series are not shown: {problem}"
    groups = None if series.groups is None else series.groups[index]
    channels = _channels(series, index)
    return tuple(
        Sample(
            row=int(row),
            true=int(some.labels[number]),
            group="" if groups is None else str(groups[place]),
            channels=tuple(channels[place]),
        )
        for place, (number, row) in enumerate(zip(chosen, index, strict=True))
    ), ""


def _series_of(workspace: Workspace, run: Run, test: str, data_dir: Path | None) -> LabelledSeries:
    """Return the data set of a run. Raises ZooError if it cannot be loaded or has another test set."""
    if run.protocol == CROSS_VALIDATION:
        raise UsageError("the test set is that of all folds of a cross-validation")
    request = _request(run, data_dir)
    name = run.dataset
    if data_dir is not None and all(entry.name != name for entry in workspace.registry.of_kind("dataset")):
        name = str(data_dir / name)
    loaded = load_dataset(workspace, name, request)
    found = separated(loaded, run.protocol, run.seed, request)
    if found.summary.fingerprints["test"] != test:
        raise UsageError(f"{name} has other test rows than these runs")
    return loaded.series


def _channels(series: LabelledSeries, index: npt.NDArray[np.int64]) -> list[list[tuple[float, ...]]]:
    """Return the first channels of some rows, without padding."""
    values = np.asarray(series.values[index])
    ends = [values.shape[2]] * len(index) if series.lengths is None else series.lengths[index].tolist()
    return [[_thinned(channel[:end]) for channel in row[:MOST_CHANNELS]] for row, end in zip(values, ends, strict=True)]


def _thinned(channel: npt.NDArray[Any]) -> tuple[float, ...]:
    """Return the samples of a channel, of a long one each n-th, with four digits."""
    step = -(-len(channel) // MOST_POINTS)
    return tuple(float(f"{value:.4g}") for value in channel[::step].tolist())


def _request(run: Run, data_dir: Path | None) -> DataRequest:
    """Return the options with which the data of a run were loaded."""
    params = dict(run.config.get("dataset_params", {}))
    given = {name: params.pop(name) for name in OF_FILE if name in params}
    dropped, merged = params.pop("drop_class", ""), params.pop("merge_class", "")
    return DataRequest(
        rows=run.rows,
        assignments={f"dataset.{name}": value for name, value in params.items()},
        data_dir=data_dir,
        drop_class=(dropped,) if dropped else (),
        merge_class=tuple(merged.split(";")) if merged else (),
        **given,
    )
