"""From the stored runs of a part to its finding: pairs of configurations, their difference, and the answer."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from zoo.claims.answers import Answer, Needed, answer_of, chance, needed, p_of, too_few
from zoo.claims.hypothesis import Direction, Group, Kind, Part
from zoo.claims.measures import Measured, Seeds, of_numbers, of_scores, scaled_back
from zoo.claims.metrics import is_score, metric_text
from zoo.claims.plan import GroupNeed, Scope
from zoo.claims.result import Finding
from zoo.errors import StoreError
from zoo.metrics.seeds import FEWEST
from zoo.missing.shelf import Stored
from zoo.records import Interval
from zoo.store.predictions import predictions_of
from zoo.wording import count_text

Configurations = Mapping[str, Mapping[int, GroupNeed]]  # by name, the needs by seed


@dataclass(frozen=True)
class Seen:
    """A finding with the measure that it comes from, which the order of further runs needs; None without a measure."""

    finding: Finding
    measured: Measured | None = None


def seen(scope: Scope, label: str) -> Seen:
    """Return the finding of a part on one data set. `label` is the id that it has in tables."""
    blank = blank_finding(scope, label)
    if scope.unavailable and not any(need.found.runs for need in scope.needs):
        return Seen(replace(blank, reason=scope.unavailable, left_out=scope.optional))
    if scope.part.kind == Kind.REPRODUCIBLE:
        return Seen(_reproducible(scope, blank))
    pairs, seeds, names = _pairs(scope.needs)
    return compared(scope.part, blank, pairs, seeds, names)


def compared(part: Part, blank: Finding, pairs: Sequence[Seeds], seeds: Sequence[int], names: Sequence[str]) -> Seen:
    """Return the finding of pairs of configurations, each with one pair of runs for each seed."""
    if not pairs or not seeds:
        return Seen(replace(blank, reason=blank.reason or _why_nothing(blank)))
    some = pairs[0][0][0].run
    try:
        found = (
            of_scores(pairs, part.metric) if is_score(part.metric) else of_numbers(pairs, part.metric, ratio=part.ratio)
        )
    except StoreError as problem:
        found = Measured(None, reason=str(problem))
    margin = float(np.log(part.margin)) if part.ratio else part.margin
    runs = dict.fromkeys(stored.run.id for each in pairs for pair in each for stored in pair)
    finding = replace(
        blank,
        reason="",
        dataset=some.dataset_label,
        protocol=some.protocol,
        pairs=len(pairs),
        seeds=tuple(seeds),
        runs=tuple(runs),
        notes=(*blank.notes, *names),
    )
    if found.difference is None:
        return Seen(replace(finding, reason=found.reason), found)
    answer, more = answer_of(found, part.direction, margin), needed(found, part.direction, margin)
    interval = scaled_back(found.interval) if part.ratio else found.interval
    values = found.difference.values
    finding = replace(
        finding,
        answer=answer,
        difference=interval,
        deviation=float(values.std(ddof=1)) if len(values) > 1 else None,
        p=None if found.reason or found.at_least or found.at_most else p_of(found.difference, part.direction, margin),
        seeds_needed=more.seeds,
        rows_bound=more.by_rows,
    )
    if answer == Answer.UNDECIDED:
        finding = replace(finding, reason=_why_undecided(finding, found, more))
    return Seen(finding, found)


def blank_finding(scope: Scope, label: str) -> Finding:
    """Return the finding of a scope before its runs are compared."""
    part = scope.part
    first, second = _titles(part)
    lost = [need for need in scope.needs if need.found.lost]
    notes = list(scope.notes)
    notes += [f"{need.name}, seed {need.seed}: {need.found.lost}, and not compared" for need in lost]
    return Finding(
        hypothesis=label,
        kind=part.kind,
        dataset=scope.dataset,
        protocol=part.protocol,
        metric="" if part.kind == Kind.REPRODUCIBLE else part.metric,
        claim=claim_text(part),
        direction="" if part.kind == Kind.REPRODUCIBLE else str(part.direction),
        margin=None if part.kind == Kind.REPRODUCIBLE else part.margin,
        ratio=part.ratio,
        first=first,
        second=second,
        seeds_wanted=len(part.seeds),
        missing=sum(need.missing for need in scope.needs),
        reason=next((f"a run failed: {need.found.error}" for need in scope.needs if need.found.error), ""),
        notes=tuple(notes),
    )


def claim_text(part: Part) -> str:
    """Return the claim of a part in words: `cnn1d: macro recall of smote > original + 0.02`."""
    if part.kind == Kind.REPRODUCIBLE:
        return f"{', '.join(part.common.values['architecture'])}: equal seeds agree to the bit, different seeds differ"
    named = part.common.values.get("architecture", ()) if "architecture" in part.shared else ()
    return f"{', '.join(named)}: {_difference_text(part)}" if named else _difference_text(part)


def _difference_text(part: Part) -> str:
    first, second = _titles(part)
    metric = metric_text(part.metric)
    if part.direction == Direction.EQUAL:
        within = f"within a factor of {part.margin:g}" if part.ratio else f"within {part.margin:g}"
        return f"{metric} of {first} = {second}, {within}"
    sign, other = (">", "+") if part.direction == Direction.HIGHER else ("<", "-")
    if part.ratio:
        return f"{metric} of {first} {sign} {second} {'x' if sign == '>' else '/'} {part.margin:g}"
    shift = part.margin if other == "+" else -part.margin
    return f"{metric} of {first} {sign} {second}" + (f" {'+' if shift > 0 else '-'} {abs(shift):g}" if shift else "")


def chance_of(part: Part, measured: Measured | None, seeds: int) -> float:
    """Return a rough probability that this number of seeds decides a part."""
    if measured is None:
        return 0.5
    return chance(measured, part.direction, float(np.log(part.margin)) if part.ratio else part.margin, seeds)


def _titles(part: Part) -> tuple[str, str]:
    if part.kind == Kind.TUNED:
        return "defaults", f"{part.search}, {part.trials} trials"
    if part.kind == Kind.REPRODUCIBLE:
        return str(Group(part.common.values)), ""
    return str(part.first), str(part.second)


def _pairs(needs: Sequence[GroupNeed]) -> tuple[list[Seeds], tuple[int, ...], list[str]]:
    """Return the pairs of configurations with all shared axes in common, their common seeds, and notes.

    Each configuration of the first group is paired with each of the second: the mean of the differences of these pairs
    is the difference of the means of the groups.
    """
    strata: dict[tuple[str, ...], tuple[dict[str, dict[int, GroupNeed]], ...]] = {}
    for need in needs:
        sides = strata.setdefault(need.stratum, (defaultdict(dict), defaultdict(dict)))
        sides[need.side][_configuration(need)][need.seed] = need
    whole = {stratum: sides for stratum, sides in strata.items() if all(sides)}
    notes = [
        f"{' '.join(filter(None, stratum))}: only one group has it, and it is not compared"
        for stratum in strata.keys() - whole.keys()
    ]
    every = [seeds for sides in whole.values() for side in sides for seeds in side.values()]
    common = [{seed for seed, need in seeds.items() if need.found.runs} for seeds in every]
    seeds = tuple(sorted(set.intersection(*common))) if common else ()
    pairs: list[Seeds] = [
        [(one[seed].found.runs[-1], other[seed].found.runs[-1]) for seed in seeds]
        for first, second in whole.values()
        for one in first.values()
        for other in second.values()
    ]
    return pairs, seeds, sorted(notes)


def _configuration(need: GroupNeed) -> str:
    """Return what a cell has in common with the cells of other seeds."""
    config = need.cell.config()
    return repr({name: value for name, value in config.items() if name not in ("seed", "seeds", "fold")})


def _why_nothing(finding: Finding) -> str:
    return "not run" if finding.missing else "no seed has scores of both groups"


def _why_undecided(finding: Finding, found: Measured, more: Needed) -> str:
    if found.reason:
        return found.reason
    assert found.difference is not None
    if found.at_least or found.at_most:
        return f"runs of the {'first' if found.at_least else 'second'} group never reached the score"
    if too_few(found.difference):
        return f"{count_text(len(finding.seeds), 'seed')}: an answer needs {FEWEST}"
    if more.by_rows:
        return "the test rows are too few: more seeds cannot decide it"
    seeds = f"more than {1_000:,}" if more.seeds is None else f"about {more.seeds:,}"
    return f"{seeds} seeds would decide it"


def _reproducible(scope: Scope, blank: Finding) -> Finding:
    """Compare the runs of equal seeds by the hashes of their weights, and those of different seeds as well."""
    by_config: dict[str, dict[int, list[str]]] = defaultdict(dict)
    shares, ids = [], dict[str, None]()
    equal = differ = 0
    runs_of: dict[str, list[Stored]] = defaultdict(list)
    for need in scope.needs:
        runs = _alike(need.found.runs)
        ids |= dict.fromkeys(stored.run.id for stored in runs)
        hashes = [stored.store.digest(stored.run, "model.safetensors") for stored in runs]
        by_config[_configuration(need)][need.seed] = hashes
        equal += len(hashes) > 1 and len(set(hashes)) == 1
        differ += len(set(hashes)) > 1
        runs_of[_configuration(need)] += runs[:1]
    same = sum(_agreeing(hashes) for hashes in by_config.values())
    for runs in runs_of.values():
        shares += list(_shares(runs))
    seeds = tuple(sorted({need.seed for need in scope.needs if len(_alike(need.found.runs)) >= need.repeats}))
    found = replace(
        blank,
        pairs=len(by_config),
        seeds=seeds,
        runs=tuple(ids),
        difference=Interval(float(np.mean(shares)) if shares else None),
        seeds_needed=len(scope.part.seeds),
    )
    if any(need.found.runs for need in scope.needs):
        run = next(need.found.runs[0].run for need in scope.needs if need.found.runs)
        found = replace(found, dataset=run.dataset_label, protocol=run.protocol)
    if differ or same:
        reason = f"{differ} equal seeds differ" if differ else f"{count_text(same, 'pair')} of different seeds agree"
        return replace(found, answer=Answer.REFUTED, reason=reason)
    if equal < len(scope.needs):
        return replace(found, reason=f"{equal} of {len(scope.needs)} seeds were trained twice in one environment")
    return replace(found, answer=Answer.CONFIRMED)


def _alike(runs: Sequence[Stored]) -> list[Stored]:
    """Return the runs of the environment in which most of them were trained: only these must agree to the bit."""
    groups: dict[str, list[Stored]] = defaultdict(list)
    for each in runs:
        groups[each.run.fingerprint].append(each)
    return max(groups.values(), key=len, default=[])


def _agreeing(hashes: Mapping[int, Sequence[str]]) -> int:
    """Return the number of pairs of different seeds with the same weights."""
    known = [each[0] for each in hashes.values() if each and each[0]]
    return sum(one == other for one, other in combinations(known, 2))


def _shares(runs: Sequence[Stored]) -> Iterator[float]:
    """Yield for each two runs the share of test rows that they predict differently."""
    try:
        predicted = [predictions_of(each.store, each.run).probabilities.argmax(1) for each in runs]
    except StoreError:
        return
    for one, other in combinations(predicted, 2):
        if len(one) == len(other):
            yield float((one != other).mean())
