"""Train missing runs within a time budget, and resume those that were interrupted."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from zoo.errors import UsageError
from zoo.harness.bench import run_plan
from zoo.harness.planner import Plan
from zoo.harness.reporter import BenchReporter
from zoo.missing.needs import Need, data_options
from zoo.store.runs import Store
from zoo.workspace import Workspace


@dataclass(frozen=True)
class Options:
    """How missing runs are trained. `time_budget` is in seconds; None: no limit."""

    jobs: int = 1
    time_budget: float | None = None
    threads: int | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError(f"--jobs must be at least 1, not {self.jobs}")
        if self.time_budget is not None and not 0 < self.time_budget < float("inf"):
            raise UsageError(f"--time-budget must be a time above 0 s, not {self.time_budget} s")


@dataclass(frozen=True)
class Trainer:
    """Trains the runs of needs and stores them; the time budget begins when it is made."""

    workspace: Workspace
    own: Store
    reporter: BenchReporter
    options: Options
    begun: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """The seconds left of the time budget."""
        budget = self.options.time_budget
        return float("inf") if budget is None else self.begun + budget - time.monotonic()

    def train(self, needs: Sequence[Need]) -> None:
        """Train the missing runs of these needs until the time budget ends. Raises ZooError if cells cannot run."""
        for repeat in range(max((need.missing for need in needs), default=0)):
            asked = [need for need in needs if need.missing > repeat]
            for same in _by_request(asked):
                again = [need for need in same if need.repeats > 1 and self._has_run(need)]
                first = [need for need in same if need not in again]
                self._bench(first, force=False)
                self._bench(again, force=True)

    def _has_run(self, need: Need) -> bool:
        """Whether a run of this cell is stored, so that another one must be forced; an unfinished one is resumed."""
        keys = need.wanted.keys
        return any(map(self.own.done, keys)) and not any(map(self.own.unfinished, keys))

    def _bench(self, needs: Sequence[Need], *, force: bool) -> None:
        """Train the cells. A run that began in another environment is not resumed, but begins again."""
        try:
            self._once(needs, force=force, resume=not force)
        except UsageError:
            if force:
                raise
            left = [need for need in needs if not any(map(self.own.done, need.wanted.keys))]
            self._once(left, force=False, resume=False)

    def _once(self, needs: Sequence[Need], *, force: bool, resume: bool) -> None:
        if not needs or self.left <= 0:
            return
        options = self.options
        request = replace(needs[0].request, force=force, resume=resume, threads=options.threads, device=options.device)
        cells = tuple({need.wanted.keys: need.asked for need in needs}.values())
        runs = run_plan(self.workspace, request, Plan(cells, ()), self.own, self.reporter, jobs=options.jobs)
        with contextlib.closing(runs):
            for _ in runs:
                if self.left <= 0:
                    return


def _by_request(needs: Sequence[Need]) -> list[list[Need]]:
    """Return the needs in groups that load the same data with the same options."""
    groups: dict[object, list[Need]] = {}
    for need in needs:
        groups.setdefault((need.dataset, data_options(need.request)), []).append(need)
    return list(groups.values())
