"""How much of the spread of a score is the split, and how much is the seed, as a table and lines."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zoo.cli.views.runs import interval_text
from zoo.cli.views.table import Column, Row, emit, number, say
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.metrics.spread import Spread
    from zoo.versus.result import BoardComparison

SEPARATES = "zoo bench … --cv 5 --seeds 3"
COLUMNS = (
    Column("configuration", "name", wraps=True),
    Column("total", "total", number(3), numeric=True, drop=2),
    Column("split", "split", numeric=True),
    Column("seed", "seed", numeric=True),
    Column("share of split", "share", numeric=True, drop=3),
    Column("larger", "larger", drop=1),
)
MEANING = "split: standard deviation from fold to fold (other training and test rows); seed: between seeds on one fold"
MORE_SEEDS = {"seed": "more seeds make the mean more certain", "split": "more seeds change little"}


def show_spreads(board: "BoardComparison") -> None:
    """Print the spread of each configuration, and of each difference from one baseline; or what is missing for it."""
    named = {each.name: each.spread for each in board.configurations}
    if board.baseline:
        named |= {f"{pair.configuration} minus {pair.baseline}": pair.spread for pair in board.pairs}
    rows = [_row(name, found) for name, found in named.items() if found]
    if rows:
        emit(COLUMNS, rows, title=("", "spread of one training on one fold, by its cause"))
        say(MEANING)
    for line in spread_lines(board):
        say(line)


def spread_lines(board: "BoardComparison") -> Iterator[str]:
    """Yield the causes of the spread of the first configuration, and the reasons why others have none."""
    if not board.folds:
        return
    first = board.configurations[0]
    if first.spread:
        yield f"{first.name}: {_conclusion(first.spread)}"
    for reason, names in _missing(board).items():
        yield f"split and seed are not separated for {', '.join(names)}: {reason}"


def unvaried_lines(boards: "Sequence[BoardComparison]") -> Iterator[str]:
    """Yield a line if boards have one split only, which shows nothing of the spread over splits."""
    single = [board for board in boards if not board.folds]
    if single:
        seeds = any(len(each.seeds) > 1 for board in single for each in board.configurations)
        varied = "only the seed was varied" if seeds else "neither split nor seed was varied"
        yield f"{varied}: the spread over splits is not known. {SEPARATES} separates both"


def _conclusion(found: "Spread") -> str:
    causes = f"{found.split.value:.3f} is the split and {found.seed.value:.3f} the seed"
    shown = f"of the spread of {found.total:.3f}, {causes}"
    if not found.total:
        return "no spread: all folds and seeds have the same score"
    if not found.mostly:
        return f"{shown}; {_of(found)} do not show which of both is larger"
    return f"{shown}; the {found.mostly} is shown to be larger: {MORE_SEEDS[found.mostly]}"


def _of(found: "Spread") -> str:
    return f"{count_text(found.folds, 'fold')} and {count_text(found.seeds, 'seed')}"


def _missing(board: "BoardComparison") -> dict[str, list[str]]:
    """Return the configurations without a spread, by the reason."""
    from zoo.metrics.spread import FEWEST_FOLDS, FEWEST_SEEDS

    found: dict[str, list[str]] = {}
    for each in board.configurations:
        if each.spread:
            continue
        reason = "a fold has no rows of a class"
        if len(each.seeds) < FEWEST_SEEDS:
            reason = f"{count_text(len(each.seeds), 'seed')}, at least {FEWEST_SEEDS} are needed: --seeds 3"
        elif board.folds < FEWEST_FOLDS:
            reason = f"{count_text(board.folds, 'fold')}, at least {FEWEST_FOLDS} are needed: --cv 5"
        found.setdefault(reason, []).append(each.name)
    return found


def _row(name: str, found: "Spread") -> Row:
    return {
        "name": name,
        "total": found.total,
        "split": interval_text(found.split),
        "seed": interval_text(found.seed),
        "share": _percent(found.share.value, found.share.low, found.share.high),
        "larger": found.mostly or "not shown",
    }


def _percent(*values: float | None) -> str:
    if None in values:
        return "-"
    value, low, high = (f"{each:.0%}" for each in values if each is not None)
    return f"{value} ({low.removesuffix('%')}-{high})"
