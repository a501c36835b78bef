"""The harness around resamplers: what they get, and what is checked before and after.

They see the training set only, flattened to `(rows, channels * times)`; the shape is restored after. Those that draw
batches leave the rows alone and say how likely each is to be drawn.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.rows import Rows, balanced
from zoo.data.series import Ints
from zoo.errors import ResamplingError, ZooError, describe, guarded
from zoo.factories import load_factory
from zoo.space import Value
from zoo.specs import Resampler

# Largest class over smallest, up to which classes count as balanced: what misses its counts may move them away from
# balance so far, since those that were equal cannot come nearer to it.
BALANCED = 2.0
# What ADASYN raises where classes are too far apart for it, by a part of its message, and what that means.
APART = {
    "belong to the majority": "no row of it has a neighbour of another class",
    "No samples will be generated": "the few it lacks, shared among its rows near other classes, round to none",
}


def refusal(spec: Resampler, rows: Rows) -> str:
    """Why a resampler cannot take such rows, which can be said before it is tried; "" where nothing is known of it."""
    if spec.interpolates and rows.lengths is not None and len(np.unique(rows.lengths)) > 1:
        return (
            f"{spec.name} makes rows between rows, which unequal lengths do not allow: use oversampled or undersampled"
        )
    return ""


def resample(spec: Resampler, params: Mapping[str, Value], rows: Rows, classes: tuple[str, ...], seed: int) -> Rows:
    """The training rows as the resampler leaves them: every class present, counts as asked, all finite.

    Where the spec says that counts are not exact, the classes are nearer to balance than before instead, or within
    BALANCED. Raises ResamplingError, in one line that names the class, where that cannot be or is not so.
    """
    sampler = _make(spec, params, seed)
    if sampler is None or _draws_batches(sampler):
        return rows
    if reason := refusal(spec, rows):
        raise ResamplingError(reason)
    counts = np.bincount(rows.labels, minlength=len(classes))
    _check_neighbours(spec, sampler, counts, classes)
    values, labels = _fit(spec, sampler, rows.values.reshape(len(rows), -1), rows.labels, classes)
    _check_outcome(spec, sampler, counts, values, labels, classes)
    lengths = _lengths(spec, sampler, rows, len(labels))
    return balanced(rows, values.reshape(-1, *rows.values.shape[1:]), labels, lengths)


def batch_weights(
    spec: Resampler, params: Mapping[str, Value], labels: Ints, classes: tuple[str, ...], seed: int
) -> npt.NDArray[np.float64] | None:
    """How likely each training row is to be drawn for a batch, the likeliest 1; None where every row comes in turn.

    Weights `(rows,)` are in 0 to 1, and above 0 for some row of each class present. Raises ResamplingError, in one
    line, for a resampler whose weights are negative, NaN or infinite, or leave a class out.
    """
    sampler = _make(spec, params, seed)
    if not _draws_batches(sampler):
        return None
    with guarded(ResamplingError, f"{spec.name} failed"):
        weights = np.asarray(sampler.row_weights(labels), dtype=np.float64)
    if weights.shape != labels.shape:
        raise ResamplingError(f"{spec.name} gave weights of shape {weights.shape} for {len(labels)} rows")
    if not (weights >= 0).all() or not np.isfinite(weights).all():
        raise ResamplingError(f"{spec.name} gave rows weights that are negative, NaN or infinite")
    rows = np.bincount(labels, minlength=len(classes))
    drawn = np.bincount(labels, weights=weights > 0, minlength=len(classes))
    for name, there, likely in zip(classes, rows, drawn, strict=True):
        if there and not likely:
            raise ResamplingError(f"{spec.name} would never draw a row of class {name!r}")
    return np.asarray(weights / weights.max())


def _make(spec: Resampler, params: Mapping[str, Value], seed: int) -> Any:
    with guarded(ResamplingError, f"{spec.name} cannot be made"):
        return load_factory(spec.factory)(random_state=seed, **params)


def _draws_batches(sampler: Any) -> bool:
    return hasattr(sampler, "row_weights")


def _check_neighbours(spec: Resampler, sampler: Any, counts: Ints, classes: tuple[str, ...]) -> None:
    """imbalanced-learn's own message for this names no class."""
    if not _makes_rows(sampler):
        return
    inner = getattr(sampler, "smote", None) or sampler
    of_class = ["k_neighbors", "n_neighbors"]
    of_any = ["m_neighbors"]
    if getattr(inner, "kind", "") == "borderline-2":
        of_class, of_any = [], [*of_any, *of_class]
    for parameter in (*of_class, *of_any):
        if isinstance(neighbours := getattr(inner, parameter, None), int) and neighbours < 1:
            raise ResamplingError(f"{spec.name}'s {parameter} is at least 1, not {neighbours}")
    for parameter in of_class:
        if isinstance(neighbours := getattr(inner, parameter, None), int):
            _check_classes(spec, parameter, neighbours, counts, classes)
    for parameter in of_any:
        if isinstance(neighbours := getattr(inner, parameter, None), int) and neighbours >= (size := int(counts.sum())):
            raise ResamplingError(
                f"{spec.name} needs more than {parameter}={neighbours} rows to train on, and there are {size}: "
                f"use --set data.{parameter}={size - 1} or --data oversampled"
            )


