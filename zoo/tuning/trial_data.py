"""The data of a study: loaded, separated, scaled and resampled once in the driver; the test set stays there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import ResamplingError
from zoo.harness.cells import Cell, ChosenComponent
from zoo.harness.datasets import load_dataset, scaled, separated
from zoo.harness.reporter import BenchReporter
from zoo.harness.training_run import resampled
from zoo.space import Choice, Space
from zoo.specs import Resampler
from zoo.store.study import Study
from zoo.tuning.request import TuneRequest
from zoo.tuning.spaces import first_values
from zoo.tuning.trial_cell import cells_of
from zoo.workspace import Workspace

Asked = tuple[str, tuple[tuple[str, Any], ...]]  # a resampler's name and its parameters


@dataclass(frozen=True)
class StudyData:
    """The separated data of a study, and for each possible resampler its training rows or the reason it failed."""

    parts: Parts
    variants: Mapping[Asked, Rows | str]

    @property
    def nbytes(self) -> int:
        """The size of all rows that trials share, in bytes."""
        rows = [self.parts.train, self.parts.validation, *self.variants.values()]
        return sum({id(each): _nbytes(each) for each in rows if isinstance(each, Rows)}.values())


def asked_of(part: ChosenComponent[Resampler]) -> Asked:
    return part.entry.name, tuple(part.params.items())


def data_of(workspace: Workspace, study: Study, reporter: BenchReporter) -> StudyData:
    """The data of a study, as `prepare` makes them."""
    return prepare(workspace, TuneRequest.from_json(study.request), study.space, reporter)


def prepare(workspace: Workspace, request: TuneRequest, space: Space, reporter: BenchReporter) -> StudyData:
    """Load, separate and scale the data, and apply each resampler of the space once.

    If parameters of the resampler are searched, each trial resamples its own rows. Raises DataError or UsageError for
    unusable data, ResamplingError if every resampler fails.
    """
    cells = _cells(workspace, request, space)
    dataset, protocol = cells[0].dataset, cells[0].protocol
    reporter.on_phase(f"loading {dataset}")
    loaded = load_dataset(workspace, dataset, request.cell)
    if loaded.series.read:
        reporter.on_note(loaded.series.read)
    parts = separated(loaded, protocol, request.seed, request.cell, cells[0].validation)
    parts = scaled(loaded, parts, cells[0].scale)
    if any(key.startswith("data.") for key in space):
        return StudyData(parts, {})
    variants: dict[Asked, Rows | str] = {}
    problems = []
    for cell in cells:
        reporter.on_phase(f"resampling: {cell.resampler.entry.name}")
        try:
            variants[asked_of(cell.resampler)] = resampled(cell, parts)
        except ResamplingError as problem:
            variants[asked_of(cell.resampler)] = str(problem)
            problems.append(problem)
    if len(problems) == len(variants):
        raise problems[0]
    return StudyData(parts, variants)


def _cells(workspace: Workspace, request: TuneRequest, space: Space) -> list[Cell]:
    """Return a cell for each resampler of the space; one cell if the space does not search resamplers."""
    first = {
        key: value
        for key, value in first_values(space).items()
        if key in ("data", "loss") or key.startswith(("data.", "loss."))
    }
    data = space.get("data")
    names = dict.fromkeys(data.values) if isinstance(data, Choice) else (None,)
    configs = [first if name is None else {**first, "data": name} for name in names]
    return [plan.cells[0] for config in configs if (plan := cells_of(workspace, request, config)).cells]


def _nbytes(rows: Rows) -> int:
    arrays = (rows.values, rows.labels, rows.index, rows.groups, rows.lengths)
    return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
