"""What a comparison of configurations finds, as typed records with a plain form for JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from zoo.records import Interval, JsonObject, plain

if TYPE_CHECKING:
    import pandas as pd

    from zoo.metrics.spread import Spread


class Verdict(StrEnum):
    """The verdict on a configuration, compared with another one."""

    BETTER = "better"
    WORSE = "worse"
    TIED = "tied"
    TOO_FEW_SEEDS = "too few seeds"
    TOO_FEW_DATASETS = "not enough data sets"
    NO_INTERVAL = "no interval"


@dataclass(frozen=True)
class Placed:
    """One configuration of a board.

    name      what tells it apart from the other configurations: `cnngru smote`
    seeds     its seeds; `score` and `deviation` are the mean and the standard deviation over them
    rank      its place by that mean; `rank_low` and `rank_high`: the ranks it can have, by all significant differences
    tied      whether no difference to the first was shown; None if it could not be, as with too few seeds
    runs      the ids of its runs
    spread    that of one fold and seed, by its cause; None unless a cross-validation has several seeds
    """

    name: str
    architecture: str
    block: str
    data: str
    loss: str
    settings: str
    seeds: tuple[int, ...]
    score: Interval
    deviation: float | None
    rank: int
    rank_low: int
    rank_high: int
    tied: bool | None
    runs: tuple[str, ...]
    spread: "Spread | None"


@dataclass(frozen=True)
class Pair:
    """One configuration compared with a baseline, on the same rows and seeds.

    seeds       the seeds of both
    difference  the score of the configuration minus that of the baseline, with its 95 % interval
    deviation   the standard deviation of the difference over seeds; None for one seed
    effect      the chance that a seed of the configuration is better than one of the baseline (Vargha and Delaney 2000)
    spread      that of the difference of one fold and seed, as for a configuration
    p, adjusted  of no difference, and adjusted for all comparisons; None where the verdict needs more seeds or patients
    """

    configuration: str
    baseline: str
    seeds: tuple[int, ...]
    difference: Interval
    deviation: float | None
    effect: float | None
    p: float | None
    adjusted: float | None
    verdict: Verdict
    spread: "Spread | None"


@dataclass(frozen=True)
class BoardComparison:
    """The configurations of one test set, compared.

    folds       the number of folds of a cross-validation; 0 for one test set
    baseline    the configuration with which the others are compared; empty if all pairs are compared
    chosen      whether the baseline was named; else it is the first of the board
    comparisons  the number of comparisons for which p is adjusted
    resampled   the units of the intervals in addition to seeds: `rows`, or the number of groups
    notes       facts that a reader must know
    """

    dataset: str
    protocol: str
    test: str
    metric: str
    baseline: str
    chosen: bool
    comparisons: int
    resampled: str
    configurations: tuple[Placed, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()
    folds: int = 0


@dataclass(frozen=True)
class RunPair:
    """Two single runs, compared on the same test rows. Other seeds may order them differently.

    fold, folds  in a cross-validation, the number of their fold, and the number of all; else 0
    difference  the score of the first run minus that of the second, with its 95 % interval over rows
    only_first, only_second  test rows that only one of them predicted right
    p           McNemar's exact test of these numbers; over patients where rows are grouped
    rows        which rows were counted: `all`, or the name of a class
    """

    dataset: str
    protocol: str
    metric: str
    runs: tuple[str, str]
    names: tuple[str, str]
    scores: tuple[float, float]
    difference: Interval
    only_first: int
    only_second: int
    rows: str
    resampled: str
    p: float
    fold: int = 0
    folds: int = 0

    def record(self) -> dict[str, Any]:
        """Return the pair as one flat dictionary."""
        both = {"run": self.runs, "name": self.names, "score": self.scores}
        numbered = {f"{key}_{n}": value for key, pair in both.items() for n, value in enumerate(pair, start=1)}
        rest = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in TWO}
        return numbered | rest | _flat(self.difference)


@dataclass(frozen=True)
class DatasetPair:
    """One configuration compared with a baseline over data sets.

    wins, ties, losses  numbers of data sets
    difference  the mean difference of the scores
    statistic, p, adjusted  of Wilcoxon's signed-rank test; None if there are not enough data sets
    better, equal, worse  probabilities for a further data set, of the Bayesian signed-rank test; None below six
    """

    configuration: str
    baseline: str
    wins: int
    ties: int
    losses: int
    difference: float
    statistic: float | None
    p: float | None
    adjusted: float | None
    verdict: Verdict
    better: float | None
    equal: float | None
    worse: float | None


@dataclass(frozen=True)
class DatasetComparison:
    """The configurations that were scored on all of several data sets.

    mean_ranks  by configuration, lowest first
    scores      by data set and configuration
    friedman, friedman_p  the test that all configurations are alike; None if there is too little to test
    left_out    configurations that were not scored on every data set
    """

    metric: str
    datasets: tuple[str, ...]
    mean_ranks: Mapping[str, float]
    scores: Mapping[str, Mapping[str, float]]
    friedman: float | None
    friedman_p: float | None
    baseline: str
    chosen: bool
    comparisons: int
    pairs: tuple[DatasetPair, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparisons:
    """All that was compared: one entry for each test set, and one over the data sets if there are several.

    `single` is set instead if two single runs were compared.
    """

    boards: tuple[BoardComparison, ...] = ()
    over_datasets: DatasetComparison | None = None
    single: RunPair | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the comparisons as plain data: the documented form of `zoo compare --json`."""
        found: JsonObject = _plain(self)
        return found

    def records(self) -> list[dict[str, Any]]:
        """Return each pair as one flat dictionary, with its board; of two single runs, their one pair."""
        if self.single:
            return [self.single.record()]
        return [
            {
                "dataset": board.dataset,
                "protocol": board.protocol,
                "test": board.test[:8],
                "metric": board.metric,
                **{item.name: getattr(pair, item.name) for item in fields(Pair) if item.name not in NESTED},
                "seeds": len(pair.seeds),
                **_flat(pair.difference),
                "verdict": str(pair.verdict),
                **_causes(pair.spread),
            }
            for board in self.boards
            for pair in board.pairs
        ]

    def to_frame(self) -> "pd.DataFrame":
        """Return `records` as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.records())


NESTED = ("seeds", "difference", "verdict", "spread")
TWO = ("runs", "names", "scores", "difference")


def _flat(difference: Interval) -> dict[str, Any]:
    ends = {"low": difference.low, "high": difference.high, "reason": difference.reason}
    return {"difference": difference.value, **ends}


def _causes(found: "Spread | None") -> dict[str, float | None]:
    """Return the standard deviations of a spread by split and by seed; None without one."""
    return {f"spread_{name}": getattr(found, name).value if found else None for name in ("split", "seed")}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, Interval):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, StrEnum):
        return str(value)
    return plain(value)
