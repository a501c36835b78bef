"""The bench: plan the cells of a request, prepare their data once, and train each cell or reuse its stored run."""

from collections.abc import Generator, Iterator

from zoo.errors import NothingToRun, UsageError
from zoo.harness.planner import Plan, make_plan
from zoo.harness.reporter import BenchReporter
from zoo.harness.request import Request
from zoo.harness.run_cell import RunContext, execute
from zoo.harness.schedule import Lost, Schedule, ToTrain
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.training.hardware import check_threads
from zoo.workers.forks import guard_forks
from zoo.workers.limits import has_deadlines, import_slow_modules
from zoo.workspace import Workspace


def run_bench(
    workspace: Workspace,
    request: Request,
    store: Store,
    reporter: BenchReporter,
    *,
    jobs: int = 1,
    address: str | None = None,
    isolate: bool = False,
) -> Iterator[Run]:
    """Yield the runs of a request in the order of its plan, each when it ends or is reused from the store.

    With several `jobs`, with the `address` of a Ray cluster, or with `isolate`, worker processes train up to `jobs`
    cells at a time. A cell that fails yields a failed run. An error that prevents cells from running, such as a data
    set that cannot be read, is raised as a ZooError after all other cells have ended.
    """
    if jobs < 1:
        raise UsageError(f"--jobs must be at least 1, not {jobs}")
    reporter.on_phase("planning")
    store.end_dead_runs()
    plan = make_plan(workspace, request)
    yield from run_plan(workspace, request, plan, store, reporter, jobs=jobs, address=address, isolate=isolate)


def run_plan(
    workspace: Workspace,
    request: Request,
    plan: Plan,
    store: Store,
    reporter: BenchReporter,
    *,
    jobs: int = 1,
    address: str | None = None,
    isolate: bool = False,
) -> Generator[Run, None, None]:
    """Yield the runs of a plan, as `run_bench` does. `request` has the options with which its data are loaded."""
    for line in plan.left_out:
        reporter.on_note(f"left out: {line}")
    for line in plan.notes:
        reporter.on_note(line)
    beside = jobs > 1 or address is not None
    apart = beside or isolate
    if request.run_timeout is not None and not (apart or has_deadlines()):
        raise UsageError("a time limit works only in the main thread, or in worker processes: use --isolate or --jobs")
    if request.run_timeout is not None and not apart:
        import_slow_modules()
    guard_forks()
    schedule = Schedule(workspace, request, store, reporter, plan, beside=beside)
    if address is None:
        check_threads(schedule.threads)
    context = RunContext(workspace.registry, store, reporter, timeout=request.run_timeout)
    none = True
    for run in _on_ray(schedule, context, jobs, address) if apart else _here(schedule, context):
        none = False
        yield run
    schedule.raise_problems()
    if none:
        raise NothingToRun((*plan.left_out, *schedule.left_out))


def _here(schedule: Schedule, context: RunContext) -> Iterator[Run]:
    """Train one cell after another in this process."""
    for step in schedule.steps():
        if isinstance(step, ToTrain):
            context.reporter.on_run_started(step.prepared.run, step.number, len(schedule.plan.cells), step.epochs)
            run = execute(step.prepared, context, resume=step.resume)
        elif isinstance(step, Lost):
            context.start(step.run)
            run = context.fail(step.run, step.failure)
        else:
            run = step
        context.reporter.on_run_finished(run)
        yield run


def _on_ray(schedule: Schedule, context: RunContext, jobs: int, address: str | None) -> Iterator[Run]:
    """Train several cells at a time in worker processes."""
    from zoo.harness.parallel import ParallelBench  # imports Ray, which is slow

    yield from ParallelBench(schedule, context, jobs, address).runs()
