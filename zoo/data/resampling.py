"""The harness around resamplers: their input, and the checks before and after them.

Resamplers see only the training set, flattened to `(rows, channels * times)`; the shape is restored afterwards.
Resamplers that draw batches keep the rows and return the relative probability of each row.
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

# Classes count as balanced up to this ratio of the largest to the smallest class. A resampler without exact counts may
# move equal classes apart up to this ratio, since they cannot become more balanced.
BALANCED = 2.0
# Fragments of ADASYN's messages for classes that are too far apart, each with its meaning.
APART = {
    "belong to the majority": "none of its rows has a neighbour of another class",
    "No samples will be generated": "so few rows are missing that each row's share rounds to zero",
}


def refusal(spec: Resampler, rows: Rows) -> str:
    """Return why a resampler cannot take such rows, known before it runs; "" without a known reason."""
    if spec.interpolates and rows.lengths is not None and len(np.unique(rows.lengths)) > 1:
        return (
            f"{spec.name} interpolates between rows, which unequal lengths do not allow: "
            "use oversampled or undersampled"
        )
    return ""


def resample(spec: Resampler, params: Mapping[str, Value], rows: Rows, classes: tuple[str, ...], seed: int) -> Rows:
    """Return the resampled training rows: every class present, class counts as requested, all values finite.

    If the spec declares that counts are not exact, the classes must become more balanced than before, or reach
    BALANCED. Raises ResamplingError, in one line with the class, if that is impossible or was not reached.
    """
    sampler = _make(spec, params, seed)
    if sampler is None or _draws_batches(sampler):
        return rows
    if reason := refusal(spec, rows):
        raise ResamplingError(reason)
    counts = np.bincount(rows.labels, minlength=len(classes))
    _check_neighbours(spec, sampler, counts, classes, cut=rows.cut)
    values, labels = _fit(spec, sampler, np.asarray(rows.values).reshape(len(rows), -1), rows.labels, classes)
    _check_outcome(spec, sampler, counts, values, labels, classes)
    lengths = _lengths(spec, sampler, rows, len(labels))
    return balanced(rows, values.reshape(-1, *rows.values.shape[1:]), labels, lengths)


def changes_rows(spec: Resampler, params: Mapping[str, Value]) -> bool:
    """Return whether a resampler leaves rows out, repeats them or makes new ones, or draws them with weights."""
    try:
        return _make(spec, params, 0) is not None
    except ResamplingError:  # the run reports it
        return False


def batch_weights(
    spec: Resampler, params: Mapping[str, Value], labels: Ints, classes: tuple[str, ...], seed: int
) -> npt.NDArray[np.float64] | None:
    """Return each training row's relative probability to be drawn for a batch; None if the rows are used in turn.

    Weights `(rows,)` range from 0 to 1, the largest is 1, and every class present has a row above 0. Raises
    ResamplingError, in one line, if the weights are negative, NaN or infinite, or leave a class out.
    """
    sampler = _make(spec, params, seed)
    if not _draws_batches(sampler):
        return None
    with guarded(ResamplingError, f"{spec.name} failed"):
        weights = np.asarray(sampler.row_weights(labels), dtype=np.float64)
    if weights.shape != labels.shape:
        raise ResamplingError(f"{spec.name} returned weights of shape {weights.shape} for {len(labels)} rows")
    if not (weights >= 0).all() or not np.isfinite(weights).all():
        raise ResamplingError(f"{spec.name} returned weights that are negative, NaN or infinite")
    rows = np.bincount(labels, minlength=len(classes))
    drawn = np.bincount(labels, weights=weights > 0, minlength=len(classes))
    for name, there, likely in zip(classes, rows, drawn, strict=True):
        if there and not likely:
            raise ResamplingError(f"{spec.name} would never draw a row of class {name!r}")
    return np.asarray(weights / weights.max())


def _make(spec: Resampler, params: Mapping[str, Value], seed: int) -> Any:
    with guarded(ResamplingError, f"{spec.name} cannot be built"):
        return load_factory(spec.factory)(random_state=seed, **params)


def _draws_batches(sampler: Any) -> bool:
    return hasattr(sampler, "row_weights")


def _check_neighbours(spec: Resampler, sampler: Any, counts: Ints, classes: tuple[str, ...], *, cut: bool) -> None:
    """Raise ResamplingError if a class has too few rows; imbalanced-learn's own message names no class."""
    if not _makes_rows(sampler):
        return
    inner = getattr(sampler, "smote", None) or sampler
    of_class = ["k_neighbors", "n_neighbors"]
    of_any = ["m_neighbors"]
    if getattr(inner, "kind", "") == "borderline-2":
        of_class, of_any = [], [*of_any, *of_class]
    for parameter in (*of_class, *of_any):
        if isinstance(neighbours := getattr(inner, parameter, None), int) and neighbours < 1:
            raise ResamplingError(f"{spec.name}'s {parameter} must be at least 1, not {neighbours}")
    for parameter in of_class:
        if isinstance(neighbours := getattr(inner, parameter, None), int):
            _check_classes(spec, parameter, neighbours, counts, classes, cut=cut)
    for parameter in of_any:
        if isinstance(neighbours := getattr(inner, parameter, None), int) and neighbours >= (size := int(counts.sum())):
            raise ResamplingError(
                f"{spec.name} needs more than {parameter}={neighbours} training rows, and there are {size}: "
                f"use --set data.{parameter}={size - 1} or --data oversampled"
            )


