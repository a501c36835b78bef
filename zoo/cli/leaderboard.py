"""`zoo leaderboard`: rank configurations, with one board for each test set."""

import sys
from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import options
from zoo.cli.filters import Metric, pattern
from zoo.cli.session import Session, session_of
from zoo.cli.small import small_line
from zoo.cli.views.legends import number_ranges, shared_lines
from zoo.cli.views.papers import Paper, latex, markdown
from zoo.cli.views.table import (
    Column,
    count,
    emit,
    fits,
    has_value,
    millions,
    number,
    print_json,
    say,
    shown_columns,
    steps_column,
)
from zoo.errors import UsageError
from zoo.references.record import Reference
from zoo.scores import metric_parts, score_words
from zoo.visible import visible
from zoo.wording import count_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from zoo.store.leaderboard import Board, Unscored
    from zoo.store.run import Run
    from zoo.store.selection import Selection
    from zoo.versus.ranked import Ranked
    from zoo.versus.ranking import Leaderboard


RANKS = "ranks: those possible by all significant differences"


def leaderboard_command(
    context: typer.Context,
    metric: Metric = "macro_recall",
    architecture: Annotated[str | None, pattern("architectures")] = None,
    dataset: Annotated[str | None, pattern("data sets")] = None,
    results: options.ResultsToRead = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables of Markdown.", rich_help_panel=options.OUTPUT)
    ] = False,
    as_latex: Annotated[
        bool,
        typer.Option(
            "--latex", help="Print tables of LaTeX, for the package booktabs.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    as_json: Annotated[bool, options.json_option("Print JSON, one object per board.")] = False,
) -> None:
    """Rank the configurations that were scored on the same test rows.

    Scores are averaged over seeds and shown with their cost.
    """
    from zoo.store.run import RunStatus
    from zoo.store.selection import Selection

    metric_parts(metric)
    if as_json + as_markdown + as_latex > 1:
        raise UsageError("--json, --markdown and --latex exclude each other: choose one")
    session = session_of(context)
    runs = session.stored_runs(results)
    picked = Selection.of(architecture=architecture, dataset=dataset)
    found = _ranking(session.settings.results_folder(results), runs, metric, picked)
    for line in found.notes if found else ():
        session.say(f"note: {line}")
    if damaged := sum(run.status == RunStatus.DAMAGED for run in runs):
        session.say(f"note: {count_text(damaged, 'damaged run')} left out; `zoo results` shows why")
    if as_json:
        print_json(found.to_json() if found else [])
        return
    if not (as_markdown or as_latex or sys.stdout.isatty()):
        _write_tsv(found)
        return
    if found and (as_markdown or as_latex):
        _write_papers(found, session, latex if as_latex else markdown)
    elif found:
        _show(found, found.boards, session)
    if not (found and found.boards) and not (found and found.notes):
        session.say("no finished runs yet: start one with `zoo bench cnngru`")


def _ranking(folder: "Path", runs: "Sequence[Run]", metric: str, picked: "Selection") -> "Leaderboard | None":
    """Return the boards of runs; None without runs, since the libraries of the intervals take time to import."""
    if runs and not any(map(picked.picks, runs)):
        raise UsageError("no run matches these filters: `zoo results` lists the stored runs")
    if not runs:
        return None
    from zoo.store.runs import Store
    from zoo.versus.ranking import ranking

    with Store(folder, create=False) as store:
        return ranking(store, runs, metric, picked.picks if picked else None)


def _write_tsv(found: "Leaderboard | None") -> None:
    from zoo.versus.ranked import Ranked

    rows = [
        asdict(row)
        | {"metric": visible(row.metric)}
        | {name: ", ".join(getattr(row, name)) for name in ("same_losses", "runs")}
        for row in (found.rows() if found else ())
    ]
    emit([Column(item.name, item.name) for item in fields(Ranked)], rows)


def show_own_boards(session: Session, results: "Path | None", runs: "Sequence[Run]") -> None:
    """Print the boards of these runs alone, if they rank at least two configurations."""
    from zoo.store.runs import Store
    from zoo.versus.ranking import ranking

    own = {identifier for run in runs for identifier in run.ids}
    with Store(session.settings.results_folder(results), create=False) as store:
        found = ranking(store, store.runs(), "macro_recall", lambda run: not own.isdisjoint(run.ids))
    several = [board for board in found.boards if len(board.standings) > 1]
    _show(found, several, session, above=("", "ranking of this bench"))


@dataclass(frozen=True)
class Shown:
    """A board as a table, the lines on its configurations, and the lines that explain its columns."""

    title: str
    columns: "Sequence[Column]" = ()
    rows: "Sequence[dict[str, Any]]" = ()
    lines: "Sequence[str]" = ()
    legend: "Sequence[str]" = ()


def _show(found: "Leaderboard", boards: "Sequence[Board]", session: Session, above: "Sequence[str]" = ("",)) -> None:
    """Print boards as tables, with lines that explain them. Those that are the same for all boards are printed once."""
    tables = [_shown(found, board, session) for board in boards]
    shared = shared_lines([table.legend for table in tables if table.rows])
    for table in tables:
        if table.rows:
            emit(table.columns, table.rows, title=(*above, table.title))
        else:
            say("")
            say(table.title)
        for line in (*table.lines, *(each for each in table.legend if each not in shared)):
            say(line)
    for line in ("", *shared) if shared else ():
        say(line)


def _shown(found: "Leaderboard", board: "Board", session: Session) -> Shown:
    from zoo.cli.views.runs import steps_differ
    from zoo.versus.ranked import ranked

    if not board.standings:
        return Shown(_title(board), lines=_unscored(board))
    rows = [row for row in ranked(found.metric, board, found.scores, found.places) if row.rank]
    compared = _compared(rows)
    reported = [_reported(each, found.metric) for each in _held(session, board, found.metric)]
    steps = steps_differ(run for each in board.standings for run in each.runs)
    columns = _columns(found.metric, rows, steps=steps)
    texts = [_row(row, compared=compared) for row in rows]
    if not fits([column for column in columns if not column.drop and has_value(column, texts)], texts):
        texts = [text | {"seeds": text["seeds"].partition(" ")[0]} for text in texts]
    texts += reported
    keys = {column.key for column in shown_columns(columns, texts)}
    lines = [*_tied(rows), *_spreads(rows), *_missing(rows), *_unscored(board)]
    ranks = [f"{RANKS}, which `zoo compare` shows"] * ("ranks" in keys)
    legend = [*ranks, *_explained(rows, deviation="deviation" in keys), *_small(board, session)]
    return Shown(_title(board), columns, texts, lines, legend)


def _write_papers(found: "Leaderboard", session: Session, write: "Callable[[Paper], str]") -> None:
    sys.stdout.write("\n".join(write(_paper(found, board, session)) for board in found.boards))


def _paper(found: "Leaderboard", board: "Board", session: Session) -> Paper:
    """Return a board for a document. A resampler or a loss that all rows have is a note."""
    from zoo.versus.ranked import ranked

    ranks = [row for row in ranked(found.metric, board, found.scores, found.places) if row.rank]
    compared = _compared(ranks)
    rows = [_row(row, compared=compared) | {"score": _paper_score(row)} for row in ranks]
    rows += [_reported(each, found.metric) for each in _held(session, board, found.metric)]
    same = {key: rows[0][key] for key in ("data", "loss") if len({row.get(key) for row in rows}) == 1}
    left_out = {*same, "steps", "macs", "latency_ms"}
    columns = [each for each in _columns(found.metric, ranks, steps=False) if each.key not in left_out]
    tied = tuple(place for place, row in enumerate(ranks) if row.tied) if any(r.tied for r in ranks[1:]) else ()
    best = 0 if len(ranks) > 1 and all(row.tied is False for row in ranks[1:]) else None
    marked = [
        *["bold: each other configuration was shown to be worse"] * (best is not None),
        *["*: the first, and those that were not shown to be worse"] * bool(tied),
        *[f"could not be compared with the first: {_unknown(ranks)}"] * bool(_unknown(ranks)),
        *[RANKS] * compared,
    ]
    constant = [f"{key} in all rows: {value}" for key, value in same.items() if value]
    notes = [*marked, *constant, *_explained(ranks), *_small(board, session), *_unscored(board)]
    return Paper(_title(board), [each for each in columns if has_value(each, rows)], rows, notes, best, tied)


def _paper_score(row: "Ranked") -> str:
    """Return a score with its interval: 0.830 (0.738, 0.910)."""
    if row.score is None or row.low is None or row.high is None:
        return number(3)(row.score)
    return f"{row.score:.3f} ({row.low:.3f}, {row.high:.3f})"


def _columns(metric: str, rows: "Sequence[Ranked]", *, steps: bool) -> list[Column]:
    """Return the columns of a table, with the gradient steps and the deviation over seeds if the board has them.

    A narrow terminal leaves the loss out only where all rows have the same, and the block where each architecture has
    one.
    """
    same_loss, spread = len({row.loss for row in rows if row.loss}) < 2, _spread(rows)
    one_block = len({(row.architecture, row.block) for row in rows}) == len({row.architecture for row in rows})
    return [
        Column("#", "rank", numeric=True),
        Column("ranks", "ranks", numeric=True, optional=True, drop=1),
        Column("architecture", "architecture", wraps=True),
        Column("block", "block", optional=True, wraps=not one_block, drop=2 * one_block),
        Column("data", "data", wraps=True),
        Column("loss", "loss", wraps=not same_loss, drop=8 * same_loss),
        Column("differs in", "settings", optional=True, wraps=True),
        Column("seeds", "seeds", numeric=True),
        Column(score_words(metric), "score", numeric=True),
        *([Column("±", "deviation", number(3), numeric=True, drop=3)] if spread else []),
        *([steps_column(drop=7)] if steps else []),
        Column("params", "parameters", count, numeric=True, drop=5),
        Column("MACs", "macs", millions, numeric=True, drop=9),
        Column("train s", "train_seconds", number(1), numeric=True, drop=4),
        Column("ms/row", "latency_ms", number(2), numeric=True, drop=6),
    ]


def _title(board: "Board") -> str:
    scored = count_text(board.configurations_scored, "configuration")
    if board.configurations_scored > len(board.standings):
        scored = f"{len(board.standings)} of {scored}"
    same = f" (the same rows: {', '.join(board.names)})" if board.names else ""
    return (
        f"{board.dataset}{same}{_classes(board)}, {board.protocol_text}: {scored} scored on this test set "
        f"({board.test[:8]})"
    )


def _classes(board: "Board") -> str:
    """Return which classes were left out or merged on this board, in brackets."""
    params = board.some_run.config.get("dataset_params", {})
    words = [f"without {params['drop_class']}"] if "drop_class" in params else []
    words += [str(params["merge_class"])] if "merge_class" in params else []
    return f" ({', '.join(words)})" if words else ""


def _compared(rows: "Sequence[Ranked]") -> bool:
    """Whether any configuration could be compared with the first."""
    return any(row.tied is not None for row in rows[1:])


def _spread(rows: "Sequence[Ranked]") -> bool:
    """Whether any configuration has a deviation over seeds."""
    return any(row.deviation is not None for row in rows)


def _tied(rows: "Sequence[Ranked]") -> list[str]:
    """Return a line with the configurations that are tied with the first, if any could be compared with it."""
    if not _compared(rows):
        return []
    tied = number_ranges(row.rank or 0 for row in rows[1:] if row.tied)
    unknown = _unknown(rows)
    shown = f"tied with the first: {tied}" if tied else "no configuration is tied with the first"
    return [shown + (f"; could not be compared with it: {unknown}" if unknown else "")]


def _unknown(rows: "Sequence[Ranked]") -> str:
    """Return the ranks of those that could not be compared with the first."""
    return number_ranges(row.rank or 0 for row in rows[1:] if row.tied is None)


def _row(row: "Ranked", *, compared: bool) -> dict[str, Any]:
    """Return a configuration as the texts of a table."""
    from zoo.cli.views.runs import interval_text
    from zoo.records import Interval

    steps = row.steps_low if row.steps_low == row.steps_high else f"{row.steps_low}-{row.steps_high}"
    return asdict(row) | {
        "ranks": _ranks_text(row) if compared else None,
        "loss": _loss_text(row),
        "seeds": _seeds_text(row),
        "score": interval_text(Interval(row.score, row.low, row.high, row.reason)),
        "steps": steps,
    }


def _seeds_text(row: "Ranked") -> str:
    """Return the number of scored seeds, and those that ended in another way: 3/5 (2 diverged)."""
    if row.seeds == row.seeds_asked:
        return str(row.seeds)
    return f"{row.seeds}/{row.seeds_asked} ({_ends(row)})"


def _ends(row: "Ranked") -> str:
    """Return how the other seeds ended: 2 diverged, 1 failed."""
    from zoo.store.leaderboard import UNSCORED

    counts = {status: getattr(row, f"seeds_{status}") for status in UNSCORED}
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number)


