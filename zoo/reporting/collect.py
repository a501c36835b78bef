"""Compute a report from the store, with the machinery of the leaderboard and of comparisons."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from zoo.errors import StoreError
from zoo.metrics.seeds import FEWEST
from zoo.records import Interval
from zoo.reporting.records import Duel, Known, Missing, Report, ReportedBoard, Row
from zoo.reporting.stamps import stamp_of
from zoo.reporting.verdicts import verdict_of
from zoo.scores import CLASS_SCORES, LOWER_IS_BETTER, MACRO_SCORES, metric_parts, score_words
from zoo.settings import Reference
from zoo.specs import full_name
from zoo.store.expected import expected
from zoo.store.hints import hints_of
from zoo.store.leaderboard import Board, Standing, seeds_json
from zoo.store.predictions import predictions_kept, predictions_of
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.version import VERSION
from zoo.versus.ranked import Ranked, ranked
from zoo.versus.ranking import Leaderboard, ranking
from zoo.versus.runs import across, names_of
from zoo.wording import count_text

TITLE = "Benchmark report"


def report_of(
    store: Store,
    runs: Sequence[Run],
    metric: str,
    keep: Callable[[Run], bool] | None = None,
    *,
    references: Sequence[Reference] = (),
    chosen: str = "",
) -> Report:
    """Return the report of runs; with `keep`, of those that it accepts.

    `chosen` has the filters in words. Raises UsageError or UnknownName for a metric that no board has.
    """
    with predictions_kept():
        found = ranking(store, runs, metric, keep)
        scored = [board for board in found.boards if board.standings]
        names = names_of(scored)
        boards = tuple(_board(store, found, board, names, references) for board in found.boards)
    several, notes = (None, []) if metric == "ece" else across(scored, names, metric, all_pairs=True)
    damaged = sum(run.status == RunStatus.DAMAGED for run in runs)
    return Report(
        title=TITLE,
        metric=metric,
        words=score_words(metric),
        lower=metric_parts(metric)[0] in LOWER_IS_BETTER,
        chosen=chosen,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=VERSION,
        runs=sum(row.ranked.seeds for board in boards for row in board.rows),
        boards=boards,
        over_datasets=several,
        notes=(
            *found.notes,
            *notes,
            *([f"{count_text(damaged, 'damaged run')} left out; `zoo results` shows why"] if damaged else []),
        ),
    )


def _board(
    store: Store, found: Leaderboard, board: Board, names: Mapping[Standing, str], references: Sequence[Reference]
) -> ReportedBoard:
    flat = ranked(found.metric, board, found.scores, found.places)
    rows = tuple(_row(store, names[each], each, next(flat)) for each in board.standings)
    pairs, run = found.pairs.get(board, {}), board.some_run
    classes = tuple(run.parts.classes)
    support = next((each.runs[0].scores.support for each in board.standings), {})
    return ReportedBoard(
        key=_slug(f"{board.dataset}-{board.protocol}-{board.test[:8]}"),
        title=_title(board),
        dataset=board.dataset,
        protocol=board.protocol_text,
        classes=classes,
        support=tuple(support.get(name, 0) for name in classes),
        verdict=verdict_of(rows, pairs, found.metric, folds=run.folds),
        stamp=stamp_of(board),
        rows=rows,
        missing=tuple(_missing(board)),
        references=tuple(_known(each, found.metric) for each in references if board.holds(each)),
        duels=tuple(
            Duel(one=low, other=high, difference=pair.difference, p=pair.adjusted, verdict=str(pair.verdict))
            for (high, low), pair in pairs.items()
        ),
        reading=tuple(_reading(rows)),
        notes=(*dict.fromkeys(run.data_notes), *_unread(store, board)),
    )


def _unread(store: Store, board: Board) -> Iterator[str]:
    """Yield why the predictions of a run cannot be read: its scores are those of its record, without intervals."""
    for run in (run for each in board.standings for run in each.runs):
        try:
            predictions_of(store, run)
        except StoreError as problem:
            yield f"no predictions of run {run.id}, whose scores are those of its record: {problem}"


def _title(board: Board) -> str:
    same = f" (the same rows: {', '.join(board.names)})" if board.names else ""
    params = board.some_run.config.get("dataset_params", {})
    left_out = [f"without {params['drop_class']}"] if "drop_class" in params else []
    merged = [str(params["merge_class"])] if "merge_class" in params else []
    return ", ".join([f"{board.dataset}{same}", board.protocol_text, *left_out, *merged])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _row(store: Store, name: str, standing: Standing, flat: Ranked) -> Row:
    some = standing.runs[0]
    hints = dict.fromkeys(hint for run in standing.runs for hint in hints_of(run))
    return Row(
        key=some.ids[0],
        name=name,
        ranked=flat,
        scores={each: _mean(store, standing, each) for each in MACRO_SCORES},
        classes={
            score: tuple(_mean(store, standing, f"{score}:{label}") for label in some.parts.classes)
            for score in CLASS_SCORES
        },
        notes=tuple(hints),
    )


def _mean(store: Store, standing: Standing, metric: str) -> Interval:
    return expected(store, standing.runs, metric).interval


def _missing(board: Board) -> Iterator[Missing]:
    for each in board.unscored:
        run = each.runs[0]
        parts = (run.reference, run.block, run.data, run.loss, each.settings)
        by_status = seeds_json((), each.runs)["seeds_by_status"]
        yield Missing(name=" ".join(filter(None, parts)), reason=each.reason(), seeds=by_status)


def _known(reference: Reference, metric: str) -> Known:
    name = full_name(reference.architecture, reference.preset)
    return Known(name=name, status=reference.status, score=reference.scores.get(metric), source=reference.source)


def _reading(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what the numbers of a board are, and why some have no interval."""
    covered = {row.ranked.over for row in rows if row.ranked.over}
    if covered:
        over = sorted(each.replace("rows", "test rows") for each in covered)
        yield f"Brackets: 95 % interval over {' or '.join(over)}."
    if "rows" in covered:
        yield f"Intervals cover seeds too from {FEWEST} seeds on."
    if any(row.ranked.deviation is not None for row in rows):
        yield "±: standard deviation over seeds."
    if any(row.ranked.tied is not None for row in rows[1:]):
        yield "Ranks: those possible by all significant differences."
    if any(row.ranked.same_losses for row in rows):
        yield "=: losses with equal gradients on the training rows, which are the same training and ranked once."
    for reason in dict.fromkeys(part for row in rows for part in row.ranked.reason.split("; ") if part):
        yield f"No interval: {reason}."
