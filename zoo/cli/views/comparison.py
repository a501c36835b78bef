"""A comparison of searchers: a table, and lines with the verdict on tuning."""

import sys
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from zoo.cli.views import table as output
from zoo.cli.views.runs import SHORT
from zoo.cli.views.table import Column, Row, Say, emit, number, print_json
from zoo.cli.views.verdict import difference_text, verdict_lines
from zoo.comparison.comparison import DEFAULTS, Comparison
from zoo.comparison.curve import Band, Point, trial_band
from zoo.scores import metric_words
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.comparison.result import ComparisonResult
    from zoo.store.runs import Store


def show_comparison(say: Say, store: "Store", comparison: Comparison, *, as_json: bool) -> None:
    """Show the table and the verdict for all results so far."""
    from zoo.comparison.result import ComparisonResult, StudyResult
    from zoo.store.studies import StudyStore

    result = ComparisonResult.of(store, comparison)
    for note in result.notes:
        say(f"note: {note}")
    if as_json:
        print_json(result.to_json(StudyStore(store)))
    elif not sys.stdout.isatty():
        emit([Column(item.name, item.name) for item in fields(StudyResult)], list(map(asdict, result.studies())))
    else:
        emit(_columns(comparison), _rows(result), title=_title(result))
    answer = output.say if sys.stdout.isatty() and not as_json else say
    dataset = result.first_run.dataset_label if result.first_run else ""
    for line in verdict_lines(comparison, result.verdicts, result.lead, dataset):
        answer(line)


def _columns(comparison: Comparison) -> list[Column]:
    marks = sorted(set(comparison.marks().values()))
    after = [
        Column(
            f"after {mark}" if mark < marks[-1] else f"after {count_text(mark, 'trial')}", f"after_{mark}", drop=drop
        )
        for drop, mark in zip(range(2 + len(marks), 2, -1), marks, strict=True)
    ]
    return [
        Column("searcher", "searcher"),
        Column("seeds", "seeds", optional=True),
        *after,
        Column("test", "test", SHORT, numeric=True),
        Column("difference", "difference"),
        Column("train s", "seconds", number(0), numeric=True, drop=2),
    ]


def _rows(result: "ComparisonResult") -> list[Row]:
    """Return a row for each searcher and one for the defaults."""
    comparison, rows = result.comparison, []
    for verdict in result.verdicts:
        band = trial_band(comparison, verdict.searcher)
        rows.append(
            {
                "searcher": verdict.searcher,
                "seeds": None if band.seeds == len(comparison.seeds) else f"{band.seeds} of {len(comparison.seeds)}",
                **{f"after_{mark}": _point_text(band, band.at(mark)) for mark in comparison.marks().values()},
                "test": result.mean(result.winners(verdict.searcher)),
                "difference": difference_text(verdict.difference),
                "seconds": verdict.seconds,
            }
        )
    defaults = result.defaults
    seconds = sum(run.cost.train_seconds or 0.0 for run in defaults) if defaults else None
    return [*rows, {"searcher": DEFAULTS, "test": result.mean(defaults), "seconds": seconds}]


def _title(result: "ComparisonResult") -> tuple[str, str]:
    comparison, run = result.comparison, result.first_run
    where = f" on {run.dataset_label}, {run.protocol}" if run else ""
    best = f"best {metric_words(comparison.metric)} after each number of trials"
    spread = " (mean, lowest-highest over seeds)" if len(comparison.seeds) > 1 else ""
    tested = f"test {comparison.score.replace('_', ' ')} of the winners"
    return f"{comparison.name}: {comparison.architecture}{where}", f"{best}{spread}, and {tested}"


def _point_text(band: Band, point: Point | None) -> str:
    if point is None:
        return "-"
    return f"{point.mean:.3f} ({point.low:.3f}-{point.high:.3f})" if band.seeds > 1 else f"{point.mean:.3f}"
