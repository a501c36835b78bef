"""Train the runs that verifications need, the shortest first, and answer from all that is stored."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zoo.errors import ZooError
from zoo.harness.reporter import BenchReporter
from zoo.missing.needs import Need, missing_needs, with_stored
from zoo.missing.overall import Overall
from zoo.missing.pace import OVERHEAD, UNKNOWN, Pace
from zoo.missing.shelf import Shelf
from zoo.missing.training import Options, Trainer
from zoo.store.runs import Store
from zoo.verification.answers import answers
from zoo.verification.plan import Asked, VerificationPlan, make_verification_plan
from zoo.verification.result import Verifications
from zoo.workspace import Workspace


def verified_in(
    workspace: Workspace, asked: Asked, folder: Path, reporter: BenchReporter, train: Options | None = None
) -> Verifications:
    """Return the answers for references from the results in a folder; with `train`, missing runs are trained before.

    The folder is created only to train. Raises ZooError for a name without references.
    """
    reporter.on_phase("planning")
    plan = make_verification_plan(workspace, asked)
    if train is None and not Store.exists(folder):
        return answers(plan, Shelf(None))
    with Store(folder, create=train is not None) as store:
        notes = [] if train is None else _trained(plan, store, reporter, train)
        shelf = Shelf(store)
        return answers(_stored(plan, shelf), shelf, notes)


def _trained(plan: VerificationPlan, store: Store, reporter: BenchReporter, options: Options) -> list[str]:
    """Train the missing runs until the time budget ends; return notes."""
    store.end_dead_runs()
    needs = missing_needs(_stored(plan, Shelf(store)).demands)
    overall = Overall(reporter, sum(need.missing for need in needs))
    trainer = Trainer(plan.workspace, store, overall, options)
    notes: dict[str, None] = {}
    tried: set[tuple[str, ...]] = set()
    while batch := _next(plan, store, trainer, tried, notes):
        tried |= {need.wanted.keys for need in batch}
        try:
            trainer.train(batch)
        except ZooError as problem:
            notes[str(problem)] = None
    return [*notes]


def _next(
    plan: VerificationPlan, store: Store, trainer: Trainer, tried: set[tuple[str, ...]], notes: dict[str, None]
) -> Sequence[Need]:
    """Return the missing runs of the reference that takes the shortest time; for several jobs, of all that fit."""
    shelf = Shelf(store)
    pace = Pace.of(shelf)
    rounds = []
    for demand in _stored(plan, shelf).demands:
        needs = [need for need in missing_needs([demand]) if need.wanted.keys not in tried]
        if needs and _is_published(demand.reference.test_rows, demand.test_rows):
            rounds.append((sum(pace.estimate(need) or UNKNOWN + OVERHEAD for need in needs), needs))
    fitting = [(seconds, needs) for seconds, needs in rounds if seconds / trainer.options.jobs <= trainer.left]
    if len(fitting) < len(rounds):
        notes["the time budget has ended: missing runs are labelled as not run"] = None
    fitting.sort(key=lambda each: each[0])
    chosen = fitting[:1] if trainer.options.jobs == 1 else fitting
    return list({need.wanted.keys: need for _, needs in chosen for need in needs}.values())


def _is_published(expected: int | None, found: int) -> bool:
    """Whether the test set can be that of the reference."""
    return expected is None or expected == found


def _stored(plan: VerificationPlan, shelf: Shelf) -> VerificationPlan:
    return replace(plan, demands=tuple(with_stored(plan.demands, shelf)))