def _missing(rows: "Sequence[Ranked]") -> list[str]:
    """Return a line with the seeds without a score, which a narrow table shows as 3/5 only."""
    ends = [f"{row.rank}: {_ends(row)}" for row in rows if row.seeds < row.seeds_asked]
    return [f"seeds without a score: {'; '.join(ends)}. `zoo results` shows why"] if ends else []


def _spreads(rows: "Sequence[Ranked]") -> list[str]:
    """Return a line with the spread of one fold and seed, by its cause, if any configuration has one."""
    causes = [f"{r.rank}: {r.spread_split:.3f} and {r.spread_seed:.3f}" for r in rows if r.spread_split is not None]
    return [f"deviation by split, and by seed on the same fold: {'; '.join(causes)}"] if causes else []


def _ranks_text(row: "Ranked") -> str:
    return str(row.rank_low) if row.rank_low == row.rank_high else f"{row.rank_low}-{row.rank_high}"


def _small(board: "Board", session: Session) -> list[str]:
    return small_line(session.registry, (standing.runs[0] for standing in board.standings))


def _unscored(board: "Board") -> list[str]:
    """Return a line for each reason for which configurations have no score."""
    losses = len({run.loss for run in board.first_runs if run.loss}) > 1
    alike: dict[tuple[str, str], list[str]] = {}
    for each in board.unscored:
        ends = Counter(str(run.status) for run in each.runs)
        counts = ", ".join(f"{number} {end}" for end, number in ends.items())
        alike.setdefault((each.reason(), counts), []).append(_unscored_text(each, losses=losses))
    return [
        f"without a score: {', '.join(names)} ({counts}{' each' * (len(names) > 1)}): {reason}"
        for (reason, counts), names in alike.items()
    ]


