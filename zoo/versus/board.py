"""The configurations of one test set, compared with a baseline or all with each other.

Rank intervals, and which configurations are tied with the first, come from all pairs. The first of a board was chosen
by its score, so its comparisons are adjusted for all pairs, too: otherwise it would look better than equal ones in up
to 9 % of boards (`python benchmarks/false_boards.py`). A baseline that was named needs only its own comparisons.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import mannwhitneyu

from zoo.errors import StoreError
from zoo.metrics.differences import difference, no_interval
from zoo.metrics.multiple import ALPHA, holm, pairs_of, rank_intervals
from zoo.metrics.outcome import Outcome
from zoo.metrics.seeds import FEWEST
from zoo.metrics.spread import by_fold, spread
from zoo.records import Interval
from zoo.scores import LOWER_IS_BETTER, metric_parts
from zoo.store.expected import expected, most_deviation
from zoo.store.leaderboard import Board, Place, Standing
from zoo.store.predictions import Remembered, predictions_of
from zoo.store.run import Run
from zoo.versus.result import BoardComparison, Pair, Placed, Verdict

if TYPE_CHECKING:
    from zoo.store.runs import Store


@dataclass(frozen=True)
class Entrant:
    """A configuration with the predictions of its seeds."""

    name: str
    standing: Standing
    outcomes: Mapping[int, Outcome]


@dataclass(frozen=True)
class Measured:
    """How a score is compared: its name, the position of its class, and the sign that makes higher better."""

    name: str
    number: int | None
    sign: int

    @classmethod
    def of(cls, metric: str, classes: Sequence[str]) -> "Measured":
        name, label = metric_parts(metric)
        return cls(name, classes.index(label) if label else None, -1 if name in LOWER_IS_BETTER else 1)


def compared(
    store: "Store | Remembered",
    board: Board,
    names: Mapping[Standing, str],
    metric: str,
    baseline: str,
    *,
    all_pairs: bool,
) -> BoardComparison:
    """Compare the configurations of a board. `baseline` is one of their names, or "" for the first."""
    entrants, notes = _entrants(store, board, names)
    some = entrants[0].standing.runs[0]
    measured = Measured.of(metric, some.parts.classes)
    adjusted = _all_pairs(entrants, measured, some)
    if all_pairs:
        wanted = list(adjusted.values())
    elif baseline:
        wanted = judged([each for pair in adjusted.values() for each in _against(pair, baseline)], measured.sign)
    else:
        wanted = [adjusted[0, other] for other in range(1, len(entrants))]
    family = wanted if baseline else list(adjusted.values())
    return BoardComparison(
        dataset=board.dataset,
        protocol=board.protocol,
        folds=some.folds,
        test=board.test,
        metric=metric,
        baseline="" if all_pairs else baseline or entrants[0].name,
        chosen=bool(baseline),
        comparisons=sum(each.p is not None for each in family),
        resampled=some.scores.resampled or "rows",
        configurations=tuple(_placed(store, entrants, _places(adjusted, len(entrants)), metric)),
        pairs=tuple(_with_spread(each, {entrant.name: entrant for entrant in entrants}, measured) for each in wanted),
        notes=tuple(notes),
    )


def outcome_of(store: "Store | Remembered", run: Run) -> Outcome:
    """Return what a run predicted. Raises StoreError if its predictions cannot be read."""
    return predictions_of(store, run).outcome


def _entrants(
    store: "Store | Remembered", board: Board, names: Mapping[Standing, str]
) -> tuple[list[Entrant], list[str]]:
    entrants, notes, labels = [], [], None
    for standing in board.standings:
        outcomes = {}
        for run in standing.runs:
            try:
                outcome = outcome_of(store, run)
            except StoreError as problem:
                notes.append(f"run {run.id} is not compared: {problem}")
                continue
            labels = outcome.labels if labels is None else labels
            if np.array_equal(labels, outcome.labels):
                outcomes[run.seed] = outcome
            else:
                notes.append(f"run {run.id} is not compared: it was scored on different test rows")
        entrants.append(Entrant(names[standing], standing, outcomes))
    return entrants, notes


def _pair(one: Entrant, other: Entrant, measured: Measured, classes: Sequence[str], noun: str) -> Pair:
    """Return the comparison of a configuration with another one, not yet adjusted."""
    seeds = tuple(sorted(one.outcomes.keys() & other.outcomes.keys()))
    blank = Pair(one.name, other.name, seeds, Interval(), None, None, None, None, Verdict.TOO_FEW_SEEDS, None)
    if not seeds:
        return replace(blank, difference=Interval(reason="no seed in common"))
    pairs = [(one.outcomes[seed], other.outcomes[seed]) for seed in seeds]
    found = difference(pairs, measured.name, measured.number)
    if np.isnan(found.mean):
        decided = any(outcome.decided for outcome in pairs[0])
        reason = "published without probabilities" if decided else "no such test rows"
        return replace(blank, difference=Interval(reason=reason), verdict=Verdict.NO_INTERVAL)
    reasons = [no_interval(pair, classes, noun, measured.name, measured.number) for pair in pairs]
    reason = next(filter(None, reasons), "")
    low, high = (None, None) if reason else found.limits
    few = len(seeds) < FEWEST and pairs[0][0].fold is None
    verdict = Verdict.TOO_FEW_SEEDS if few else Verdict.NO_INTERVAL if reason else Verdict.TIED
    return replace(
        blank,
        difference=Interval(found.mean, low, high, reason),
        deviation=float(found.values.std(ddof=1)) if len(seeds) > 1 else None,
        effect=_superiority(pairs, measured),
        p=found.p if verdict is Verdict.TIED else None,
        verdict=verdict,
    )


def _with_spread(pair: Pair, entrants: Mapping[str, Entrant], measured: Measured) -> Pair:
    """Return the pair with the spread of its difference, if a cross-validation has several seeds."""
    sides = [[entrants[name].outcomes[seed] for seed in pair.seeds] for name in (pair.configuration, pair.baseline)]
    if len(pair.seeds) < 2 or sides[0][0].fold is None:
        return pair
    one, other = (by_fold(side, measured.name, measured.number) for side in sides)
    return replace(pair, spread=spread(one - other, 2 * most_deviation(measured.name)))


def _superiority(pairs: Sequence[tuple[Outcome, Outcome]], measured: Measured) -> float:
    """Return the chance that a seed of the first is better than one of the second, ties counting half."""
    parts = measured.name, measured.number
    values = [[measured.sign * outcome.value(*parts) for outcome in side] for side in zip(*pairs, strict=True)]
    return float(mannwhitneyu(*values, method="asymptotic").statistic / len(pairs) ** 2)


def _against(pair: Pair, baseline: str) -> list[Pair]:
    """Return the pair so that the baseline is its second configuration; nothing if it is none of both."""
    if pair.baseline == baseline:
        return [pair]
    if pair.configuration != baseline:
        return []
    value, high, low = (None if each is None else -each for each in list(pair.difference.values())[:3])
    turned = Interval(value, low, high, pair.difference.reason)
    effect = None if pair.effect is None else 1 - pair.effect
    return [replace(pair, configuration=pair.baseline, baseline=baseline, difference=turned, effect=effect)]


def judged(pairs: Sequence[Pair], sign: int) -> list[Pair]:
    """Return the pairs with p adjusted for their number, and with their verdicts; `sign` makes higher better."""
    values = holm([np.nan if each.p is None else each.p for each in pairs])
    return [_judged(each, p, sign) for each, p in zip(pairs, values, strict=True)]


def _judged(pair: Pair, adjusted: float, sign: int) -> Pair:
    if pair.p is None or pair.difference.value is None:
        return pair
    verdict = Verdict.BETTER if sign * pair.difference.value > 0 else Verdict.WORSE
    return replace(pair, adjusted=adjusted, verdict=verdict if adjusted <= ALPHA else Verdict.TIED)


@dataclass(frozen=True)
class Judged:
    """The verdicts of a board: the place of each configuration, and all pairs, by the two positions on the board.

    The second position of a pair is its configuration, the first its baseline. Without enough seeds for any verdict,
    there are no pairs.
    """

    places: Mapping[Standing, Place]
    pairs: Mapping[tuple[int, int], Pair]


def judged_board(store: "Store | Remembered", board: Board, metric: str) -> Judged:
    """Return for each configuration of a board its possible ranks and whether it is tied with the first, and why."""
    size = len(board.standings)
    if sum(len(each.runs) >= FEWEST or each.runs[0].folds > 0 for each in board.standings) < 2:
        return Judged(
            {each: Place(1, size, None if number else True) for number, each in enumerate(board.standings)}, {}
        )
    entrants, _ = _entrants(store, board, dict.fromkeys(board.standings, ""))
    some = entrants[0].standing.runs[0]
    measured = Measured.of(metric, some.parts.classes)
    pairs = _all_pairs(entrants, measured, some)
    return Judged(dict(zip(board.standings, _places(pairs, size), strict=True)), pairs)


def _all_pairs(entrants: Sequence[Entrant], measured: Measured, some: Run) -> dict[tuple[int, int], Pair]:
    """Return all pairs of a board, adjusted for their number; the configuration is the second of the two positions."""
    given = (some.parts.classes, some.parts.groups_by or "group")
    every = {pair: _pair(entrants[pair[1]], entrants[pair[0]], measured, *given) for pair in pairs_of(len(entrants))}
    return dict(zip(every, judged(list(every.values()), measured.sign), strict=True))


def _places(pairs: Mapping[tuple[int, int], Pair], size: int) -> list[Place]:
    beaten = np.zeros((size, size), bool)
    for (high, low), pair in pairs.items():
        beaten[high, low], beaten[low, high] = pair.verdict == Verdict.WORSE, pair.verdict == Verdict.BETTER
    tied = [True] + [
        None if pairs[0, other].p is None else pairs[0, other].verdict == Verdict.TIED for other in range(1, size)
    ]
    return [Place(*ranks, each) for ranks, each in zip(rank_intervals(beaten.tolist()), tied, strict=True)]


def _placed(
    store: "Store | Remembered", entrants: Sequence[Entrant], places: Sequence[Place], metric: str
) -> Iterator[Placed]:
    for rank, (entrant, place) in enumerate(zip(entrants, places, strict=True), start=1):
        run, found = entrant.standing.runs[0], expected(store, entrant.standing.runs, metric)
        yield Placed(
            name=entrant.name,
            architecture=run.reference,
            block=run.block,
            data=run.data,
            loss=run.loss,
            settings=entrant.standing.settings,
            seeds=tuple(sorted(each.seed for each in entrant.standing.runs)),
            score=found.interval,
            deviation=found.deviation,
            spread=found.spread,
            rank=rank,
            rank_low=place.low,
            rank_high=place.high,
            tied=place.tied,
            runs=tuple(each for run in entrant.standing.runs for each in run.ids),
        )
