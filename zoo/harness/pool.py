"""A pool of trainers, each in its own process; if one dies, its assignment resumes in another process, once.

A process with changed global state that could not be restored ends with its assignment.
"""

import contextlib
import sys
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import RayError

from zoo.errors import ZooError, describe
from zoo.harness.trained import Failure, Product
from zoo.harness.worker import Assignment, News, Trainer
from zoo.store.run import RunStatus
from zoo.training.loop import Epoch
from zoo.workers.process import cause_of_death

MOST_DEATHS = 2  # of one assignment: the first may have been an accident
MOST_FAILED_STARTS = 3


@dataclass
class _Task:
    """An assignment with its rows in the object store; `end` is its last news, None until they arrive."""

    ticket: str
    assignment: Assignment
    rows: Any
    validation: Any
    deaths: int = 0
    end: Product | Failure | None = None


class Pool:
    """`size` trainers in the running Ray session, each with `cpus` CPUs and `gpus` GPUs or a share of one."""

    def __init__(self, size: int, *, cpus: int, gpus: float) -> None:
        self._trainer = ray.remote(Trainer).options(num_cpus=cpus, num_gpus=gpus, max_restarts=0)
        self._starting: dict[Any, Any] = {}
        self._free: list[Any] = []
        self._busy: dict[Any, tuple[Any, _Task]] = {}
        self._again: list[_Task] = []
        self._failed_starts = 0
        for _ in range(size):
            self._start()

    @property
    def has_room(self) -> bool:
        """Whether a trainer is free."""
        return bool(self._free)

    def hand_out(self, ticket: str, assignment: Assignment, rows: Any, validation: Any) -> None:
        """Hand an assignment to a free trainer; its news carries the ticket. The rows are Ray object references."""
        self._set_to(_Task(ticket, assignment, rows, validation))

    def wait(self, seconds: float) -> list[tuple[str, News]]:
        """Return news as soon as some arrive, each with its ticket; an empty list after `seconds` without any.

        Raises ZooError if worker processes do not start.
        """
        watched = [*self._starting, *self._busy]
        if not watched:
            return []
        ray.wait(watched, num_returns=1, timeout=seconds)
        ready, _ = ray.wait(watched, num_returns=len(watched), timeout=0)
        return [news for one in ready for news in (self._begun(one) if one in self._starting else self._heard(one))]

    def _start(self) -> None:
        trainer: Any = self._trainer.remote(tuple(sys.path))
        self._starting[trainer.ready.remote()] = trainer

    def _replace(self, trainer: Any) -> None:
        """End a process and start another one."""
        with contextlib.suppress(Exception):
            ray.kill(trainer)
        self._start()

    def _begun(self, answer: Any) -> list[tuple[str, News]]:
        trainer = self._starting.pop(answer)
        try:
            ray.get(answer)
        except RayError as error:
            self._failed_starts += 1
            if self._failed_starts == MOST_FAILED_STARTS:
                raise ZooError(f"worker processes do not start: {cause_of_death(describe(error))}") from error
            self._start()
        else:
            self._rest(trainer)
        return []

    def _rest(self, trainer: Any) -> None:
        self._free.append(trainer)
        if self._again:
            self._set_to(self._again.pop(0))

    def _set_to(self, task: _Task) -> None:
        trainer = self._free.pop()
        method = trainer.train.options(num_returns="streaming")
        self._busy[method.remote(task.assignment, task.rows, task.validation)] = (trainer, task)

    def _heard(self, stream: Any) -> list[tuple[str, News]]:
        trainer, task = self._busy[stream]
        try:
            news: News = ray.get(next(stream))
        except StopIteration:
            del self._busy[stream]
            if task.end is not None and task.end.spoilt:
                self._replace(trainer)
            else:
                self._rest(trainer)
            return []
        except RayError as error:
            del self._busy[stream]
            self._replace(trainer)
            return self._died(task, describe(error))
        task.end = None if isinstance(news, Epoch) else news
        return [(task.ticket, news)]

    def _died(self, task: _Task, error: str) -> list[tuple[str, News]]:
        if task.end is not None:
            return []
        task.deaths += 1
        if task.deaths == MOST_DEATHS:
            return [(task.ticket, Failure(RunStatus.FAILED, f"its process died twice: {cause_of_death(error)}"))]
        task.assignment = replace(task.assignment, resume=True)
        self._again.append(task)
        if self._free:
            self._set_to(self._again.pop(0))
        return []