def _unscored_text(found: "Unscored", *, losses: bool) -> str:
    run = found.runs[0]
    parts = (run.reference, run.block, run.data, run.loss if losses else "", found.settings)
    return " ".join(filter(None, parts))


def _explained(rows: "Sequence[Ranked]", *, deviation: bool = True) -> list[str]:
    """Return lines that explain the numbers of a board, and why some scores have no interval."""
    from zoo.metrics.seeds import FEWEST

    covered = {row.over for row in rows if row.over}
    over = {
        ("rows",): "test rows only",
        ("seeds and rows",): "seeds and test rows",
        ("rows", "seeds and rows"): f"test rows only, with {FEWEST} seeds or more over seeds and test rows",
    }
    brackets = [f"brackets: 95 % interval over {over[tuple(sorted(covered))]}"] if covered else []
    reasons = dict.fromkeys(part for row in rows for part in row.reason.split("; ") if part)
    same = dict.fromkeys(_loss_text(row) for row in rows if row.same_losses)
    return [
        *brackets,
        *["±: standard deviation over seeds"] * (deviation and _spread(rows)),
        *(f"no interval: {reason}" for reason in reasons),
        *(f"{losses}: equal gradients on the training rows, the same training, ranked once" for losses in same),
    ]


def _loss_text(row: "Ranked") -> str:
    """Return the loss, and those that are the same training: cross-entropy = weighted."""
    return " = ".join((row.loss, *row.same_losses))


def _held(session: Session, board: "Board", metric: str) -> list[Reference]:
    """Return the references on the data set of a board, with a value of the metric."""
    return [each for each in session.references if board.holds(each) and metric in each.scores]


def _reported(reference: Reference, metric: str) -> dict[str, Any]:
    score = number(3)(reference.scores.get(metric))
    return {"rank": "", "architecture": reference.words, "data": reference.status, "score": score, "style": "dim"}
