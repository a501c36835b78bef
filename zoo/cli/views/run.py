"""One stored run: what was run, its learning curve, its scores and its classes."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from zoo.cli.views.sparkline import WIDEST, sparkline
from zoo.cli.views.table import Column, Row, count, number
from zoo.scores import CLASS_SCORES, MACRO_SCORES
from zoo.store.hints import MONITORED, training_setting
from zoo.store.histories import history
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.visible import visible

SCORES = (
    Column("score", "name"),
    Column("value", "value", number(4), numeric=True),
    Column("low", "low", number(4), numeric=True),
    Column("high", "high", number(4), numeric=True),
    Column("test rows", "support", count, numeric=True, optional=True),
    Column("groups", "groups", count, numeric=True, optional=True, drop=2),
    Column("effective", "effective_groups", number(1), numeric=True, optional=True, drop=1),
)
REASON = Column("why no interval", "reason")  # of a pipe: on a terminal, `reason_lines` has the reasons
CLASSES = (
    Column("class", "name"),
    Column("training rows", "train", count, numeric=True),
    Column("validation rows", "validation", count, numeric=True),
    Column("test rows", "test", count, numeric=True),
)


def heading(run: Run) -> list[str]:
    """Return the lines above the scores of a run."""
    cell = f"{run.reference} block={run.block or '-'} data={run.data} loss={run.loss or '-'} seed={run.seed}"
    parts = [f"{part} {count(rows)} rows" for part, rows in run.parts.rows.items()]
    where = ", ".join([run.dataset_label, run.protocol_text, f"scale {run.scale}", *parts])
    cost = ", ".join(f"{name} {_amount(value)}" for name, value in run.cost.items() if value is not None)
    plugins = ", ".join(f"{name} {version}" for name, version in run.plugins.items())
    trained = (
        f"{run.epochs} epochs of training in {run.precision}, {count(run.steps)} steps, kept epoch {run.best_epoch}"
        if run.steps
        else ""
    )
    recall = run.train_macro_recall
    seen = "" if recall is None else f"macro recall on the training rows, before resampling: {recall:.4f}"
    first = f"run {run.id}: {run.status}. {run.error}".rstrip()
    lines = [first, cell, where, trained, seen, cost, plugins and f"plugins: {plugins}"]
    return [line for line in lines if line]


def learning_curve(store: Store, run: Run, encoding: str) -> str:
    """Return the monitored score of each epoch as a line of signs, and the kept epoch; "" without several epochs.

    `encoding` is that of the stream that shows it.
    """
    monitor = str(training_setting(run, "monitor", "macro_recall"))
    members = history(store, run, monitor)
    values = [value for curve in members for value in curve if math.isfinite(value)]
    if len(values) < 2 or all(len(curve) < 2 for curve in members):
        return ""
    each = f" of each of {len(members)} networks" if len(members) > 1 else ""
    signs = "  ".join(sparkline(curve, WIDEST // len(members), encoding) for curve in members)
    score = f"validation {MONITORED.get(monitor, monitor)}"
    line = f"{score} by epoch{each}: {signs}  from {values[0]:.3f} to {values[-1]:.3f}, best {_best(monitor, values)}"
    return line + _kept(run, members)


def score_rows(run: Run) -> list[Row]:
    """Return the rows of `SCORES` and `REASON`: the macro scores, and the scores of each class."""
    if not run.scores:
        return []
    rows: list[Row] = [{"name": name, **run.scores.of_all(name)} for name in MACRO_SCORES]
    for name in CLASS_SCORES:
        for label, interval in run.scores.by_class(name).items():
            counts = {key: run.scores[key].get(label) for key in ("support", "groups", "effective_groups")}
            rows.append({"name": f"{name} {visible(label)}", **interval, **counts})
    return rows


def reason_lines(rows: Sequence[Row]) -> list[str]:
    """Return `no interval for NAMES: REASON` for each reason for which scores of `score_rows` have none."""
    names: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for reason in filter(None, row.get("reason", "").split("; ")):
            names[reason].append(row["name"])
    return [f"no interval for {', '.join(scores)}: {reason}" for reason, scores in names.items()]


def class_rows(run: Run) -> list[Row]:
    """Return the rows of `CLASSES`: the rows of each set by class."""
    counts = run.parts.class_counts
    return [
        {"name": name} | {part: numbers[place] for part, numbers in counts.items() if place < len(numbers)}
        for place, name in enumerate(run.parts.classes)
    ]


def confusion(run: Run) -> tuple[list[Column], list[Row]]:
    """Return the columns and rows of the confusion matrix: true classes in rows, predicted classes in columns."""
    names = run.parts.classes
    columns = [Column("true class", "name")]
    columns += [Column(name, f"predicted_{place}", count, numeric=True) for place, name in enumerate(names)]
    rows: list[Row] = [
        {"name": name} | {f"predicted_{place}": number for place, number in enumerate(numbers)}
        for name, numbers in zip(names, run.scores.confusion, strict=False)
    ]
    return columns, rows


def _best(monitor: str, values: list[float]) -> str:
    return f"{min(values) if monitor.endswith('loss') else max(values):.3f}"


def _kept(run: Run, members: list[list[float]]) -> str:
    """Return the score of the epoch whose weights were kept; "" for an ensemble, which has no single one."""
    if len(members) != 1 or not 0 < run.best_epoch <= len(members[0]):
        return ""
    return f", kept {members[0][run.best_epoch - 1]:.3f} (epoch {run.best_epoch})"


def _amount(value: float) -> str:
    return count(value) if isinstance(value, int) else f"{value:,.6g}"


def tables(run: Run) -> Iterator[tuple[str, list[Column], list[Row]]]:
    """Yield the title, the columns and the rows of the tables that only a terminal shows."""
    if any(run.parts.class_counts.values()):
        yield "rows by class", list(CLASSES), class_rows(run)
    if run.scores.confusion:
        yield "confusion matrix: true classes in rows, predicted classes in columns", *confusion(run)
