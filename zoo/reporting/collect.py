"""Compute a report from the store, with the machinery of the leaderboard and of comparisons."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zoo.data.groups import plural
from zoo.errors import StoreError
from zoo.metrics.seeds import FEWEST
from zoo.records import Interval
from zoo.references.record import Reference
from zoo.reporting.calibration import probabilities, reliability
from zoo.reporting.cliques import cliques_of
from zoo.reporting.records import Curve, Duel, Known, Missing, Report, ReportedBoard, Row, Sample
from zoo.reporting.repeat import repeat_of
from zoo.reporting.series import Sampler, predictions_of_all, samples
from zoo.reporting.stamps import stamp_of
from zoo.reporting.verdicts import verdict_of
from zoo.scores import CLASS_SCORES, LOWER_IS_BETTER, MACRO_SCORES, metric_parts, score_words
from zoo.store.expected import expected
from zoo.store.hints import hints_of, training_setting
from zoo.store.histories import history
from zoo.store.leaderboard import Board, Standing, seeds_json
from zoo.store.predictions import Remembered, predictions_of
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.version import VERSION
from zoo.versus.ranked import Ranked, ranked
from zoo.versus.ranking import Leaderboard, ranking
from zoo.versus.runs import across, names_of
from zoo.wording import count_text
from zoo.workspace import Workspace

TITLE = "Benchmark report"
DECIDED = 6  # configurations of a board with probabilities, the first ones
NO_ROWS = "the report was made without data"
PATIENTS = "the rows are those of {}: --rows puts a sample of them into the report"


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where the series of test rows come from.

    rows  whether a sample of them is shown; None: unless they are grouped, by patient for example, and not simulated
    """

    workspace: Workspace
    data_dir: Path | None = None
    rows: bool | None = None


def report_of(
    store: Store,
    runs: Sequence[Run],
    metric: str,
    keep: Callable[[Run], bool] | None = None,
    *,
    references: Sequence[Reference] = (),
    chosen: str = "",
    data: Data | None = None,
) -> Report:
    """Return the report of runs; with `keep`, of those that it accepts.

    `chosen` has the filters in words. Without `data`, no series are shown. Raises UsageError or UnknownName for a
    metric that no board has.
    """
    found = ranking(store, runs, metric, keep)
    scored = [board for board in found.boards if board.standings]
    names, tuned = names_of(scored), _tuned(store)
    boards = tuple(_board(Remembered(store), found, board, names, references, data, tuned) for board in found.boards)
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
        cliques=() if several is None else cliques_of(several),
        notes=(
            *found.notes,
            *notes,
            *([f"{count_text(damaged, 'damaged run')} left out; `zoo results` shows why"] if damaged else []),
        ),
    )


def _tuned(store: Store) -> dict[str, str]:
    """Return the run of the defaults by the run of the winner, for each study of a comparison."""
    return {study.run: study.defaults for study in StudyStore(store).studies() if study.run and study.defaults}


def _board(
    store: Remembered,
    found: Leaderboard,
    board: Board,
    names: Mapping[Standing, str],
    references: Sequence[Reference],
    data: Data | None,
    tuned: Mapping[str, str],
) -> ReportedBoard:
    flat = ranked(found.metric, board, found.scores, found.places)
    sampler = Sampler() if (no_samples := _no_samples(board, data)) == "" else None
    rows = tuple(_row(store, names[each], each, next(flat), sampler) for each in board.standings)
    shown: tuple[Sample, ...] = ()
    if sampler is not None and sampler.chosen and data is not None:
        some = predictions_of_all(store, board.standings[0]) or [predictions_of(store, board.some_run)]
        shown, no_samples = samples(data.workspace, board, sampler.chosen, some[0], data.data_dir)
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
        references=tuple(_known(references, board, found.metric)),
        duels=tuple(
            Duel(one=low, other=high, difference=pair.difference, p=pair.adjusted, verdict=str(pair.verdict))
            for (high, low), pair in pairs.items()
        ),
        tuned=tuple(_pairs_of(rows, tuned)),
        samples=shown,
        no_samples=no_samples,
        group_noun=run.parts.groups_by or "",
        reading=tuple(_reading(rows)),
        notes=(*dict.fromkeys(run.data_notes), *_unread(store, board)),
    )


def _no_samples(board: Board, data: Data | None) -> str:
    """Return why no series of a board are shown; "" if they are."""
    if data is None or data.rows is False:
        return NO_ROWS
    noun = board.some_run.parts.groups_by
    if data.rows is None and noun and not board.some_run.synthetic:
        return PATIENTS.format(plural(noun))
    return ""


def _pairs_of(rows: Sequence[Row], tuned: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Yield the positions of the defaults and of the winner of each study whose runs are both on the board."""
    places = {run: place for place, row in enumerate(rows) for run in row.ranked.runs}
    found = {(places[one], places[other]) for other, one in tuned.items() if one in places and other in places}
    yield from sorted(found)


def _unread(store: Remembered, board: Board) -> Iterator[str]:
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


def _row(store: Remembered, name: str, standing: Standing, flat: Ranked, sampler: Sampler | None) -> Row:
    some, found = standing.runs[0], predictions_of_all(store, standing)
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
        confusion=_confusion(standing),
        examples=sampler.examples(found) if sampler and found else (),
        repeat=repeat_of(standing.runs),
        curves=tuple(_curves(store.store, standing)),
        monitor=str(training_setting(some, "monitor", "macro_recall")),
        reliability=reliability(found),
        probabilities=probabilities(some.seed, found[0]) if found and (flat.rank or 0) <= DECIDED else None,
        notes=tuple(hints),
    )


def _curves(store: Store, standing: Standing) -> Iterator[Curve]:
    for run in standing.runs:
        scores = history(store, run, str(training_setting(run, "monitor", "macro_recall")))
        losses = history(store, run, "train_loss")
        for each, loss in zip(scores, losses, strict=True):
            if len(each) > 1:
                kept = run.best_epoch if len(scores) == 1 else 0
                yield Curve(seed=run.seed, scores=tuple(each), losses=tuple(loss), kept=kept)


def _confusion(standing: Standing) -> tuple[tuple[int, ...], ...]:
    """Return the sum of the confusion matrices of the seeds."""
    matrices = [run.scores.confusion for run in standing.runs]
    return tuple(tuple(map(sum, zip(*rows, strict=True))) for rows in zip(*matrices, strict=True))


def _mean(store: Remembered, standing: Standing, metric: str) -> Interval:
    return expected(store, standing.runs, metric).interval


def _missing(board: Board) -> Iterator[Missing]:
    for each in board.unscored:
        run = each.runs[0]
        parts = (run.reference, run.block, run.data, run.loss, each.settings)
        by_status = seeds_json((), each.runs)["seeds_by_status"]
        yield Missing(name=" ".join(filter(None, parts)), reason=each.reason(), seeds=by_status)


def _known(references: Sequence[Reference], board: Board, metric: str) -> Iterator[Known]:
    """Yield the references on the data set and protocol of a board that have this score."""
    for each in references:
        if board.holds(each) and metric in each.scores:
            names = {"name": each.words, "architecture": each.name}
            yield Known(**names, status=each.status, score=each.scores[metric], source=each.source)


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
