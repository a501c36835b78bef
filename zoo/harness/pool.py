"""A pool of trainers, each in its own process; if one dies, its assignment resumes in another process, once."""

import contextlib
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from zoo.errors import ZooError
from zoo.harness.tasks import Looking, Task, Training
from zoo.harness.trained import Failure, Product
from zoo.harness.worker import Assignment, Look, News, Trainer
from zoo.store.last_words import end_of, forget
from zoo.store.run import RunStatus
from zoo.training.loop import Epoch
from zoo.workers.limits import GRACE_SECONDS
from zoo.workers.process import OUT_OF_MEMORY, UNKNOWN, cause_of_death, out_of_memory_kills

MOST_DEATHS = 2  # of one assignment: the first may have been an accident
MOST_FAILED_STARTS = 3


@dataclass
class _Work:
    """The work of a trainer on a task since `since`; `kills` counts processes that the system had killed by then."""

    trainer: Any
    task: Task
    since: float = field(default_factory=time.monotonic)
    kills: int = field(default_factory=out_of_memory_kills)


class Pool:
    """`size` trainers in the running Ray session, each with `cpus` CPUs and `gpus` GPUs or a share of one.

    `timeout` is the time limit of an assignment in seconds. A trainer that keeps it for too long is ended.
    """

    def __init__(self, size: int, *, cpus: int, gpus: float, timeout: float | None = None) -> None:
        self._trainer = ray.remote(Trainer).options(num_cpus=cpus, num_gpus=gpus, max_restarts=0)
        self._timeout = timeout
        self._starting: dict[Any, Any] = {}
        self._free: list[Any] = []
        self._busy: dict[Any, _Work] = {}
        self._again: list[Task] = []
        self._failed_starts = 0
        for _ in range(size):
            self._start()

    @property
    def has_room(self) -> bool:
        """Whether a trainer is free."""
        return bool(self._free)

    def hand_out(self, ticket: str, assignment: Assignment, rows: Any, validation: Any) -> None:
        """Hand an assignment to a free trainer; its news carries the ticket. The rows are Ray object references."""
        self._set_to(
            Training(ticket=ticket, folder=assignment.folder, assignment=assignment, rows=rows, validation=validation)
        )

    def look(self, ticket: str, folder: Path, asked: Look) -> None:
        """Let a free trainer look at the network of a cell; the only news is its preview, or a failure.

        Every node must access the folder.
        """
        self._set_to(Looking(ticket=ticket, folder=folder, asked=asked, timeout=self._timeout))

    def wait(self, seconds: float) -> list[tuple[str, News]]:
        """Return news as soon as some arrive, each with its ticket; an empty list after `seconds` without any.

        Raises ZooError if worker processes do not start.
        """
        watched = [*self._starting, *self._busy]
        if not watched:
            return []
        ray.wait(watched, num_returns=1, timeout=seconds)
        ready, _ = ray.wait(watched, num_returns=len(watched), timeout=0)
        found = [news for one in ready for news in (self._begun(one) if one in self._starting else self._heard(one))]
        return found + self._overdue()

    def _start(self) -> None:
        trainer: Any = self._trainer.remote(tuple(sys.path))
        self._starting[trainer.ready.remote()] = trainer

    def _begun(self, answer: Any) -> list[tuple[str, News]]:
        trainer = self._starting.pop(answer)
        try:
            ray.get(answer)
        except RayError as error:
            self._failed_starts += 1
            if self._failed_starts == MOST_FAILED_STARTS:
                raise ZooError(f"worker processes do not start: {cause_of_death(str(error))}") from error
            self._start()
        else:
            self._rest(trainer)
        return []

    def _rest(self, trainer: Any) -> None:
        self._free.append(trainer)
        if self._again:
            self._set_to(self._again.pop(0))

    def _set_to(self, task: Task) -> None:
        trainer = self._free.pop()
        self._busy[task.begin(trainer)] = _Work(trainer, task)

    def _heard(self, answer: Any) -> list[tuple[str, News]]:
        work = self._busy[answer]
        try:
            news: News = ray.get(work.task.next(answer))
        except StopIteration:
            if work.task.spoilt:
                self._replace(answer)
            else:
                del self._busy[answer]
                self._rest(work.trainer)
            return []
        except RayError as error:
            self._replace(answer)
            return self._died(work, str(error))
        work.task.ended = not isinstance(news, Epoch)
        work.task.spoilt = isinstance(news, Product | Failure) and news.spoilt
        return [(work.task.ticket, news)]

    def _overdue(self) -> list[tuple[str, News]]:
        """End the trainers that have not ended themselves long after the time limit, such as a stopped process."""
        if self._timeout is None:
            return []
        latest = time.monotonic() - self._timeout - 2 * GRACE_SECONDS
        late = {answer: work for answer, work in self._busy.items() if work.since < latest}
        for answer in late:
            self._replace(answer)
        tasks = [work.task for work in late.values() if not work.task.ended]
        return [(task.ticket, Failure.timeout(self._timeout)) for task in tasks]

    def _replace(self, answer: Any) -> None:
        """End the process of a trainer, and start another one."""
        work = self._busy.pop(answer)
        with contextlib.suppress(Exception):
            ray.kill(work.trainer)
        self._start()

    def _died(self, work: _Work, error: str) -> list[tuple[str, News]]:
        task = work.task
        if task.ended:
            return []
        failure = _failure(work, error)
        if failure.status == RunStatus.TIMEOUT:
            return [(task.ticket, Failure.timeout(self._timeout, " in code that cannot be interrupted"))]
        task.deaths += 1
        if task.deaths == MOST_DEATHS:
            return [(task.ticket, replace(failure, error=failure.error.replace("died:", "died twice:", 1)))]
        task.repeat()
        self._again.append(task)
        if self._free:
            self._set_to(self._again.pop(0))
        return []


def _failure(work: _Work, error: str) -> Failure:
    """Return why a process has died: by its last words, else by what the system and Ray know."""
    end = end_of(work.task.folder)
    forget(work.task.folder)
    if end is not None:
        return Failure(*end)
    cause = cause_of_death(error)
    if cause == UNKNOWN and out_of_memory_kills() > work.kills:
        cause = OUT_OF_MEMORY
    return Failure(RunStatus.FAILED, f"its process died: {cause}")
