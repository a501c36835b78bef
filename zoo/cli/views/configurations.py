"""Comparisons of configurations as tables, with lines with the result and the meaning of the numbers."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING

from zoo.cli.views.legends import shared_lines
from zoo.cli.views.runs import interval_text
from zoo.cli.views.spreads import show_spreads, unvaried_lines
from zoo.cli.views.table import Column, Row, Say, emit, number, print_json, print_tsv, say, shown_columns
from zoo.cli.views.verdict import difference_text
from zoo.records import Interval
from zoo.scores import score_words
from zoo.visible import visible
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.versus.result import BoardComparison, Comparisons, DatasetComparison, DatasetPair, Pair, Placed, RunPair


def show_comparisons(note: Say, found: "Comparisons", *, as_json: bool) -> None:
    """Show the comparison of each board, and over data sets; notes go to the error stream."""
    for text in (*found.notes, *(each for board in found.boards for each in board.notes)):
        note(f"note: {text}")
    if as_json:
        print_json(found.to_json())
    elif not sys.stdout.isatty():
        _show_tsv(found)
    elif found.single:
        _show_single(found.single)
    else:
        shown = [[column.key for column in _shown(board)] for board in found.boards]
        shared = shared_lines([_legend_of(board, keys) for board, keys in zip(found.boards, shown, strict=True)])
        for board, keys in zip(found.boards, shown, strict=True):
            _show_board(board, [line for line in _legend_of(board, keys) if line not in shared])
        for line in ("", *shared) if shared else ():
            say(line)
        for line in unvaried_lines(found.boards):
            say(line)
        if found.over_datasets:
            _show_datasets(found.over_datasets)


def p_text(value: float | None) -> str:
    """Return a p value: 0.012, or <0.001; a dash without one."""
    return "-" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


MOST_TIED = 6  # configurations in a line; of more, the shorter list of those tied and those worse
CONFIGURATION = Column("configuration", "configuration", wraps=True)
PLACES = (
    Column("ranks", "ranks", numeric=True),
    CONFIGURATION,
    Column("differs in", "settings", optional=True, wraps=True, drop=5),
    Column("seeds", "seeds", numeric=True, drop=2),
    Column("score", "score", numeric=True),
    Column("±", "deviation", number(3), numeric=True, drop=3),
)
PAIR = (
    Column("difference", "difference", numeric=True),
    Column("effect", "effect", number(2), numeric=True, drop=4),
    Column("p", "adjusted", p_text, numeric=True, drop=1),
    Column("verdict", "verdict"),
)
AGAINST = Column("compared with", "baseline", wraps=True)


def _shown(board: "BoardComparison") -> list[Column]:
    """Return the columns of a board that this terminal has room for."""
    if board.baseline:
        return shown_columns([*PLACES, *PAIR], _against_baseline(board))
    pairs = shown_columns([CONFIGURATION, AGAINST, *PAIR], list(map(_pair_row, board.pairs)))
    return shown_columns(PLACES, list(map(_place_row, board.configurations))) + pairs


def _against_baseline(board: "BoardComparison") -> list[Row]:
    pairs = {pair.configuration: _pair_row(pair) for pair in board.pairs}
    return [_place_row(each) | pairs.get(each.name, {}) for each in board.configurations]


def _show_board(board: "BoardComparison", legend: Sequence[str]) -> None:
    metric = score_words(board.metric)
    where = f"{board.protocol} ({board.folds} folds)" if board.folds else board.protocol
    title = f"{board.dataset}, {where}: {metric}, {{}} (test set {board.test[:8]})"
    if board.baseline:
        emit([*PLACES, *PAIR], _against_baseline(board), title=("", title.format(f"compared with {board.baseline}")))
    else:
        rows = list(map(_place_row, board.configurations))
        emit(PLACES, rows, title=("", title.format("all configurations compared")))
        emit([CONFIGURATION, AGAINST, *PAIR], list(map(_pair_row, board.pairs)))
    for line in (*_lines_of(board), *legend):
        say(line)
    show_spreads(board)


def _place_row(placed: "Placed") -> Row:
    return {
        "configuration": placed.name,
        "ranks": f"{placed.rank_low}-{placed.rank_high}" if placed.rank_low < placed.rank_high else placed.rank_low,
        "settings": "" if placed.name.endswith(placed.settings) else placed.settings,
        "seeds": len(placed.seeds),
        "score": interval_text(Interval(placed.score.value)),
        "deviation": placed.deviation,
    }


def _pair_row(pair: "Pair") -> Row:
    return {
        "configuration": pair.configuration,
        "baseline": pair.baseline,
        "difference": difference_text(pair.difference),
        "effect": pair.effect,
        "adjusted": pair.adjusted,
        "verdict": str(pair.verdict),
    }


def _lines_of(board: "BoardComparison") -> Iterable[str]:
    """Yield the answer of a board, and what it is based on."""
    from zoo.metrics.seeds import FEWEST

    first, *others = board.configurations
    if len(others) > 1 and all(each.tied for each in others):
        yield f"first: {first.name}; all others are tied with it"
    elif any(each.tied is not None for each in others):
        tied = [each.name for each in others if each.tied]
        worse = [each.name for each in others if each.tied is False]
        listed = len(tied) <= MOST_TIED or len(tied) <= len(worse)
        yield f"first: {first.name}; " + "; ".join(
            [f"tied with it: {', '.join(tied) if listed else count_text(len(tied), 'configuration')}"] * bool(tied)
            + [f"{count_text(len(worse), 'configuration')} shown to be worse"] * bool(worse and listed)
            + [f"shown to be worse: {', '.join(worse)}"] * bool(worse and not listed)
        )
    if board.comparisons:
        family = f"with {board.baseline}" if board.chosen else "of all pairs"
        yield f"p of the verdicts: adjusted by Holm for {count_text(board.comparisons, 'comparison')} {family}"
    if not all(_enough(board)):
        yield f"a verdict needs {FEWEST} seeds of both configurations: zoo bench … --seeds {FEWEST}"
    reasons = dict.fromkeys(part for pair in board.pairs for part in pair.difference.reason.split("; ") if part)
    yield from (f"no interval: {reason}" for reason in reasons)


def _enough(board: "BoardComparison") -> list[bool]:
    """Return for each pair whether it has enough seeds for a verdict."""
    from zoo.metrics.seeds import FEWEST

    return [board.folds > 0 or len(pair.seeds) >= FEWEST for pair in board.pairs]


def _legend_of(board: "BoardComparison", keys: Sequence[str]) -> list[str]:
    """Return what the numbers of a board are, of the columns that are shown."""
    from zoo.metrics.seeds import FEWEST

    enough = _enough(board)
    units = "test rows" if board.resampled == "rows" else f"the test set's {board.resampled}"
    over = f"seeds and {units}" if any(enough) else f"{units} only"
    if board.folds:
        over = f"{units} and {board.folds} training sets"
    elif any(enough) and not all(enough):
        over += f" ({units} only with fewer than {FEWEST} seeds)"
    adjusted = ", not adjusted for the number of comparisons" if board.comparisons else ""
    effect = "effect: chance that a seed is better than one of the other configuration"
    return [
        f"brackets: 95 % interval of the difference, over {over}{adjusted}",
        *["±: standard deviation over seeds"] * ("deviation" in keys),
        *[effect] * ("effect" in keys),
    ]


def _show_single(pair: "RunPair") -> None:
    metric = score_words(pair.metric)
    rows: list[Row] = [
        {"run": run, "configuration": name, "score": f"{score:.3f}", "only": only}
        for run, name, score, only in zip(
            pair.runs, pair.names, pair.scores, (pair.only_first, pair.only_second), strict=True
        )
    ]
    columns = [
        Column("run", "run"),
        CONFIGURATION,
        Column(metric, "score", numeric=True),
        Column("right alone", "only", numeric=True),
    ]
    where = f"{pair.protocol} (fold {pair.fold} of {pair.folds})" if pair.fold else pair.protocol
    emit(columns, rows, title=("", f"{pair.dataset}, {where}: two single runs"))
    units = "test rows" if pair.resampled == "rows" else f"the test set's {pair.resampled}"
    say(f"{metric}: difference {difference_text(pair.difference)}, 95 % interval over {units}")
    if pair.difference.reason:
        say(f"no interval: {pair.difference.reason}")
    rows_text = "all test rows" if pair.rows == "all" else f"the test rows of class {pair.rows}"
    exact = "exact test of McNemar" if pair.resampled == "rows" else "test over whole groups in place of McNemar's"
    say(f"p = {p_text(pair.p)}: {exact}, over {rows_text}")
    say("right alone: rows that only this run predicted right. Other seeds may differ: compare configurations")


def _show_datasets(found: "DatasetComparison") -> None:
    metric = score_words(found.metric)
    title = f"{len(found.datasets)} data sets: {metric}"
    few = all(pair.adjusted is None for pair in found.pairs)
    datasets = [column for column in DATASETS if not (few and column.key in ("adjusted", "verdict"))]
    columns = [CONFIGURATION, *([] if found.baseline else [AGAINST]), *datasets]
    pairs = {pair.configuration: _datasets_row(pair) for pair in found.pairs} if found.baseline else {}
    ranks = [{"configuration": name, "mean_rank": rank} for name, rank in found.mean_ranks.items()]
    mean_rank = Column("mean rank", "mean_rank", number(2), numeric=True)
    compared = f"compared with {found.baseline}" if found.baseline else "all configurations compared"
    emit(
        [CONFIGURATION, mean_rank, *(datasets if found.baseline else ())],
        [row | pairs.get(str(row["configuration"]), {}) for row in ranks],
        title=("", f"{title}, {compared}"),
    )
    if not found.baseline:
        emit(columns, list(map(_datasets_row, found.pairs)))
    keys = [column.key for column in shown_columns(columns, list(map(_datasets_row, found.pairs)))]
    for line in _lines_of_datasets(found, keys):
        say(line)


DATASETS = (
    Column("better on", "won", numeric=True),
    Column("difference", "mean_difference", number(3), numeric=True, drop=2),
    Column("P better", "better", number(2), numeric=True, optional=True, drop=4),
    Column("P equal", "equal", number(2), numeric=True, optional=True, drop=3),
    Column("p", "adjusted", p_text, numeric=True, drop=1),
    Column("verdict", "verdict"),
)


def _datasets_row(pair: "DatasetPair") -> Row:
    total = pair.wins + pair.ties + pair.losses
    ties = f", equal {pair.ties}" if pair.ties else ""
    return {
        "configuration": pair.configuration,
        "baseline": pair.baseline,
        "won": f"{pair.wins} of {total}{ties}",
        "mean_difference": pair.difference,
        "better": pair.better,
        "equal": pair.equal,
        "adjusted": pair.adjusted,
        "verdict": str(pair.verdict),
    }


def _lines_of_datasets(found: "DatasetComparison", keys: Sequence[str]) -> Iterable[str]:
    from zoo.metrics.datasets import ROPE

    if found.friedman_p is not None:
        p = p_text(found.friedman_p)
        yield f"Friedman's test that all are alike: chi-square {found.friedman:.2f}, p {p if p[0] == '<' else f'= {p}'}"
    elif len(found.mean_ranks) > 2:
        yield "Friedman's test that all are alike: not enough data sets"
    family = f"with {found.baseline}" if found.chosen else "of all pairs"
    comparisons = f"{count_text(found.comparisons, 'comparison')} {family}"
    if all(pair.adjusted is None for pair in found.pairs):
        yield f"no verdicts: not enough data sets. {comparisons} need {_needed(found)}"
    else:
        yield f"p of the verdicts: Wilcoxon's signed ranks, adjusted by Holm for {comparisons}"
    if any(pair.better is not None for pair in found.pairs) and {"better", "equal"} & set(keys):
        yield (
            f"P better, P equal: Bayesian signed ranks, for a further data set; equal: by less than {ROPE:g}. They are "
            "not adjusted for the number of comparisons"
        )
    if found.left_out:
        yield f"not scored on all data sets, and left out: {', '.join(found.left_out)}"


def _needed(found: "DatasetComparison") -> int:
    """Return the number of data sets from which on a verdict is possible."""
    from zoo.metrics.datasets import signed_ranks_possible

    return next(number for number in count(2) if signed_ranks_possible(number, found.comparisons))


def _show_tsv(found: "Comparisons") -> None:
    """Write one line for each pair; those over data sets have their number in the place of the data set."""
    rows = found.records()
    if several := found.over_datasets:
        where = {"dataset": count_text(len(several.datasets), "data set"), "metric": several.metric}
        rows += [where | asdict(pair) for pair in several.pairs]
    rows = [row | {"metric": visible(row["metric"])} for row in rows]
    keys = dict.fromkeys(key for row in rows for key in row)
    print_tsv([Column(key, key) for key in keys], rows)
