"""Train the runs that hypotheses need, those nearest to a decision first, and answer from all that is stored.

The unit is a round: all missing runs of one seed of a part. Its value is the chance that the seeds which the file names
decide the part, divided by the time that its missing runs take. The order is computed anew after each round. A part
that is already decided comes last: its number of seeds was fixed before, and is not cut short because of the result.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.claims.answers import Answer
from zoo.claims.evidence import answers, of_scope
from zoo.claims.findings import Seen, chance_of
from zoo.claims.hypothesis import HypothesisFile, Kind
from zoo.claims.plan import ClaimPlan, Place, Scope, make_claim_plan, needs_of_parts, plan_with_stored, seconds_of
from zoo.claims.result import Hypotheses
from zoo.claims.tuned import comparison_name, runs_of_search, studies_of
from zoo.errors import UsageError, ZooError
from zoo.harness.reporter import BenchReporter
from zoo.missing.needs import Need
from zoo.missing.overall import Overall
from zoo.missing.pace import Pace
from zoo.missing.shelf import Shelf
from zoo.missing.training import Options, Trainer
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.wording import count_text
from zoo.workspace import Workspace

DECIDED = 0.001  # the value of a round whose part is decided, relative to that of others
BATCH_SECONDS = 120.0  # of work for each job, before the order is computed anew


@dataclass(frozen=True)
class Round:
    """The missing runs of one seed of a part. `value` orders the rounds, the highest first."""

    scope: Scope
    seed: int
    needs: tuple[Need, ...]
    seconds: float
    value: float


def answered(
    workspace: Workspace,
    file: HypothesisFile,
    own: Store | None,
    reporter: BenchReporter,
    train: Options | None = None,
    export: Path | None = None,
) -> Hypotheses:
    """Return the answers to the hypotheses of a file; with `train`, the missing runs are trained before.

    With `export`, the runs that the answers come from are copied to a new store in this folder.

    Raises ZooError if the file names something unknown. A run that fails leaves its hypothesis undecided.
    """
    from zoo.store.publishing import check_new

    if export is not None:
        check_new(export)
    reporter.on_phase("planning")
    plan = make_claim_plan(workspace, file)
    with contextlib.ExitStack() as stack:
        published, notes = _published(file, own, stack)
        if train is not None and own is not None:
            needs = needs_of_parts(plan_with_stored(plan, Shelf(own, published)))
            total = sum(need.missing for need in needs)
            notes += Session(plan, own, published, Overall(reporter, total), train).run()
        shelf = Shelf(own, published)
        plan = plan_with_stored(plan, shelf)
        if export is not None:
            notes.append(_exported(plan, shelf, export))
        return answers(plan, shelf, notes)


def _exported(plan: ClaimPlan, shelf: Shelf, folder: Path) -> str:
    """Copy the runs and the studies of all findings to a new store; return a note."""
    from zoo.store.publishing import publish

    used = [stored for scope in plan.scopes for need in scope.needs for stored in need.found.runs[-need.repeats :]]
    searches = [scope for scope in plan.scopes if scope.part.kind == Kind.TUNED]
    found = [each for scope in searches for each in studies_of(shelf, scope)]
    used += [stored for _, pair in found for stored in pair]
    runs = [(stored.store, stored.run) for stored in used]
    if not runs:
        raise UsageError("no run to export: --run trains the runs that these hypotheses need")
    count = publish(runs, [(pair[0].store, study.name) for study, pair in found], folder)
    return f"{count_text(count, 'run')} exported to {str(folder)!r}"


def answer_in(
    workspace: Workspace,
    file: HypothesisFile,
    folder: Path,
    reporter: BenchReporter,
    train: Options | None = None,
    export: Path | None = None,
) -> Hypotheses:
    """Return the answers from the results in a folder, which is created only to train; see `answered`."""
    if train is None and not Store.exists(folder):
        return answered(workspace, file, None, reporter, export=export)
    with Store(folder, create=train is not None) as store:
        return answered(workspace, file, store, reporter, train, export)


def _published(file: HypothesisFile, own: Store | None, stack: contextlib.ExitStack) -> tuple[list[Store], list[str]]:
    """Open the published results that a file names."""
    stores, notes = [], []
    for folder in file.results:
        if own is not None and folder.resolve() == own.folder.resolve():
            continue
        if Store.exists(folder):
            stores.append(stack.enter_context(Store(folder, create=False)))
        else:
            notes.append(f"{file.path} names the folder {str(folder)!r}, which has no results")
    return stores, notes


@dataclass
class Session:
    """The training of all missing runs of a plan."""

    plan: ClaimPlan
    own: Store
    published: Sequence[Store]
    reporter: Overall
    options: Options

    def __post_init__(self) -> None:
        self.trainer = Trainer(self.plan.workspace, self.own, self.reporter, self.options)
        self.tried: set[tuple[object, ...]] = set()
        self.notes: dict[str, None] = {}
        self.known: dict[tuple[Place, str], tuple[tuple[str, ...], Seen]] = {}

    def run(self) -> list[str]:
        """Train round after round; return notes."""
        self.own.end_dead_runs()
        while batch := self.next_rounds():
            for each in batch:
                self.tried |= {_attempt(each.scope, need) for need in each.needs} | {(each.scope.place, each.seed)}
            try:
                self._train(batch)
            except ZooError as problem:
                self.notes[str(problem)] = None
        return [*self.notes]

    def next_rounds(self) -> list[Round]:
        """Return the next rounds: those of the highest value that fit into the time left."""
        shelf = Shelf(self.own, self.published)
        plan, pace = plan_with_stored(self.plan, shelf), Pace.of(shelf)
        rounds = sorted(self._rounds(plan, shelf, pace), key=lambda each: -each.value)
        jobs, most = self.options.jobs, self.trainer.left
        fitting = [each for each in rounds if each.seconds / jobs <= most]
        if self.options.time_budget is not None and len(fitting) < len(rounds):
            self.notes["the time budget has ended: missing runs are labelled as not run"] = None
        batch: list[Round] = []
        for each in fitting:
            seconds = sum(one.seconds for one in batch)
            if batch and (jobs == 1 or seconds >= jobs * BATCH_SECONDS or (seconds + each.seconds) / jobs > most):
                break
            if each.scope.part.kind == Kind.TUNED and batch:
                continue
            batch.append(each)
            if each.scope.part.kind == Kind.TUNED:
                break
        return batch

    def _rounds(self, plan: ClaimPlan, shelf: Shelf, pace: Pace) -> Iterator[Round]:
        """Yield the next round of each part on each data set."""
        for scope in plan.scopes:
            if scope.unavailable:
                continue
            found = self._seen(plan, shelf, scope)
            seconds = seconds_of(pace, scope, found.finding.missing)
            decided = found.finding.answer != Answer.UNDECIDED
            chance = DECIDED if decided else max(chance_of(scope.part, found.measured, len(scope.part.seeds)), DECIDED)
            value = chance / max(seconds, 1.0)
            if scope.part.kind == Kind.TUNED:
                yield from self._of_search(scope, found.finding.seeds, pace, value)
                continue
            left = [need for need in scope.needs if need.missing and _attempt(scope, need) not in self.tried]
            for seed in dict.fromkeys(need.seed for need in left):
                needs = tuple(need for need in left if need.seed == seed)
                yield Round(scope, seed, needs, pace.of_needs(needs), value)
                break

    def _seen(self, plan: ClaimPlan, shelf: Shelf, scope: Scope) -> Seen:
        """Return the finding of a scope, computed anew only if its stored runs have changed."""
        ids = tuple(stored.run.id for need in scope.needs for stored in need.found.runs)
        known = self.known.get((scope.place, scope.dataset))
        if known is None or known[0] != ids or scope.part.kind == Kind.TUNED:
            known = ids, of_scope(plan, shelf, scope)
            self.known[scope.place, scope.dataset] = known
        return known[1]

    def _of_search(self, scope: Scope, done: Sequence[int], pace: Pace, value: float) -> Iterator[Round]:
        each = max((pace.of_cell(need.cell) for need in scope.needs), default=1.0)
        for seed in scope.part.seeds:
            if seed not in done and (scope.place, seed) not in self.tried:
                yield Round(scope, seed, (), each * runs_of_search(scope.part), value)
                return

    def _train(self, batch: Sequence[Round]) -> None:
        if batch[0].scope.part.kind == Kind.TUNED:
            self._search(batch[0])
            return
        self.trainer.train([need for each in batch for need in each.needs])

    def _search(self, each: Round) -> None:
        """Run the search of one seed, or resume it."""
        from zoo.comparison.run import resume_comparison, run_comparison
        from zoo.tuning.run_study import ResumeOptions

        part, name = each.scope.part, comparison_name(each.scope, each.seed)
        if any(study.comparison == name for study in StudyStore(self.own).studies()):
            resume_comparison(self.plan.workspace, name, self.own, self.reporter, ResumeOptions(jobs=self.options.jobs))
            return
        request = replace(part.tune_request(each.scope.dataset, each.seed), name=name, jobs=self.options.jobs)
        run_comparison(self.plan.workspace, request, [part.search], [each.seed], self.own, self.reporter)


def _attempt(scope: Scope, need: Need) -> tuple[object, ...]:
    """Return what is tried once: a run that failed is not trained again by the same command."""
    return (need.wanted.keys, need.repeats if scope.part.kind == Kind.REPRODUCIBLE else 1)
