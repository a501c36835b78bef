"""The bench: plans the cells of a request, prepares their data once, and runs or serves each."""

from collections.abc import Iterator

from zoo.errors import UsageError
from zoo.harness.planner import make_plan
from zoo.harness.reporter import BenchReporter
from zoo.harness.request import Request
from zoo.harness.run_cell import RunContext, execute
from zoo.harness.schedule import Schedule, ToTrain
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.workspace import Workspace


def run_bench(
    workspace: Workspace,
    request: Request,
    store: Store,
    watch: BenchReporter,
    *,
    jobs: int = 1,
    address: str | None = None,
) -> Iterator[Run]:
    """The runs of a request, in the order of its plan, each as it ends or is served from the store.

    With several `jobs`, or the `address` of a Ray cluster, cells are trained in worker processes, that many at a time.
    A cell that fails gives a failed run. What keeps cells from being run at all, such as a data set that cannot be
    read, is raised as a ZooError when the others are done.
    """
    if jobs < 1:
        raise UsageError(f"--jobs is at least 1, not {jobs}")
    watch.on_phase("planning")
    plan = make_plan(workspace, request)
    for line in plan.left_out:
        watch.on_note(f"left out: {line}")
    beside = jobs > 1 or address is not None
    schedule = Schedule(workspace, request, store, watch, plan, beside=beside)
    context = RunContext(workspace.registry, store, watch)
    none = True
    for run in _on_ray(schedule, context, jobs, address) if beside else _here(schedule, context):
        none = False
        yield run
    schedule.raise_problems()
    if none:
        raise UsageError("nothing to run: no combination asked for is possible")


def _here(schedule: Schedule, context: RunContext) -> Iterator[Run]:
    """Train cell by cell in this process."""
    for step in schedule.steps():
        if isinstance(step, ToTrain):
            context.watch.on_run_started(step.prepared.run, step.number, len(schedule.plan.cells), step.epochs)
            run = execute(step.prepared, context, resume=step.resume)
        else:
            run = step
        context.watch.on_run_finished(run)
        yield run


def _on_ray(schedule: Schedule, context: RunContext, jobs: int, address: str | None) -> Iterator[Run]:
    """Train several cells at a time in worker processes."""
    from zoo.harness.parallel import ParallelBench  # Ray, which a bench in this process need not wait for

    yield from ParallelBench(schedule, context, jobs, address).runs()
