"""Columns and rows of tables with the scores and costs of runs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from zoo.cli.views.headings import class_heading
from zoo.cli.views.table import Column, Row, count, millions, number, steps_column
from zoo.records import Interval
from zoo.scores import CLASS_SCORES, MACRO_SCORES
from zoo.store.run import Run

SHORT = number(3)
BOUNDS = ("_low", "_high")  # of an interval: the ends of the names of their columns


def steps_differ(runs: Iterable[Run]) -> bool:
    """Whether networks that were trained on the same rows of one test set differ in their number of gradient steps.

    Fitted networks, which have none, and runs of earlier versions, whose number is unknown, do not count.
    """
    found: dict[tuple[str, str, str | None], set[int]] = defaultdict(set)
    for run in runs:
        if run.steps:
            found[run.dataset_label, run.protocol, run.parts.fingerprints.get("test")].add(run.steps)
    return any(len(numbers) > 1 for numbers in found.values())


def interval_text(interval: Interval) -> str:
    """Return a score with its interval: 0.861 (0.843-0.878), or 0.861 (no interval) if there is a reason."""
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.3f}" + (" (no interval)" if interval.reason else "")
    return f"{interval.value:.3f} ({interval.low:.3f}-{interval.high:.3f})"


def score_columns(runs: Sequence[Run]) -> list[Column]:
    """Return the columns of a table of runs on a terminal, without the axes that all runs share.

    The errors of runs are not in it: `zoo.cli.views.failures` shows each once.
    """
    failed = any(run.error for run in runs)
    return [
        Column("run", "id", drop=1),
        Column("architecture", "architecture"),
        Column("block", "block", optional=True),
        Column("data", "data"),
        *_varying(runs),
        Column("macro recall", "macro_recall_text", numeric=True),
        Column("F1", "macro_f1", SHORT, numeric=True, drop=2),
        Column("accuracy", "accuracy", SHORT, numeric=True, drop=3),
        *([steps_column(drop=5)] if steps_differ(runs) else []),
        Column("params", "parameters", count, numeric=True, drop=6),
        Column("MACs", "macs", millions, numeric=True, drop=7),
        Column("train s", "train_seconds", number(1), numeric=True, drop=4),
        *([Column("status", "status")] if failed else []),
    ]


def score_row(run: Run) -> Row:
    """Return a run as one flat row: all scores with their intervals, and all costs."""
    row: Row = {
        "id": run.id,
        "status": run.status,
        "architecture": run.reference,
        "block": run.block,
        "data": run.data,
        "loss": run.loss,
        "dataset": run.dataset_label,
        "protocol": run.protocol,
        "scale": run.scale,
        "precision": run.precision,
        "seed": run.seed,
        "rows": run.parts.rows.get("train"),
        "epochs": run.epochs,
        "steps": run.steps,
        "train_macro_recall": run.train_macro_recall,
    }
    for name in MACRO_SCORES:
        row |= _flat(name, run.scores.of_all(name))
    for label, interval in run.scores.recall.items():
        row |= _flat(f"recall_{class_heading(label, endings=BOUNDS)}", interval)
    row |= {name: getattr(run.cost, name) for name in COSTS}
    text = interval_text(run.scores.macro_recall)
    row |= {"macro_recall_text": text, "error": run.error, "served": run.served}
    return row | ({"style": "red"} if run.error else {})


COSTS = ("parameters", "macs", "train_seconds", "peak_memory_mib", "latency_ms", "rows_per_second")


def flat_columns(rows: Sequence[Row]) -> list[Column]:
    """Return all columns of flat rows for a pipe, in the order in which the rows have them."""
    keys = dict.fromkeys(key for row in rows for key in row if key not in ("macro_recall_text", "style"))
    return [Column(key, key) for key in keys]


def class_columns(runs: Sequence[Run]) -> list[Column]:
    """Return the columns of a table with the recall of each class; `class_row` returns its rows."""
    classes = dict.fromkeys(name for run in runs for name in run.scores.support)
    block = [Column("block", "block", optional=True)]
    names = [Column(f"recall {name}", f"class_{name}", numeric=True) for name in classes]
    return [Column("architecture", "architecture"), *block, Column("data", "data"), *_varying(runs), *names]


def class_row(run: Run) -> Row:
    recalls = run.scores.recall.items()
    return score_row(run) | {f"class_{name}": interval_text(interval) for name, interval in recalls}


BY_CLASS = (
    Column("class", "name"),
    Column("test rows", "support", count, numeric=True),
    Column("recall", "recall", numeric=True),
    Column("precision", "precision", numeric=True, drop=2),
    Column("F1", "f1", numeric=True, drop=1),
)


def by_class_rows(run: Run) -> list[Row]:
    """Return a row for each class of one run: for a single run, or for a narrow terminal."""
    scores = run.scores
    return [
        {"name": name, "support": support}
        | {score: interval_text(scores.by_class(score).get(name, Interval())) for score in CLASS_SCORES}
        for name, support in scores.support.items()
    ]


def _flat(name: str, interval: Interval) -> dict[str, float | None]:
    low, high = BOUNDS
    return {name: interval.value, f"{name}{low}": interval.low, f"{name}{high}": interval.high}


def _varying(runs: Sequence[Run]) -> list[Column]:
    """Return columns for the other axes in which these runs differ."""
    names = ("loss", "dataset", "protocol", "scale", "precision", "seed")
    return [Column(name, name) for name in names if len({getattr(run, name) for run in runs}) > 1]
