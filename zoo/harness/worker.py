"""A worker process of a bench: it trains one cell after another and sends its news immediately.

It raises no exception: Ray would end the process, and a new one would have to start.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.cost import PeakMemory
from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.harness.cells import Cell
from zoo.harness.reporter import SilentReporter
from zoo.harness.run_cell import environment_of
from zoo.harness.trained import Failure, Product, Trained
from zoo.harness.training_run import TrainingRun
from zoo.records import SplitSummary
from zoo.surroundings.kept import Changes
from zoo.training.hardware import Hardware, computing_on
from zoo.training.loop import Epoch
from zoo.workers.limits import memory, out_of_memory
from zoo.workers.process import set_up

News = Epoch | Product | Failure


@dataclass(frozen=True)
class Assignment:
    """A cell to train, with everything except its rows; `memory` is its limit in bytes, 0 for no limit."""

    cell: Cell
    summary: SplitSummary
    hardware: Hardware
    checkpoint: Path
    resume: bool
    memory: int


class Trainer:
    """Trains the assigned cells; the global state that a cell changed is restored before the next one starts."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        set_up(paths)

    def ready(self) -> None:
        """Return when the process has started."""

    def train(self, assignment: Assignment, rows: Rows, validation: Rows) -> Iterator[News]:
        """Yield each epoch after its checkpoint is written, then the product; a failure at any point ends the news.

        The rows are views of the object store, without a copy, and are read-only.
        """
        changes = Changes()
        course = _course(assignment, rows, validation, changes)
        try:
            while True:
                with memory(assignment.memory):  # not while news is sent: Ray needs memory for that
                    epoch = next(course)
                yield epoch
        except StopIteration as end:
            ended: Product | Failure = end.value
        except (Exception, SystemExit) as error:
            ended = _failure(error, limited=bool(assignment.memory))
        notes = changes.notes(assignment.cell.network.reference)
        yield replace(ended, notes=(*ended.notes, *notes), spoilt=bool(changes.left))


def _failure(error: BaseException, *, limited: bool) -> Failure:
    failure = Failure.of(error)
    if limited and out_of_memory(error):
        return replace(failure, error=f"{failure.error} (several runs share the memory: try fewer --jobs)")
    return failure


def _course(assignment: Assignment, rows: Rows, validation: Rows, changes: Changes) -> Generator[Epoch, None, Product]:
    cell, hardware = assignment.cell, assignment.hardware
    with computing_on(hardware, changes):  # nothing else computes in this process between two steps
        peak = PeakMemory(hardware.device)
        peak.start()
        parts = Parts.without_test(rows, validation, assignment.summary)
        training_run = TrainingRun.of(cell, parts, rows, hardware)
        trained_model = yield from training_run.course(
            SilentReporter(), assignment.checkpoint, resume=assignment.resume
        )
        trained = Trained(trained_model, peak.mib(), environment_of(cell, hardware))
        return Product.of(trained, validation, hardware)
