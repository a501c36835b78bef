"""The parallel bench: several cells at a time, in worker processes on this machine or on a Ray cluster.

Only the driver holds the labels of the test rows and writes to the store. Workers that train receive training and
validation rows, and send back trained weights. A worker that never trains predicts the test rows, without their labels,
with these weights. So no code of a network runs in the driver, and none that trains has seen a test row.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import ray
import torch

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.errors import ZooError
from zoo.harness.cells import Cell
from zoo.harness.pool import Pool, wait
from zoo.harness.preview import Preview
from zoo.harness.reporter import UnderWay
from zoo.harness.run_cell import RunContext, finish, noted
from zoo.harness.schedule import Lost, Schedule, ToTrain
from zoo.harness.scoring import Scored
from zoo.harness.tasks import Looking, Scoring, Training
from zoo.harness.trained import Failure, Product
from zoo.harness.worker import Assignment, Limits, Look, News
from zoo.networks import Incompatible
from zoo.store.run import Run
from zoo.surroundings.kept import Changes, kept
from zoo.training.hardware import choose_device
from zoo.training.loop import Epoch
from zoo.workers.limits import share_of_memory
from zoo.workers.session import Workers

PATIENCE_SECONDS = 1.0  # longest wait for news, so that signals are handled soon


@dataclass
class _AtWork:
    """A run in progress: its place in the plan, its prepared cell, and the number of epochs done.

    When it is trained, `product` is set; when its scoring has begun, `test` holds the test rows.
    """

    place: int
    step: ToTrain
    run: Run
    epoch: int = 0
    product: Product | None = None
    test: Rows | None = None


class ParallelBench:
    """Runs the cells of a bench, `jobs` at a time; no process starts before a cell has to be trained."""

    def __init__(self, schedule: Schedule, context: RunContext, jobs: int, address: str | None) -> None:
        self.schedule, self.jobs = schedule, jobs
        self.device = choose_device(schedule.device)
        self.cpus = max(1, schedule.threads)
        self.looked = 0
        self.seen: dict[str, Preview | Failure | Incompatible] = {}  # by the ticket of a look
        gpus = gpu_share(self.device, torch.cuda.device_count(), jobs) if address is None else 0.0
        self.workers = Workers(jobs, cpus_each=self.cpus, gpus_each=gpus, address=address)
        self.context = replace(context, stopped=lambda: self.workers.terminated)
        self.pool: Pool | None = None
        self.scorer: Pool | None = None  # of one worker, which never trains
        self.limits = Limits(schedule.request.run_timeout, beside=jobs > 1)
        self.sent = _Sent()
        self.at_work: dict[str, _AtWork] = {}
        self.waiting: Run | None = None  # begun by the schedule, and not yet handed out
        self.ended: dict[int, Run] = {}
        self.told = self.reached = 0

    def runs(self) -> Iterator[Run]:
        """Yield the runs in the order of the plan; if an error stops the bench, yield all ended runs, then raise it."""
        try:
            with self.workers, self.context.store.heartbeat() as self.beat:
                try:
                    yield from self._runs()
                finally:
                    self._interrupt()
        except GeneratorExit:
            raise
        except BaseException:
            yield from (self.ended[place] for place in sorted(self.ended))
            raise

    def _runs(self) -> Iterator[Run]:
        for place, step in enumerate(self.schedule.steps(self._settle, self._look)):
            if isinstance(step, ToTrain):
                self._hand_out(place, step)
            elif isinstance(step, Lost):
                self.context.start(step.run)
                self._end(place, self.context.fail(step.run, step.failure))
            else:
                self._end(place, step)
            yield from self._in_order()
        while self.at_work:
            self._come_on()
            yield from self._in_order()

    def _in_order(self) -> Iterator[Run]:
        while self.told in self.ended:
            self.told += 1
            yield self.ended.pop(self.told - 1)

    def _settle(self, key: str) -> None:
        """Wait while a run with the same key is in progress, so that a cell requested twice is trained once."""
        while any(one.run.key == key for one in self.at_work.values()):
            self._come_on()

    def _look(self, cell: Cell, parts: Parts, rows: Callable[[], Rows]) -> Preview | Failure:
        """Look at the network of a cell: in a worker, unless a run with its key is done, which needs no worker.

        Raises Incompatible if it does not fit together with its blocks.
        """
        self.looked += 1
        keys = cell.keys(parts.summary)
        for key in keys:
            self._settle(key)
        if not self.schedule.request.force and any(self.context.store.done(key) is not None for key in keys):
            return self.schedule.look(cell, parts, rows)
        with contextlib.suppress(Exception, SystemExit):  # while the workers are busy; `_hand_out` reports an error
            rows()
        pool, ticket = self._started(len(self.schedule.plan.cells) - self.looked + 1), secrets.token_hex(4)
        self._wait_for(lambda: pool.has_room)
        asked = Look(cell, parts.summary.shape, str(self.device), self.schedule.threads)
        folder = self.context.store.folder.absolute() / f".look-{ticket}"
        pool.hand_out(Looking(ticket=ticket, folder=folder, limits=self.limits, asked=asked))
        self._wait_for(lambda: ticket in self.seen)
        seen = self.seen.pop(ticket)
        if isinstance(seen, Incompatible):
            raise seen
        return seen

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        if not self.at_work:
            self.context.reporter.on_phase("waiting for a worker")
        while not condition():
            self._come_on()

    def _hand_out(self, place: int, step: ToTrain) -> None:
        """Wait for a free worker and assign the cell to it."""
        run, prepared = step.prepared.run, step.prepared
        if self.jobs > 1:
            note = f"times were measured with up to {self.jobs} runs at a time: compare them only with such times"
            run = replace(run, notes=(*run.notes, note))
        self.waiting = run
        self.beat.add(run.id)
        pool, changes = self._started(1), Changes()
        try:
            with kept(changes):
                resampled, parts = prepared.rows(), prepared.parts
            before, validation = self.sent.before(parts.train), self.sent.validation(parts.validation)
            rows = before if resampled is parts.train else self.sent.resampled(resampled)
        except (Exception, SystemExit) as error:
            if self.context.stopped():
                raise
            self.context.start(run)
            self._end(place, self.context.fail(run, Failure.of(error)))
            self.waiting = None
            self.beat.drop(run.id)
            return
        run = noted(run, *changes.notes(run.reference))
        self._wait_for(lambda: pool.has_room and len(self._trained) <= self.jobs)
        self.context.start(run)
        self.reached, self.waiting = step.number, None
        self.at_work[run.id] = _AtWork(place, step, run)
        checkpoint = self.context.store.checkpoint(run).absolute()
        how = (prepared.hardware, checkpoint, step.resume, self.limits)
        assignment = Assignment(prepared.cell, prepared.parts.summary, *how)
        folder = assignment.folder
        sent = {"rows": rows, "before": before, "validation": validation}
        pool.hand_out(Training(ticket=run.id, folder=folder, assignment=assignment, **sent))
        if self.scorer is None:
            self.scorer = Pool(1, cpus=0, gpus=0.0, timeout=self.limits.timeout, here=True)
        self._show()

    def _started(self, wanted: int) -> Pool:
        """Return the pool; the first call starts at most `wanted` workers, in the background."""
        if self.pool is None:
            self.context.reporter.on_phase("starting workers")
            self.workers.start(self.context.store.folder)
            gpus = self.workers.gpus_each
            if self.workers.address is not None:
                there = ray.cluster_resources()  # type: ignore[no-untyped-call]
                gpus = gpu_share(self.device, int(there.get("GPU", 0)), self.jobs)
            elif self.device.type == "cpu":
                self.limits = replace(self.limits, memory=share_of_memory(self.jobs))
            self.pool = Pool(min(self.jobs, wanted), cpus=self.cpus, gpus=gpus, timeout=self.limits.timeout)
        return self.pool

    @property
    def _trained(self) -> list[_AtWork]:
        """Trained runs that wait for scoring."""
        return [one for one in self.at_work.values() if one.product is not None and one.test is None]

    def _come_on(self) -> None:
        """Wait for news and handle it, and hand a trained network to the scorer if it is free."""
        news = wait([pool for pool in (self.pool, self.scorer) if pool is not None], PATIENCE_SECONDS)
        for ticket, one in news:
            self._hear(ticket, one)
        if self._trained:
            self._score(self._trained[0])
        if news:
            self._show()

    def _hear(self, ticket: str, news: News) -> None:
        if ticket not in self.at_work:
            assert isinstance(news, Preview | Failure | Incompatible)
            self.seen[ticket] = news
            return
        one = self.at_work[ticket]
        if isinstance(news, Epoch):
            one.epoch = news.number
            self.context.tell(one.run, news)
        elif isinstance(news, Product):
            one.product = news
        else:
            assert isinstance(news, Scored | Failure)
            self._conclude(one, news)

    def _score(self, one: _AtWork) -> None:
        prepared, product, scorer = one.step.prepared, one.product, self.scorer
        assert product is not None
        assert scorer is not None
        if scorer.has_room:
            one.test = prepared.opened_test()
            asked, test = prepared.to_score(product), self.sent.test(one.test)
            folder = self.context.store.path(one.run).absolute()
            limits = replace(self.limits, spent=sum(epoch.seconds for epoch in product.history))
            scorer.hand_out(Scoring(ticket=one.run.id, folder=folder, limits=limits, asked=asked, test=test))

    def _conclude(self, one: _AtWork, end: Scored | Failure) -> None:
        run, prepared = one.run, one.step.prepared
        if isinstance(end, Failure):
            ended = self.context.fail(run, end)
        else:
            assert one.product is not None
            assert one.test is not None
            ended = finish(prepared, run, self.context, one.product, end, one.test)
        del self.at_work[run.id]
        self.beat.drop(run.id)
        self._end(one.place, ended)

    def _end(self, place: int, run: Run) -> None:
        self.ended[place] = run
        self.context.reporter.on_run_finished(run)

    def _show(self) -> None:
        running = [UnderWay(one.run, one.epoch, one.step.epochs) for one in self.at_work.values()]
        self.context.reporter.on_runs(running, self.reached - len(running), len(self.schedule.plan.cells))

    def _interrupt(self) -> None:
        """Store all begun runs as interrupted; their checkpoints stay."""
        begun = [*(one.run for one in self.at_work.values()), *([self.waiting] if self.waiting else [])]
        self.at_work.clear()
        for run in begun:
            with contextlib.suppress(ZooError):
                self.context.interrupt(run)


class _Sent:
    """The latest rows in the object store; neighbouring cells share them."""

    def __init__(self) -> None:
        self.latest: dict[str, tuple[Any, Any]] = {}

    def before(self, rows: Rows) -> Any:
        """Send the training rows before resampling."""
        return self._ref("before", rows, rows)

    def resampled(self, rows: Rows) -> Any:
        return self._ref("resampled", rows, rows)

    def validation(self, rows: Rows) -> Any:
        return self._ref("validation", rows, rows)

    def test(self, rows: Rows) -> Any:
        """Send test rows without their labels."""
        return self._ref("test", rows.values, rows.unlabelled())

    def _ref(self, part: str, source: Any, rows: Rows) -> Any:
        """Return Ray's reference to the rows; they are sent once as long as `source` is the same object."""
        if part not in self.latest or self.latest[part][0] is not source:
            self.latest.pop(part, None)  # free the old rows before the new ones are stored
            self.latest[part] = (source, ray.put(rows))
        return self.latest[part][1]


def gpu_share(device: torch.device, gpus: int, jobs: int) -> float:
    """Return the GPUs, or the share of one, for each of `jobs` runs; 0 if the device names one GPU by its number."""
    if device.type != "cuda" or device.index is not None or not gpus:
        return 0.0
    beside = -(-jobs // gpus)
    return int(10_000 / beside) / 10_000  # Ray counts shares to four decimals
