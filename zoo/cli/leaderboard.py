"""`zoo leaderboard`: rank configurations, with one board for each test set."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import options
from zoo.cli.session import session_of
from zoo.cli.views.table import Column, count, emit, millions, number, print_json, say, steps_column
from zoo.scores import MACRO_SCORES, metric_parts
from zoo.settings import Reference
from zoo.specs import full_name
from zoo.wording import count_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zoo.store.expected import Expected
    from zoo.store.leaderboard import Board, Place, Standing


def leaderboard_command(
    context: typer.Context,
    metric: Annotated[
        str,
        typer.Option(
            help=f"Score to rank by: {', '.join(MACRO_SCORES)}, or that of a class, such as recall:F.",
            metavar="NAME",
            rich_help_panel=options.OUTPUT,
        ),
    ] = "macro_recall",
    results: options.ResultsToRead = None,
    as_json: Annotated[bool, options.json_option("Print JSON, one object per board.")] = False,
) -> None:
    """Rank the configurations that were scored on the same test rows.

    Scores are averaged over seeds and shown with their cost.
    """
    from zoo.store.leaderboard import boards
    from zoo.store.run import RunStatus

    metric_parts(metric)
    session = session_of(context)
    runs = session.stored_runs(results)
    found = boards(runs, metric)
    if ":" in metric and found:
        from zoo.versus.runs import with_metric

        found = with_metric(found, metric)
    scores, places = _computed(session.settings.results_folder(results), found, metric)
    if damaged := sum(run.status == RunStatus.DAMAGED for run in runs):
        session.say(f"note: {count_text(damaged, 'damaged run')} left out; `zoo results` shows why")
    if as_json:
        print_json([board.to_json(metric, scores, places) for board in found])
        return
    if not sys.stdout.isatty():
        emit(
            [*(Column(name, name) for name in ("dataset", "protocol", "test")), *_columns(metric), *PLACE],
            [row for board in found for row in _rows(board, metric, scores, places)],
        )
        return
    from zoo.cli.views.runs import steps_differ

    for board in found:
        reported = [_reported(each, metric) for each in session.settings.references if board.holds(each)]
        columns = _columns(metric, steps=steps_differ(run for each in board.standings for run in each.runs))
        emit(columns, [*_rows(board, metric, scores, places), *reported], title=("", _title(board)))
        if tied := _tied(board, places):
            say(tied)
        for line in _explained([scores[standing] for standing in board.standings]):
            say(line)
        if any(standing.same_losses for standing in board.standings):
            say("=: losses with equal gradients on the training rows, which are the same training and ranked once")
    if not found:
        session.say("no finished runs yet: start one with `zoo bench cnngru`")


def _columns(metric: str, *, steps: bool = True) -> list[Column]:
    return [
        Column("#", "rank", numeric=True),
        Column("ranks", "ranks", numeric=True, optional=True, drop=1),
        Column("architecture", "architecture"),
        Column("block", "block", optional=True),
        Column("data", "data"),
        Column("loss", "loss", drop=6),
        Column("differs in", "settings", optional=True, wraps=True),
        Column("seeds", "seeds", numeric=True),
        Column(metric.replace("_", " "), "score", numeric=True),
        *([steps_column(drop=5)] if steps else []),
        Column("params", "parameters", count, numeric=True, drop=3),
        Column("MACs", "macs", millions, numeric=True, drop=7),
        Column("train s", "train_seconds", number(1), numeric=True, drop=2),
        Column("ms/row", "latency_ms", number(2), numeric=True, drop=4),
    ]


def _title(board: "Board") -> str:
    scored = count_text(len(board.standings), "configuration")
    same = f" (the same rows: {', '.join(board.names)})" if board.names else ""
    return (
        f"{board.dataset}{same}{_classes(board)}, {board.protocol}: {scored} scored on this test set ({board.test[:8]})"
    )


def _classes(board: "Board") -> str:
    """Return which classes were left out or merged on this board, in brackets."""
    params = board.standings[0].runs[0].config.get("dataset_params", {})
    words = [f"without {params['drop_class']}"] if "drop_class" in params else []
    words += [str(params["merge_class"])] if "merge_class" in params else []
    return f" ({', '.join(words)})" if words else ""


PLACE = (Column("lowest rank", "rank_low"), Column("highest rank", "rank_high"), Column("tied with first", "tied"))


def _tied(board: "Board", places: "Mapping[Standing, Place]") -> str:
    """Return a line with the configurations that are tied with the first; "" if no other could be compared with it."""
    if not _compared(board, places):
        return ""
    tied = [str(rank) for rank, each in enumerate(board.standings, start=1) if rank > 1 and places[each].tied]
    shown = f"tied with the first: {', '.join(tied)}" if tied else "no configuration is tied with the first"
    return f"{shown}; ranks: those possible by all significant differences. `zoo compare` shows them"


def _compared(board: "Board", places: "Mapping[Standing, Place]") -> bool:
    return any(each in places and places[each].tied is not None for each in board.standings[1:])


def _rows(
    board: "Board", metric: str, scores: "Mapping[Standing, Expected]", places: "Mapping[Standing, Place]"
) -> list[dict[str, Any]]:
    where = {"dataset": board.dataset, "protocol": board.protocol, "test": board.test[:8]}
    compared = _compared(board, places)
    return [
        {
            **where,
            "rank": rank,
            "ranks": _ranks_text(places[standing]) if compared else None,
            **standing.to_json(metric, place=places.get(standing)),
            **_texts(standing, scores),
            "steps": standing.steps(),
        }
        for rank, standing in enumerate(board.standings, start=1)
    ]


def _texts(standing: "Standing", scores: "Mapping[Standing, Expected]") -> dict[str, str]:
    """Return the score of a standing as text, and its loss with those that are the same training."""
    losses = " = ".join((standing.runs[0].loss, *standing.same_losses))
    return {"loss": losses, "score": _score_text(scores[standing])}


def _ranks_text(place: "Place") -> str:
    return str(place.low) if place.low == place.high else f"{place.low}-{place.high}"


def _computed(
    folder: "Path", found: "Sequence[Board]", metric: str
) -> "tuple[dict[Standing, Expected], dict[Standing, Place]]":
    """Return the score of each configuration with an interval, and its place, from the stored predictions."""
    if not found:
        return {}, {}
    from zoo.store.expected import expected
    from zoo.store.runs import Store
    from zoo.versus.board import places_of

    with Store(folder, create=False) as store:
        scores = {each: expected(store, each.runs, metric) for board in found for each in board.standings}
        compared = [places_of(store, board, metric) for board in found if metric != "ece"]
        return scores, {standing: place for places in compared for standing, place in places.items()}


def _score_text(score: "Expected") -> str:
    """Return the mean, ± its standard deviation over seeds, with its interval."""
    from zoo.cli.views.runs import interval_text

    text = interval_text(score.interval)
    if score.deviation is None:
        return text
    mean, _, rest = text.partition(" ")
    return f"{mean} ± {score.deviation:.3f} {rest}".rstrip()


def _explained(scores: "Sequence[Expected]") -> list[str]:
    """Return lines that explain the numbers of a board, and why some scores have no interval."""
    from zoo.metrics.seeds import FEWEST

    covered = {score.over for score in scores if score.interval.low is not None}
    over = {
        ("rows",): "test rows only",
        ("seeds and rows",): "seeds and test rows",
        ("rows", "seeds and rows"): f"test rows only, with {FEWEST} seeds or more over seeds and test rows",
    }
    lines = [f"brackets: 95 % interval over {over[tuple(sorted(covered))]}"] if covered else []
    if any(score.deviation is not None for score in scores):
        lines.append("±: standard deviation over seeds")
    reasons = dict.fromkeys(part for score in scores for part in score.interval.reason.split("; ") if part)
    return ["; ".join(lines)] * bool(lines) + [f"no interval: {reason}" for reason in reasons]


def _reported(reference: Reference, metric: str) -> dict[str, Any]:
    name = full_name(reference.architecture, reference.preset)
    score = number(3)(reference.scores.get(metric))
    return {"rank": "", "architecture": name, "data": reference.status, "score": score, "style": "dim"}
