"""The answers to all hypotheses of a file, from the stored runs alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from zoo.claims.answers import Answer, refutes
from zoo.claims.findings import Seen, seen
from zoo.claims.hypothesis import Hypothesis, Kind
from zoo.claims.over_datasets import over_datasets
from zoo.claims.plan import ClaimPlan, Scope, needs_of_parts, seconds_of
from zoo.claims.result import Finding, Hypotheses, HypothesisAnswer
from zoo.claims.tuned import tuned
from zoo.missing.pace import Pace
from zoo.missing.shelf import Shelf
from zoo.wording import count_text


def answers(plan: ClaimPlan, shelf: Shelf, notes: Sequence[str] = ()) -> Hypotheses:
    """Return the answers from the stored runs that a plan has found."""
    pace = Pace.of(shelf)
    found = tuple(
        _answer(each, list(_findings(plan, shelf, pace, number, each)))
        for number, each in enumerate(plan.file.hypotheses)
    )
    missing, seconds = _missing(plan, pace, found)
    return Hypotheses(str(plan.file.path), found, missing, seconds, (*notes, *_notes(plan)))


def of_scope(plan: ClaimPlan, shelf: Shelf, scope: Scope) -> Seen:
    """Return the finding of one part on one data set."""
    label = plan.file.hypotheses[scope.place[0]].label(scope.place[1])
    return tuned(shelf, scope, label) if scope.part.kind == Kind.TUNED else seen(scope, label)


def _findings(
    plan: ClaimPlan, shelf: Shelf, pace: Pace, number: int, hypothesis: Hypothesis
) -> Iterator[list[Finding]]:
    """Yield the findings of each part; the last one of a part decides."""
    for place, part in enumerate(hypothesis.parts):
        scopes = [scope for scope in plan.scopes if scope.place == (number, place)]
        each = [of_scope(plan, shelf, scope) for scope in scopes]
        findings = [
            replace(one.finding, seconds=seconds_of(pace, scope, one.finding.missing))
            if one.finding.missing
            else one.finding
            for one, scope in zip(each, scopes, strict=True)
        ]
        counted = [one for one in each if not one.finding.left_out]
        several = [over_datasets(part, counted)] if len(counted) > 1 and part.kind != Kind.REPRODUCIBLE else []
        left = [finding for finding in findings if finding.left_out]
        yield [*left, *(finding for finding in findings if not finding.left_out), *several]


def _answer(hypothesis: Hypothesis, parts: Sequence[Sequence[Finding]]) -> HypothesisAnswer:
    deciding = [findings[-1] for findings in parts]
    if all(each.answer == Answer.CONFIRMED for each in deciding):
        answer = Answer.CONFIRMED
    elif any(each.answer == Answer.REFUTED and refutes(each.p, len(deciding)) for each in deciding):
        answer = Answer.REFUTED
    else:
        answer = Answer.UNDECIDED
    return HypothesisAnswer(hypothesis.id, hypothesis.text, answer, tuple(each for part in parts for each in part))


def _missing(plan: ClaimPlan, pace: Pace, answers: Sequence[HypothesisAnswer]) -> tuple[int, float]:
    """Return the number of missing runs and their seconds; a run that several hypotheses need counts once."""
    needs = needs_of_parts(plan)
    searches = [each for one in answers for each in one.findings if each.kind == Kind.TUNED and not each.left_out]
    runs = sum(need.missing for need in needs) + sum(each.missing for each in searches)
    return runs, pace.of_needs(needs) + sum(each.seconds or 0.0 for each in searches)


def _notes(plan: ClaimPlan) -> Iterator[str]:
    found = [need.found for scope in plan.scopes for need in scope.needs]
    other = {each.run.id for one in found if one.runs and not one.reusable for each in one.runs}
    if other:
        yield f"{count_text(len(other), 'run')} of other code, with the same configuration: --run trains them again"
    published = {
        each.run.id: each.run
        for scope in plan.scopes
        for need in scope.needs
        if need.found.published
        for each in need.found.runs
    }
    if published:
        days = sorted(run.created[:10] for run in published.values())
        when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
        yield f"{count_text(len(published), 'run')} of published results, of {when}: other code may have trained them"
