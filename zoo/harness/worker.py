"""A worker process of a bench: it trains or scores one cell after another and sends its news immediately.

It raises no exception: Ray would end the process, and a new one would have to start.
"""

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.cost import PeakMemory
from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.harness.cells import Cell
from zoo.harness.preview import Preview
from zoo.harness.reporter import SilentReporter
from zoo.harness.run_cell import environment_of
from zoo.harness.scoring import Scored, ToScore
from zoo.harness.trained import Failure, Product, Trained
from zoo.harness.training_run import TrainingRun
from zoo.networks import Incompatible
from zoo.records import SplitSummary
from zoo.store.last_words import HUNG, last_words
from zoo.surroundings.kept import Changes
from zoo.surroundings.memories import without_memories
from zoo.training.hardware import Hardware, computing_on
from zoo.training.loop import Epoch
from zoo.training.randomness import own_random
from zoo.workers.forks import check_forks
from zoo.workers.limits import Deadline, deadline, import_slow_modules, memory, out_of_memory
from zoo.workers.process import set_up

LEAST_SECONDS = 0.001  # 0 would be no limit
News = Epoch | Product | Scored | Failure | Preview | Incompatible


@dataclass(frozen=True)
class Limits:
    """The limits of a task.

    timeout  the time limit of its run in seconds; None: no limit
    spent    the seconds that its run has spent in earlier tasks
    memory   its limit in bytes; 0: no limit
    beside   whether other runs share the memory
    """

    timeout: float | None = None
    memory: int = 0
    beside: bool = False
    spent: float = 0.0

    @property
    def left(self) -> float | None:
        """The seconds that are left to the run."""
        return None if self.timeout is None else max(self.timeout - self.spent, LEAST_SECONDS)


@dataclass(frozen=True)
class Look:
    """A question about a network before it is trained: what hardware it needs, and how large it is."""

    cell: Cell
    shape: Mapping[str, int]
    device: str
    threads: int

    def preview(self) -> Preview:
        """Raises Incompatible if the network does not fit together with its blocks."""
        found = Preview.of(self.cell, self.shape, self.device, self.threads)
        return found.counted(self.cell, self.shape)


@dataclass(frozen=True)
class Assignment:
    """A cell to train, with everything except its rows.

    checkpoint  in the folder of the run, which also receives the last words of the process
    """

    cell: Cell
    summary: SplitSummary
    hardware: Hardware
    checkpoint: Path
    resume: bool
    limits: Limits

    @property
    def folder(self) -> Path:
        return self.checkpoint.parent.parent


class Worker:
    """Trains or scores cells; the global state that a cell changed is restored before the next one starts."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        set_up(paths)

    def ready(self) -> None:
        """Return when the process has started."""
        import_slow_modules()

    def train(self, assignment: Assignment, rows: Rows, before: Rows, validation: Rows) -> Iterator[News]:
        """Yield each epoch after its checkpoint is written, then the product; a failure at any point ends the news.

        `before` holds the training rows before resampling. The rows are views of the object store, without a copy, and
        are read-only.
        """
        changes = Changes()
        parts = Parts.without_test(before, validation, assignment.summary)
        course = _course(assignment, rows, parts, changes)
        spent = 0.0
        with last_words(assignment.folder):
            while True:
                started = time.monotonic()
                news = _next(course, assignment, spent)
                spent += time.monotonic() - started
                if not isinstance(news, Epoch):
                    break
                yield news
            notes = (*news.notes, *changes.notes(assignment.cell.network.reference))
            yield replace(news, notes=notes, spoilt=bool(changes.left))

    def look(self, asked: Look, folder: Path, limits: Limits) -> Preview | Failure | Incompatible:
        """Return the preview of a network, before any of its rows are sent."""
        try:
            with last_words(folder), deadline(limits.timeout, folder / HUNG):
                return asked.preview()
        except Deadline:
            return Failure.timeout(limits.timeout)
        except Incompatible as reason:
            return reason
        except BaseException as error:
            return Failure.of(error)

    def score(self, asked: ToScore, test: Rows, folder: Path, limits: Limits) -> Scored | Failure:
        """Return what a trained network computes for the test rows, which come without labels."""
        changes, hardware = Changes(), asked.hardware
        news: Scored | Failure
        with last_words(folder):
            try:
                with memory(limits.memory), deadline(limits.left, folder / HUNG):
                    with computing_on(hardware, changes), own_random(hardware.device):
                        news = asked.score(test)
                    check_forks()
            except Deadline:
                news = Failure.timeout(limits.timeout)
            except BaseException as error:
                news = _failure(error, limits)
            notes = (*news.notes, *changes.notes(asked.cell.network.reference))
            return replace(news, notes=notes, spoilt=bool(changes.left))


def _next(course: Generator[Epoch, None, Product], assignment: Assignment, spent: float) -> Epoch | Product | Failure:
    """Return the next news of a course; whatever is raised is a failure."""
    limits = replace(assignment.limits, spent=spent)
    try:
        # Not while news is sent: Ray needs memory and time for that.
        with memory(limits.memory), deadline(limits.left, assignment.folder / HUNG):
            try:
                news: Epoch | Product = next(course)
            except StopIteration as end:
                news = end.value
            check_forks()
            return news
    except Deadline:
        return Failure.timeout(limits.timeout)
    except BaseException as error:
        return _failure(error, limits)


def _failure(error: BaseException, limits: Limits) -> Failure:
    failure = Failure.of(error)
    if limits.memory and limits.beside and out_of_memory(error):
        return replace(failure, error=f"{failure.error} (several runs share the memory: try fewer --jobs)")
    return failure


def _course(assignment: Assignment, rows: Rows, parts: Parts, changes: Changes) -> Generator[Epoch, None, Product]:
    cell, hardware = assignment.cell, assignment.hardware
    # nothing else computes in this process between two steps
    with computing_on(hardware, changes), without_memories(cell.packages):
        peak = PeakMemory(hardware.device)
        peak.start()
        training_run = TrainingRun.of(cell, parts, rows, hardware)
        trained_model = yield from training_run.course(
            SilentReporter(), assignment.checkpoint, resume=assignment.resume
        )
        trained = Trained(trained_model, peak.mib(), environment_of(cell, hardware))
        return Product.of(trained, parts.to_check_with, hardware)
