"""Comparisons of configurations as tables, with lines with the result and the meaning of the numbers."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from zoo.cli.views.runs import interval_text
from zoo.cli.views.spreads import show_spreads, unvaried_lines
from zoo.cli.views.table import Column, Row, Say, emit, number, print_json, print_tsv, say
from zoo.cli.views.verdict import difference_text
from zoo.records import Interval
from zoo.scores import score_words
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
        for board in found.boards:
            _show_board(board)
        for line in unvaried_lines(found.boards):
            say(line)
        if found.over_datasets:
            _show_datasets(found.over_datasets)


def p_text(value: float | None) -> str:
    """Return a p value: 0.012, or <0.001; a dash without one."""
    return "-" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


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


def _show_board(board: "BoardComparison") -> None:
    metric = score_words(board.metric)
    where = f"{board.protocol} ({board.folds} folds)" if board.folds else board.protocol
    title = f"{board.dataset}, {where}: {metric}, {{}} (test set {board.test[:8]})"
    if board.baseline:
        pairs = {pair.configuration: _pair_row(pair) for pair in board.pairs}
        rows = [_place_row(each) | pairs.get(each.name, {}) for each in board.configurations]
        emit([*PLACES, *PAIR], rows, title=("", title.format(f"compared with {board.baseline}")))
    else:
        rows = list(map(_place_row, board.configurations))
        emit(PLACES, rows, title=("", title.format("all configurations compared")))
        emit([CONFIGURATION, AGAINST, *PAIR], list(map(_pair_row, board.pairs)))
    for line in _lines_of(board):
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
    """Yield the answer of a board, and what its numbers are."""
    from zoo.metrics.seeds import FEWEST

    first, *others = board.configurations
    if any(each.tied is not None for each in others):
        tied = [each.name for each in others if each.tied]
        worse = sum(each.tied is False for each in others)
        yield f"first: {first.name}; " + "; ".join(
            [f"tied with it: {', '.join(tied)}"] * bool(tied)
            + [f"{count_text(worse, 'configuration')} shown to be worse"] * bool(worse)
        )
    enough = [board.folds > 0 or len(pair.seeds) >= FEWEST for pair in board.pairs]
    units = "test rows" if board.resampled == "rows" else f"the test set's {board.resampled}"
    over = f"seeds and {units}" if any(enough) else f"{units} only"
    if board.folds:
        over = f"{units} and {board.folds} training sets"
    elif any(enough) and not all(enough):
        over += f" ({units} only with fewer than {FEWEST} seeds)"
    yield f"brackets: 95 % interval of the difference, over {over}; ±: standard deviation over seeds"
    if board.comparisons:
        family = f"with {board.baseline}" if board.chosen else "of all pairs"
        adjusted = f"p: adjusted by Holm for {count_text(board.comparisons, 'comparison')} {family}"
        yield f"{adjusted}, brackets are not; effect: chance that a seed is better than one of the other configuration"
    if not all(enough):
        yield f"a verdict needs {FEWEST} seeds of both configurations: zoo bench … --seeds {FEWEST}"
    reasons = dict.fromkeys(part for pair in board.pairs for part in pair.difference.reason.split("; ") if part)
    yield from (f"no interval: {reason}" for reason in reasons)


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
    pairs = {pair.configuration: _datasets_row(pair) for pair in found.pairs} if found.baseline else {}
    ranks = [{"configuration": name, "mean_rank": rank} for name, rank in found.mean_ranks.items()]
    mean_rank = Column("mean rank", "mean_rank", number(2), numeric=True)
    compared = f"compared with {found.baseline}" if found.baseline else "all configurations compared"
    emit(
        [CONFIGURATION, mean_rank, *(DATASETS if found.baseline else ())],
        [row | pairs.get(str(row["configuration"]), {}) for row in ranks],
        title=("", f"{title}, {compared}"),
    )
    if not found.baseline:
        emit([CONFIGURATION, AGAINST, *DATASETS], list(map(_datasets_row, found.pairs)))
    for line in _lines_of_datasets(found):
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


def _lines_of_datasets(found: "DatasetComparison") -> Iterable[str]:
    from zoo.metrics.datasets import ROPE

    if found.friedman_p is not None:
        p = p_text(found.friedman_p)
        yield f"Friedman: chi-square {found.friedman:.2f}, p {p if p[0] == '<' else f'= {p}'} that all are alike"
    elif len(found.mean_ranks) > 2:
        yield "Friedman: not enough data sets"
    family = f"with {found.baseline}" if found.chosen else "of all pairs"
    yield f"p: Wilcoxon's signed ranks, adjusted by Holm for {count_text(found.comparisons, 'comparison')} {family}"
    if any(pair.better is not None for pair in found.pairs):
        yield (
            f"P better, P equal: Bayesian signed ranks, for a further data set; equal: by less than {ROPE:g}. They are "
            "not adjusted for the number of comparisons"
        )
    if found.left_out:
        yield f"not scored on all data sets, and left out: {', '.join(found.left_out)}"


def _show_tsv(found: "Comparisons") -> None:
    """Write one line for each pair; those over data sets have their number in the place of the data set."""
    rows = found.records()
    if several := found.over_datasets:
        where = {"dataset": count_text(len(several.datasets), "data set"), "metric": several.metric}
        rows += [where | asdict(pair) for pair in several.pairs]
    keys = dict.fromkeys(key for row in rows for key in row)
    print_tsv([Column(key, key) for key in keys], rows)