def _check_classes(spec: Resampler, parameter: str, neighbours: int, counts: Ints, classes: tuple[str, ...]) -> None:
    smallest_first = sorted(zip(classes, counts, strict=True), key=lambda each: int(each[1]))
    for name, count in smallest_first:  # so that the way out serves all classes
        if 0 < count <= neighbours and count < counts.max():
            raise ResamplingError(
                f"{spec.name} needs more than {parameter}={neighbours} rows of each class to train on, and class "
                f"{name!r} has {count}: use --set data.{parameter}={max(1, count - 1)} or --data oversampled"
                if count > 1
                else f"{spec.name} needs two rows or more of each class to train on, and class {name!r} has {count} "
                f"({parameter}={neighbours}): use more --rows or --data oversampled"
            )


def _fit(
    spec: Resampler, sampler: Any, values: npt.NDArray[np.float32], labels: Ints, classes: tuple[str, ...]
) -> tuple[npt.NDArray[np.float32], Ints]:
    try:
        made, made_labels = sampler.fit_resample(values, labels)
        return np.asarray(made, dtype=np.float32), np.asarray(made_labels, dtype=np.int64)
    except ZooError:
        raise
    except (Exception, SystemExit) as error:
        meaning = next((meaning for part, meaning in APART.items() if part in str(error)), "")
        label = _failing_class(sampler, values, labels) if meaning else None
        if label is None:
            raise ResamplingError(f"{spec.name} failed: {describe(error)}") from error
        raise ResamplingError(
            f"{spec.name} can make no row of class {classes[label]!r}: {meaning}: use --data smote"
        ) from error


def _failing_class(sampler: Any, values: npt.NDArray[np.float32], labels: Ints) -> int | None:
    """The class a resampler of imbalanced-learn fails on, which its message does not name: each is tried alone."""
    from sklearn.base import clone

    for label, count in _asked(sampler, np.bincount(labels)).items():
        try:
            clone(sampler).set_params(sampling_strategy={label: count}).fit_resample(values, labels)
        except Exception:
            return label
    return None


def _check_outcome(
    spec: Resampler,
    sampler: Any,
    before: Ints,
    values: npt.NDArray[np.float32],
    labels: Ints,
    classes: tuple[str, ...],
) -> None:
    after = np.bincount(labels, minlength=len(classes))
    for number, name in enumerate(classes):
        if before[number] and not after[number]:
            raise ResamplingError(f"{spec.name} left no row of class {name!r} to train on: use --data oversampled")
    if not np.isfinite(values).all():
        raise ResamplingError(f"{spec.name} made rows with NaN or infinite samples")
    if spec.exact:
        _check_counts(spec, sampler, before, after, classes)
    else:
        _check_balance(spec, before, after, classes)


def _check_counts(spec: Resampler, sampler: Any, before: Ints, after: Ints, classes: tuple[str, ...]) -> None:
    asked = _asked(sampler, before)
    for number, name in enumerate(classes):
        wanted = asked.get(number, int(before[number]))
        if after[number] == wanted:
            continue
        if after[number] == before[number] and hasattr(sampler, "in_danger_indices"):
            raise ResamplingError(
                f"{spec.name} made none of the {wanted - before[number]} rows it was to make of class {name!r}: no row "
                "of it is on the border with other classes (half or more, not all, of its m_neighbors are of others): "
                "use --data smote"
            )
        raise ResamplingError(f"{spec.name} was to give class {name!r} {wanted} rows and gave {after[number]}")


def _check_balance(spec: Resampler, before: Ints, after: Ints, classes: tuple[str, ...]) -> None:
    was, now = _imbalance(before), _imbalance(after)
    if was > 1 and np.array_equal(before, after):
        smallest = int(np.argmin(np.where(before > 0, before, before.max())))
        raise ResamplingError(
            f"{spec.name} left the rows as they were, with {before[smallest]} of class {classes[smallest]!r} where the "
            f"largest has {before.max()}: use --data smote"
        )
    if now > max(was, BALANCED):
        smallest = int(np.argmin(np.where(after > 0, after, after.max())))
        raise ResamplingError(
            f"{spec.name} made the classes less equal, with {after[smallest]} rows of class {classes[smallest]!r} "
            f"where the largest has {after.max()}: use --data smote"
        )


def _imbalance(counts: Ints) -> float:
    """The largest class over the smallest that has rows."""
    return float(counts.max() / counts[counts > 0].min())


def _makes_rows(sampler: Any) -> bool:
    """Whether it adds rows; what says nothing of its kind, as imbalanced-learn's do, is taken to."""
    return getattr(sampler, "_sampling_type", "over-sampling") == "over-sampling"


def _asked(sampler: Any, before: Ints) -> dict[int, int]:
    """Rows each class was to have: imbalanced-learn says how many to make, or how many to keep."""
    strategy = getattr(sampler, "sampling_strategy_", None)
    if not isinstance(strategy, Mapping):
        return {}
    makes = getattr(sampler, "_sampling_type", "") == "over-sampling"
    return {int(label): int(before[label] + count if makes else count) for label, count in strategy.items()}


def _lengths(spec: Resampler, sampler: Any, rows: Rows, size: int) -> Ints | None:
    if rows.lengths is None:
        return None
    index = getattr(sampler, "sample_indices_", None)
    if index is not None:
        lengths: Ints = rows.lengths[index]
        return lengths
    if len(np.unique(rows.lengths)) > 1:
        raise ResamplingError(f"{spec.name} does not say which rows it took, which unequal lengths need")
    return np.full(size, rows.lengths[0], dtype=np.int64)
