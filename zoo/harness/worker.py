"""A worker process of a bench: it trains one cell after another, and sends news of each as it comes.

Nothing raises out of it: Ray would throw the process away, and the one that follows would have to start first.
"""

from collections.abc import Iterator
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
from zoo.training.hardware import Hardware, computing_on
from zoo.training.loop import Epoch
from zoo.workers.limits import memory, out_of_memory
from zoo.workers.process import set_up

News = Epoch | Product | Failure


@dataclass(frozen=True)
class Assignment:
    """A cell to train and all it takes, but for its rows; `memory` is how many bytes it may take, 0 without limit."""

    cell: Cell
    summary: SplitSummary
    hardware: Hardware
    checkpoint: Path
    resume: bool
    memory: int


class Trainer:
    """Trains what it is assigned; nothing of one cell is left when the next begins."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        set_up(paths)

    def ready(self) -> None:
        """Answers when the process has started."""

    def train(self, assignment: Assignment, rows: Rows, validation: Rows) -> Iterator[News]:
        """Each epoch when its checkpoint is written, then the product, or at any point the failure.

        Rows come from the object store without a copy, and cannot be written to.
        """
        course = _course(assignment, rows, validation)
        try:
            while True:
                with memory(assignment.memory):  # not while news are sent: Ray's own code cannot go without memory
                    news = next(course, None)
                if news is None:
                    return
                yield news
        except (Exception, SystemExit) as error:
            yield _failure(error, limited=bool(assignment.memory))


def _failure(error: BaseException, *, limited: bool) -> Failure:
    failure = Failure.of(error)
    if limited and out_of_memory(error):
        return replace(failure, error=f"{failure.error} (each of several at a time has its share: try fewer --jobs)")
    return failure


def _course(assignment: Assignment, rows: Rows, validation: Rows) -> Iterator[News]:
    cell, hardware = assignment.cell, assignment.hardware
    with computing_on(hardware):  # between two steps nothing else computes in this process
        peak = PeakMemory(hardware.device)
        peak.start()
        parts = Parts.without_test(rows, validation, assignment.summary)
        training_run = TrainingRun.of(cell, parts, rows, hardware)
        trained_model = yield from training_run.course(
            SilentReporter(), assignment.checkpoint, resume=assignment.resume
        )
        trained = Trained(trained_model, peak.mib(), environment_of(cell, hardware))
        yield Product.of(trained, validation, hardware)
