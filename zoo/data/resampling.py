"""The harness around resamplers: what they get, and what is checked before and after.

They see the training part only, flattened to `(rows, channels * times)`; the shape is restored after.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from zoo.data.protocols import balanced
from zoo.data.sealed import Rows
from zoo.data.series import Ints
from zoo.errors import ResamplingError, guarded
from zoo.factories import load_factory
from zoo.space import Value
from zoo.specs import Resampler


def resample(spec: Resampler, params: Mapping[str, Value], rows: Rows, classes: tuple[str, ...], seed: int) -> Rows:
    """The training rows as the resampler leaves them: every class present, counts as asked, all finite.

    Raises ResamplingError, in one line that names the class, where that cannot be or is not so.
    """
    with guarded(ResamplingError, f"{spec.name} cannot be made"):
        sampler = load_factory(spec.factory)(random_state=seed, **params)
    if sampler is None or hasattr(sampler, "row_weights"):
        return rows
    if spec.interpolates and rows.lengths is not None and len(np.unique(rows.lengths)) > 1:
        raise ResamplingError(
            f"{spec.name} makes rows between rows, which unequal lengths do not allow: use oversampled or undersampled"
        )
    counts = np.bincount(rows.labels, minlength=len(classes))
    _check_neighbours(spec, sampler, counts, classes)
    flat = rows.values.reshape(len(rows), -1)
    with guarded(ResamplingError, f"{spec.name} failed"):
        values, labels = sampler.fit_resample(flat, rows.labels)
    _check_outcome(spec, sampler, counts, values, labels, classes)
    lengths = _lengths(spec, sampler, rows, len(labels))
    return balanced(rows, values.reshape(-1, *rows.values.shape[1:]), labels.astype(np.int64), lengths)


def batch_weights(
    spec: Resampler, params: Mapping[str, Value], labels: Ints, classes: tuple[str, ...], seed: int
) -> npt.NDArray[np.float64] | None:
    """How likely each row is to be drawn for a batch, `(rows,)`; None where the resampler draws no batches.

    Raises ResamplingError, in one line, for weights that cannot be drawn by.
    """
    with guarded(ResamplingError, f"{spec.name} cannot be made"):
        sampler = load_factory(spec.factory)(random_state=seed, **params)
    if not hasattr(sampler, "row_weights"):
        return None
    with guarded(ResamplingError, f"{spec.name} failed"):
        weights = np.asarray(sampler.row_weights(labels), dtype=np.float64)
    if weights.shape != labels.shape:
        raise ResamplingError(f"{spec.name} gave weights of shape {weights.shape} for {len(labels)} rows")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ResamplingError(f"{spec.name} gave weights that are negative, NaN or infinite")
    mass = np.bincount(labels, weights=weights, minlength=len(classes))
    for number, name in enumerate(classes):
        if mass[number] == 0 and (labels == number).any():
            raise ResamplingError(f"{spec.name} would draw no row of class {name!r}")
    return weights


def _check_neighbours(spec: Resampler, sampler: Any, counts: np.ndarray, classes: tuple[str, ...]) -> None:
    """imbalanced-learn's own message for this names no class."""
    neighbours = getattr(sampler, "k_neighbors", None)
    if not isinstance(neighbours, int):
        return
    for name, count in zip(classes, counts, strict=True):
        if 0 < count <= neighbours and count < counts.max():
            raise ResamplingError(
                f"{spec.name} needs more than k_neighbors={neighbours} rows of each class to train on, and class "
                f"{name!r} has {count}: use --set data.k_neighbors={max(1, count - 1)} or --data oversampled"
                if count > 1
                else f"{spec.name} needs two rows or more of each class to train on, and class {name!r} has {count} "
                f"(k_neighbors={neighbours}): use more --rows or --data oversampled"
            )


def _check_outcome(
    spec: Resampler,
    sampler: Any,
    before: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
) -> None:
    after = np.bincount(labels, minlength=len(classes))
    if not np.isfinite(values).all():
        raise ResamplingError(f"{spec.name} made rows with NaN or infinite samples")
    asked = _asked(sampler, before)
    for number, name in enumerate(classes):
        if before[number] and not after[number]:
            raise ResamplingError(f"{spec.name} left no row of class {name!r} to train on")
        wanted = asked.get(number, int(before[number]))
        if after[number] != wanted:
            raise ResamplingError(f"{spec.name} was to give class {name!r} {wanted} rows and gave {after[number]}")


def _asked(sampler: Any, before: np.ndarray) -> dict[int, int]:
    """Rows each class was to have: imbalanced-learn says how many to make, or how many to keep."""
    strategy = cast(Mapping[int, int], getattr(sampler, "sampling_strategy_", {}))
    makes = getattr(sampler, "_sampling_type", "") == "over-sampling"
    return {label: int(before[label] + count if makes else count) for label, count in strategy.items()}


def _lengths(spec: Resampler, sampler: Any, rows: Rows, size: int) -> Ints | None:
    if rows.lengths is None:
        return None
    index = getattr(sampler, "sample_indices_", None)
    if index is not None:
        return cast(Ints, rows.lengths[index])
    if len(np.unique(rows.lengths)) > 1:
        raise ResamplingError(f"{spec.name} does not say which rows it took, which unequal lengths need")
    return np.full(size, rows.lengths[0], dtype=np.int64)