def _check_classes(
    spec: Resampler, parameter: str, neighbours: int, counts: Ints, classes: tuple[str, ...], *, cut: bool
) -> None:
    smallest_first = sorted(zip(classes, counts, strict=True), key=lambda each: int(each[1]))
    for name, count in smallest_first:  # so that the suggested value suits all classes
        if 0 < count <= neighbours and count < counts.max():
            raise ResamplingError(
                f"{spec.name} needs more than {parameter}={neighbours} training rows of each class, and class "
                f"{name!r} has {count}: use --set data.{parameter}={max(1, count - 1)} or --data oversampled"
                if count > 1
                else f"{spec.name} needs at least two training rows of each class, and class {name!r} has {count} "
                f"({parameter}={neighbours}): use {'more --rows or ' if cut else ''}--data oversampled"
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
    """Return the class on which a resampler of imbalanced-learn fails: its message names none, so each is tried."""
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
            raise ResamplingError(f"{spec.name} removed all rows of class {name!r}: use --data oversampled")
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
                f"{spec.name} made none of the {wanted - before[number]} requested rows of class {name!r}: none of its "
                "rows is on the border with other classes (half or more, but not all, of the m_neighbors in other "
                "classes): use --data smote"
            )
        raise ResamplingError(f"{spec.name} returned {after[number]} instead of {wanted} rows of class {name!r}")


def _check_balance(spec: Resampler, before: Ints, after: Ints, classes: tuple[str, ...]) -> None:
    was, now = _imbalance(before), _imbalance(after)
    if was > 1 and np.array_equal(before, after):
        smallest = int(np.argmin(np.where(before > 0, before, before.max())))
        raise ResamplingError(
            f"{spec.name} changed no class (rows: {before[smallest]} of class {classes[smallest]!r}, {before.max()} of "
            "the largest class): use --data smote"
        )
    if now > max(was, BALANCED):
        smallest = int(np.argmin(np.where(after > 0, after, after.max())))
        raise ResamplingError(
            f"{spec.name} made the classes less balanced (rows: {after[smallest]} of class {classes[smallest]!r}, "
            f"{after.max()} of the largest class): use --data smote"
        )


def _imbalance(counts: Ints) -> float:
    """Return the ratio of the largest class to the smallest class that has rows."""
    return float(counts.max() / counts[counts > 0].min())


def _makes_rows(sampler: Any) -> bool:
    """Return whether a resampler adds rows; assumed unless it declares imbalanced-learn's `_sampling_type`."""
    return getattr(sampler, "_sampling_type", "over-sampling") == "over-sampling"


def _asked(sampler: Any, before: Ints) -> dict[int, int]:
    """Return the requested rows of each class. imbalanced-learn reports how many to make, or how many to keep."""
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
        raise ResamplingError(f"{spec.name} does not report which rows it took, which unequal lengths require")
    return np.full(size, rows.lengths[0], dtype=np.int64)
