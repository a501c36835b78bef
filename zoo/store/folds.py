"""Cross-validations: the stored runs of their folds, each set pooled to one result and scored as one test set."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from zoo.errors import StoreError
from zoo.records import SplitSummary
from zoo.store.predictions import Remembered, predictions_of
from zoo.store.run import PooledRun, Run, RunStatus
from zoo.store.runs import Store
from zoo.wording import count_text


@dataclass(frozen=True)
class PooledRuns:
    """Runs with those of complete cross-validations pooled, and a line for each set that is not complete.

    A fold that is missing has failed, is still running, or was never asked for: its set has no result.
    """

    runs: tuple[Run, ...]
    incomplete: tuple[str, ...] = ()


def with_folds_pooled(
    store: Store | Remembered, runs: Iterable[Run], keep: Callable[[Run], bool] | None = None
) -> PooledRuns:
    """Return the runs, with one `PooledRun` in place of all folds of each configuration and seed.

    A run without folds stays unchanged. One that ended without a score counts for the pooled test set. With `keep`,
    there are lines only for the incomplete sets of runs that it accepts.
    """
    kept, sets = [], defaultdict[tuple[object, ...], dict[int, Run]](dict)
    for run in runs:
        whole = run.parts.fingerprints.get("folds") if run.folds else None
        if whole is None or run.status != RunStatus.DONE:
            kept.append(run if whole is None else replace(run, parts=_of_whole(run.parts, whole)))
            continue
        same = run.configuration, run.precision, run.seed, run.folds, whole
        sets[same][run.fold] = run  # a repeated run (--force) replaces the earlier one
    lines = []
    for folds in sets.values():
        some, line = next(iter(folds.values())), ""
        if len(folds) < some.folds:
            line = f"{_label(some)}: {len(folds)} of {count_text(some.folds, 'fold')}, no pooled result"
        else:
            try:
                kept.append(_pooled(store, [folds[number] for number in sorted(folds)]))
            except StoreError as problem:
                line = f"{_label(some)}: no pooled result: {problem}"
        if line and (keep is None or any(map(keep, folds.values()))):
            lines.append(line)
    return PooledRuns(tuple(kept), tuple(lines))


def _label(run: Run) -> str:
    words = (run.reference, run.block, run.data, run.loss, f"seed={run.seed}")
    return f"{' '.join(filter(None, words))} on {run.dataset_label}, {run.protocol}"


def _pooled(store: Store | Remembered, folds: Sequence[Run]) -> PooledRun:
    """Return all folds as one run, with the scores of their predictions together. Raises StoreError."""
    first = folds[0]
    values = {name: value for name, value in vars(first).items() if name not in ("fold", "served", "differs")}
    found = PooledRun(**{**values, "id": f"{first.id}…{folds[-1].id}"}, members=tuple(run.id for run in folds))
    return replace(
        found,
        parts=_whole(first.parts, [run.parts for run in folds]),
        scores=predictions_of(store, found).scores(first.parts.groups_by),
        cost=replace(
            first.cost,
            train_seconds=_mean([run.cost.train_seconds for run in folds]),
            peak_memory_mib=_mean([run.cost.peak_memory_mib for run in folds]),
            latency_ms=_mean([run.cost.latency_ms for run in folds]),
            rows_per_second=_mean([run.cost.rows_per_second for run in folds]),
        ),
        epochs=round(mean(run.epochs for run in folds)),
        best_epoch=0,
        train_macro_recall=_mean([run.train_macro_recall for run in folds]),
        steps=None if any(run.steps is None for run in folds) else round(mean(run.steps or 0 for run in folds)),
        loss_gradients=tuple(value for run in folds for value in run.loss_gradients),
        notes=tuple(dict.fromkeys(note for run in folds for note in run.notes)),
        config={name: value for name, value in first.config.items() if name != "fold"},
        created=max(run.created for run in folds),
        finished=max(run.finished for run in folds),
        served=all(run.served for run in folds),
    )


def _whole(first: SplitSummary, folds: Sequence[SplitSummary]) -> SplitSummary:
    """Return the summary of the pooled test set; every row is in it, and is outside it for other folds."""
    counts = [sum(numbers) for numbers in zip(*(each.class_counts.get("test", ()) for each in folds), strict=False)]
    whole = first.fingerprints["folds"]
    return replace(
        first,
        rows={"test": sum(each.rows.get("test", 0) for each in folds)},
        class_counts={"test": counts},
        fingerprints={"test": whole, "pool": whole},
        shared_rows={},
        shared_groups=None,
    )


def _of_whole(parts: SplitSummary, whole: str) -> SplitSummary:
    """Return the summary of a fold with the fingerprints of the pooled test set."""
    return replace(parts, fingerprints={"test": whole, "pool": whole})


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None
