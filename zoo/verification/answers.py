"""From stored runs to answers: the mean score over seeds, compared with the band of a reference."""

from collections.abc import Iterator, Sequence
from statistics import mean

from zoo.missing.needs import missing_needs
from zoo.missing.pace import Pace
from zoo.missing.shelf import Shelf
from zoo.references.record import Answer
from zoo.store.run import Run
from zoo.verification.plan import ReferenceDemand, VerificationPlan
from zoo.verification.result import Verifications, Verified
from zoo.wording import count_text


def answers(plan: VerificationPlan, shelf: Shelf, notes: Sequence[str] = ()) -> Verifications:
    """Return the answers from the stored runs that a plan has found."""
    pace = Pace.of(shelf)
    found = tuple(each for demand in plan.demands for each in _answers(demand, pace))
    needs = [need for need in missing_needs(plan.demands) if not need.found.runs]
    times = [pace.estimate(need) for need in needs]
    known = [seconds * need.missing for need, seconds in zip(needs, times, strict=True) if seconds is not None]
    unknown = sum(need.missing for need, seconds in zip(needs, times, strict=True) if seconds is None)
    missing = sum(need.missing for need in needs)
    return Verifications(found, missing, sum(known) if known else None, unknown, (*notes, *_notes(plan)))


def _answers(demand: ReferenceDemand, pace: Pace) -> Iterator[Verified]:
    reference = demand.reference
    runs = {need.seed: need.found.runs[-1].run for need in demand.needs if need.found.runs}
    missing = [need for need in missing_needs([demand]) if not need.found.runs]  # runs of other code count
    times = [pace.estimate(need) for need in missing]
    seconds = sum(each for each in times if each is not None) if missing and None not in times else None
    reason = _reason(demand, len(runs))
    for metric, published in reference.scores.items():
        low, high = reference.limits(metric)
        scores = {seed: score for seed, run in runs.items() if (score := run.score(metric)) is not None}
        whole = len(scores) == demand.seeds and not reason
        values = list(scores.values())
        yield Verified(
            reference=reference.name,
            settings=reference.configuration,
            dataset=reference.dataset,
            protocol=reference.protocol,
            metric=metric,
            published=published,
            low=low,
            high=high,
            measured=mean(values) if values else None,
            lowest=min(values, default=None),
            highest=max(values, default=None),
            answer=reference.answer(metric, mean(values)) if whole else Answer.NOT_RUN,
            reason="" if whole else reason or _without_scores(len(scores), demand),
            seeds=tuple(scores),
            seeds_wanted=demand.seeds,
            published_runs=reference.runs,
            runs=tuple(runs[seed].id for seed in scores),
            missing=len(missing),
            seconds=seconds,
            failed=demand.wrong or any(need.found.error or need.found.lost for need in demand.needs),
            status=reference.status,
            source=reference.source,
            date=max((run.finished[:10] for run in runs.values()), default=""),
            versions=_versions(list(runs.values())),
            notes=tuple(dict.fromkeys((*demand.notes, *filter(None, [reference.note])))),
            of=reference,
        )


def _reason(demand: ReferenceDemand, done: int) -> str:
    """Return why a reference has no answer; "" if its runs decide."""
    if demand.unavailable:
        return demand.unavailable
    expected = demand.reference.test_rows
    if expected and demand.test_rows and expected != demand.test_rows:
        return f"the test set has {demand.test_rows} rows, not {expected}: these are not the published data"
    for need in demand.needs:
        if need.found.lost or need.found.error:
            return f"seed {need.seed}: {need.found.lost or f'a run failed: {need.found.error}'}"
    if not demand.needs:
        return "; ".join(demand.notes) or "no run is possible"
    return "" if done == demand.seeds else _without_scores(done, demand)


def _without_scores(done: int, demand: ReferenceDemand) -> str:
    return f"{done} of {count_text(demand.seeds, 'seed')}" if done else "not run"


def _versions(runs: Sequence[Run]) -> str:
    """Return the versions of the distributions of the last run, and of PyTorch."""
    if not runs:
        return ""
    run = max(runs, key=lambda each: each.finished)
    torch = run.environment.libraries.get("torch")
    named = {**run.plugins, **({} if torch is None else {"torch": torch})}
    return ", ".join(f"{name} {version}" for name, version in named.items())


def _notes(plan: VerificationPlan) -> Iterator[str]:
    yield from plan.notes
    found = [need.found for demand in plan.demands for need in demand.needs]
    if other := {each.run.id for one in found if one.runs and not one.reusable for each in one.runs}:
        runs = count_text(len(other), "run")
        yield f"{runs} of other code, with the same configuration: without --no-run they are trained again"
