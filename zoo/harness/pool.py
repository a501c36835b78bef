"""A pool of workers, each in its own process; if one dies, its task resumes in another process, once."""

import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from zoo.errors import ZooError
from zoo.harness.scoring import Scored
from zoo.harness.tasks import Task
from zoo.harness.trained import Failure, Product
from zoo.harness.worker import News, Worker
from zoo.store.last_words import end_of, forget
from zoo.store.run import RunStatus
from zoo.training.loop import Epoch
from zoo.workers.limits import GRACE_SECONDS
from zoo.workers.process import OUT_OF_MEMORY, UNKNOWN, cause_of_death, out_of_memory_kills

MOST_DEATHS = 2  # of one assignment: the first may have been an accident
MOST_FAILED_STARTS = 3


@dataclass
class _Work:
    """The work of a worker on a task since `since`; `kills` counts processes that the system had killed by then."""

    worker: Any
    task: Task
    since: float = field(default_factory=time.monotonic)
    kills: int = field(default_factory=out_of_memory_kills)


class Pool:
    """`size` workers in the running Ray session, each with `cpus` CPUs and `gpus` GPUs or a share of one.

    `timeout` is the time limit of a task in seconds. A worker that keeps a task for too long is ended. With `here`, the
    workers run on the machine of the driver, if they can, also on a cluster.
    """

    def __init__(self, size: int, *, cpus: int, gpus: float, timeout: float | None = None, here: bool = False) -> None:
        where = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True) if here else None
        self._worker = ray.remote(Worker).options(
            num_cpus=cpus, num_gpus=gpus, max_restarts=0, scheduling_strategy=where
        )
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
        """Whether a worker is free."""
        return bool(self._free)

    @property
    def watched(self) -> list[Any]:
        """Ray's references to all answers that this pool waits for."""
        return [*self._starting, *self._busy]

    def hand_out(self, task: Task) -> None:
        """Hand a task to a free worker; its news carries the ticket of the task. Every node must access its folder."""
        worker = self._free.pop()
        self._busy[task.begin(worker)] = _Work(worker, task)

    def arrived(self) -> list[tuple[str, News]]:
        """Return the news that have arrived. Raises ZooError if worker processes do not start."""
        watched = self.watched
        if not watched:
            return []
        ready, _ = ray.wait(watched, num_returns=len(watched), timeout=0)
        found = [news for one in ready for news in (self._begun(one) if one in self._starting else self._heard(one))]
        return found + self._overdue()

    def _start(self) -> None:
        worker: Any = self._worker.remote(tuple(sys.path))
        self._starting[worker.ready.remote()] = worker

    def _begun(self, answer: Any) -> list[tuple[str, News]]:
        worker = self._starting.pop(answer)
        try:
            ray.get(answer)
        except RayError as error:
            self._failed_starts += 1
            if self._failed_starts == MOST_FAILED_STARTS:
                raise ZooError(f"worker processes do not start: {cause_of_death(str(error))}") from error
            self._start()
        else:
            self._rest(worker)
        return []

    def _rest(self, worker: Any) -> None:
        self._free.append(worker)
        if self._again:
            self.hand_out(self._again.pop(0))

    def _heard(self, answer: Any) -> list[tuple[str, News]]:
        work = self._busy[answer]
        try:
            news: News = ray.get(work.task.next(answer))
        except StopIteration:
            if work.task.spoilt:
                self._replace(answer)
            else:
                del self._busy[answer]
                self._rest(work.worker)
            return []
        except RayError as error:
            self._replace(answer)
            return self._died(work, str(error))
        work.task.ended = not isinstance(news, Epoch)
        work.task.spoilt = isinstance(news, Product | Scored | Failure) and news.spoilt
        return [(work.task.ticket, news)]

    def _overdue(self) -> list[tuple[str, News]]:
        """End the workers that have not ended themselves long after the time limit, such as a stopped process."""
        if self._timeout is None:
            return []
        latest = time.monotonic() - self._timeout - 2 * GRACE_SECONDS
        late = {answer: work for answer, work in self._busy.items() if work.since < latest}
        for answer in late:
            self._replace(answer)
        tasks = [work.task for work in late.values() if not work.task.ended]
        return [(task.ticket, Failure.timeout(self._timeout)) for task in tasks]

    def _replace(self, answer: Any) -> None:
        """End the process of a worker, and start another one."""
        work = self._busy.pop(answer)
        with contextlib.suppress(Exception):
            ray.kill(work.worker)
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
            self.hand_out(self._again.pop(0))
        return []


def wait(pools: Sequence[Pool], seconds: float) -> list[tuple[str, News]]:
    """Return the news of all pools as soon as some arrive, each with its ticket; none after `seconds` without any.

    Raises ZooError if worker processes do not start.
    """
    watched = [one for pool in pools for one in pool.watched]
    if not watched:
        return []
    ray.wait(watched, num_returns=1, timeout=seconds)
    return [news for pool in pools for news in pool.arrived()]


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
