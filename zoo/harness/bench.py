"""The bench: plan the cells of a request, prepare their data once, and train each cell or reuse its stored run."""

from collections.abc import Iterator

from zoo.errors import UsageError
from zoo.harness.planner import make_plan
from zoo.harness.reporter import BenchReporter
from zoo.harness.request import Request
from zoo.harness.run_cell import RunContext, execute
from zoo.harness.schedule import Schedule, ToTrain
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.training.hardware import check_threads
from zoo.workspace import Workspace


def run_bench(
    workspace: Workspace,
    request: Request,
    store: Store,
    reporter: BenchReporter,
    *,
    jobs: int = 1,
    address: str | None = None,
) -> Iterator[Run]:
    """Yield the runs of a request in the order of its plan, each when it ends or is reused from the store.

    With several `jobs`, or the `address` of a Ray cluster, worker processes train up to `jobs` cells at a time. A cell
    that fails yields a failed run. An error that prevents cells from running, such as a data set that cannot be read,
    is raised as a ZooError after all other cells have ended.
    """
    if jobs < 1:
        raise UsageError(f"--jobs must be at least 1, not {jobs}")
    reporter.on_phase("planning")
    store.end_dead_runs()
    plan = make_plan(workspace, request)
    for line in plan.left_out:
        reporter.on_note(f"left out: {line}")
    beside = jobs > 1 or address is not None
    schedule = Schedule(workspace, request, store, reporter, plan, beside=beside)
    if address is None:
        check_threads(schedule.threads)
    context = RunContext(workspace.registry, store, reporter)
    none = True
    for run in _on_ray(schedule, context, jobs, address) if beside else _here(schedule, context):
        none = False
        yield run
    schedule.raise_problems()
    if none:
        raise UsageError("nothing to run: no requested combination is possible")


def _here(schedule: Schedule, context: RunContext) -> Iterator[Run]:
    """Train one cell after another in this process."""
    for step in schedule.steps():
        if isinstance(step, ToTrain):
            context.reporter.on_run_started(step.prepared.run, step.number, len(schedule.plan.cells), step.epochs)
            run = execute(step.prepared, context, resume=step.resume)
        else:
            run = step
        context.reporter.on_run_finished(run)
        yield run


def _on_ray(schedule: Schedule, context: RunContext, jobs: int, address: str | None) -> Iterator[Run]:
    """Train several cells at a time in worker processes."""
    from zoo.harness.parallel import ParallelBench  # imports Ray, which is slow

    yield from ParallelBench(schedule, context, jobs, address).runs()
