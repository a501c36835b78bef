"""The configurations of a board as flat rows: each column has one meaning, and numbers are numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.store.leaderboard import UNSCORED, Board, Place, Standing, Unscored
from zoo.store.run import Run

if TYPE_CHECKING:
    from zoo.store.expected import Expected


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """One configuration of a board as a flat row. A configuration without a scored seed has no rank and no score.

    rank        the place by the mean; `rank_low` and `rank_high`: the ranks it can have, by all significant differences
    tied        whether no difference to the first was shown; None if it could not be, as with too few seeds
    same_losses  losses that are the same training, and are not ranked again
    settings    what differs between configurations besides architecture, block, data and loss
    score       the mean over the seeds of `metric`, with its 95 % interval and the deviation over seeds
    spread_split, spread_seed  standard deviations of one fold and seed by its cause, where a cross-validation has
                several seeds; `zoo compare` has their intervals
    over        what the interval covers: `rows`, or `seeds and rows`; empty without an interval
    reason      why there is no interval, or no score
    seeds       the number of scored seeds; `seeds_asked` counts those that ended without a score too, and fields such
                as `seeds_diverged` count these by status
    steps_low, steps_high  the fewest and the most gradient steps of its runs; None if they are unknown
    runs        the ids of its runs
    """

    dataset: str
    protocol: str
    test: str
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    tied: bool | None = None
    architecture: str
    block: str
    data: str
    loss: str
    same_losses: tuple[str, ...] = ()
    settings: str
    metric: str
    score: float | None = None
    low: float | None = None
    high: float | None = None
    deviation: float | None = None
    spread_split: float | None = None
    spread_seed: float | None = None
    over: str = ""
    reason: str = ""
    seeds: int
    seeds_asked: int
    seeds_failed: int
    seeds_diverged: int
    seeds_timeout: int
    seeds_interrupted: int
    seeds_stale: int
    steps_low: int | None = None
    steps_high: int | None = None
    parameters: float | None = None
    macs: float | None = None
    train_seconds: float | None = None
    latency_ms: float | None = None
    runs: tuple[str, ...]


COSTS = ("parameters", "macs", "train_seconds", "latency_ms")


def ranked(
    metric: str, board: Board, scores: "Mapping[Standing, Expected]", places: Mapping[Standing, Place]
) -> Iterator[Ranked]:
    """Yield the configurations of a board, best first, then those without a score."""
    for rank, standing in enumerate(board.standings, start=1):
        found, known = scores[standing], standing.to_json(metric)
        yield Ranked(
            **_where(board),
            rank=rank,
            **_ranks(places.get(standing)),
            **_named(standing),
            same_losses=standing.same_losses,
            metric=metric,
            score=found.interval.value,
            low=found.interval.low,
            high=found.interval.high,
            deviation=found.deviation,
            spread_split=found.spread.split.value if found.spread else None,
            spread_seed=found.spread.seed.value if found.spread else None,
            over="" if found.interval.low is None else found.over,
            reason=found.interval.reason,
            **_counted(standing.runs, standing.unscored),
            **_steps(standing.runs),
            **{name: known[name] for name in COSTS},
        )
    for each in board.unscored:
        yield Ranked(**_where(board), **_named(each), metric=metric, reason=each.reason(), **_counted((), each.runs))


def _where(board: Board) -> dict[str, Any]:
    return {"dataset": board.dataset, "protocol": board.protocol, "test": board.test[:8]}


def _ranks(place: Place | None) -> dict[str, Any]:
    return {} if place is None else {"rank_low": place.low, "rank_high": place.high, "tied": place.tied}


def _named(found: Standing | Unscored) -> dict[str, Any]:
    run = found.runs[0]
    names = {"architecture": run.reference, "block": run.block, "data": run.data, "loss": run.loss}
    return {**names, "settings": found.settings, "runs": tuple(each for run in found.runs for each in run.ids)}


def _counted(scored: Sequence[Run], unscored: Sequence[Run]) -> dict[str, Any]:
    by_status = Counter(run.status for run in unscored)
    counts = {f"seeds_{status}": by_status[status] for status in UNSCORED}
    return {"seeds": len(scored), "seeds_asked": len(scored) + len(unscored), **counts}


def _steps(runs: Sequence[Run]) -> dict[str, Any]:
    known = [run.steps for run in runs if run.steps is not None]
    return {"steps_low": min(known, default=None), "steps_high": max(known, default=None)}
