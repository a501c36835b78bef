"""The boards of stored runs with their intervals and ties, as records, JSON and a DataFrame."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zoo.records import JsonObject
from zoo.scores import metric_parts
from zoo.store.expected import Expected, expected
from zoo.store.folds import with_folds_pooled
from zoo.store.leaderboard import Board, Place, Standing, boards_of_all
from zoo.store.predictions import Remembered
from zoo.store.run import Run
from zoo.versus.board import judged_board
from zoo.versus.ranked import Ranked, ranked
from zoo.versus.result import Pair
from zoo.versus.runs import with_metric

if TYPE_CHECKING:
    import pandas as pd

    from zoo.store.runs import Store


@dataclass(frozen=True)
class Leaderboard:
    """A board for each test set, with the score and the place of each configuration.

    `notes` are facts that a reader must know, such as cross-validations that are not complete. `pairs` are the
    comparisons behind the places, by board and by the two positions on it, as `zoo.versus.board.Judged` has them.
    """

    metric: str
    boards: tuple[Board, ...]
    scores: Mapping[Standing, Expected]
    places: Mapping[Standing, Place]
    notes: tuple[str, ...] = ()
    pairs: Mapping[Board, Mapping[tuple[int, int], Pair]] = field(default_factory=dict)

    def to_json(self) -> list[JsonObject]:
        """Return the boards as plain data: the documented form of `zoo leaderboard --json`."""
        return [board.to_json(self.metric, self.scores, self.places) for board in self.boards]

    def rows(self) -> list[Ranked]:
        """Return each configuration of each board as one flat record."""
        return [row for board in self.boards for row in ranked(self.metric, board, self.scores, self.places)]

    def records(self) -> list[dict[str, Any]]:
        """Return `rows` as dictionaries."""
        return [asdict(row) for row in self.rows()]

    def to_frame(self) -> "pd.DataFrame":
        """Return `records` as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.records(), columns=list(Ranked.__dataclass_fields__))


def ranking(store: "Store", runs: Sequence[Run], metric: str, keep: Callable[[Run], bool] | None = None) -> Leaderboard:
    """Return the boards of runs, with intervals and places from the stored predictions.

    With `keep`, they have only the configurations whose runs it accepts, but state how many were scored on each test
    set. Raises UsageError or UnknownName for a metric that no board has.
    """
    metric_parts(metric)
    remembered = Remembered(store)
    pooled = with_folds_pooled(remembered, runs, keep)
    runs = pooled.runs
    found = boards_of_all(runs if keep is None else filter(keep, runs), metric)
    found = with_metric(found, metric) if ":" in metric and found else found
    if keep is not None:
        sizes = {run.id: len(board.standings) for board in boards_of_all(runs, metric) for run in _runs(board)}
        found = [replace(each, scored=max((sizes.get(run.id, 0) for run in _runs(each)), default=0)) for each in found]
    scores: dict[Standing, Expected] = {}
    places: dict[Standing, Place] = {}
    pairs: dict[Board, Mapping[tuple[int, int], Pair]] = {}
    for board in found:
        scores |= {each: expected(remembered, each.runs, metric) for each in board.standings}
        if board.standings and metric != "ece":
            judged = judged_board(remembered, board, metric)
            places |= judged.places
            pairs[board] = judged.pairs
        remembered.forget(run for standing in board.standings for run in standing.runs)
    return Leaderboard(metric, tuple(found), scores, places, pooled.incomplete, pairs)


def _runs(board: Board) -> Iterator[Run]:
    for standing in board.standings:
        yield from standing.runs
    for unscored in board.unscored:
        yield from unscored.runs
