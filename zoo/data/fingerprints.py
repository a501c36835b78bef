"""Hashes of rows, which show whether two runs used the same data."""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from zoo.data.rows import Rows
from zoo.data.series import Ints, LabelledSeries
from zoo.data.unread import Values, pieces


def content_key(series: LabelledSeries) -> str:
    """Return a hash of everything that a data set is, apart from its name: equal for the same rows in any file.

    It covers values, labels, classes, groups, lengths and the declared splits.
    """
    digest = hashlib.sha256()
    for _, values in pieces(series.values):
        digest.update(np.ascontiguousarray(values).data)
    digest.update(repr(series.values.shape).encode())
    for numbers in (series.labels, series.lengths):
        digest.update(b"none" if numbers is None else np.ascontiguousarray(numbers).data)
    groups = None if series.groups is None else series.groups.tolist()
    splits = [
        (name, hashlib.sha256(split.parts.data).hexdigest(), split.classes, split.by_group, split.keep_in_train)
        for name, split in sorted(series.splits.items())
    ]
    digest.update(repr((series.classes, groups, splits, sorted(series.refusals))).encode())
    return digest.hexdigest()[:16]


def pool_fingerprint(
    series: LabelledSeries,
    labels: Ints,
    rows: npt.NDArray[np.bool_],
    hashes: npt.NDArray[np.uint64] | None = None,
) -> str:
    """Return a hash of all rows outside the test set, independent of their order and so of the seed.

    hashes  those of all rows of the series, by `row_hashes`; None: they are computed
    """
    hashes = row_hashes(series.values) if hashes is None else hashes
    index = np.flatnonzero(rows)
    mixed = hashes[index] * np.uint64(2) + labels[index].astype(np.uint64)
    if series.lengths is not None:
        mixed = mixed * np.uint64(3) + series.lengths[index].astype(np.uint64)
    return hashlib.sha256(np.sort(mixed).tobytes()).hexdigest()[:16]


def groups_fingerprint(taken: Mapping[int, Rows]) -> str:
    """Return a hash of the group of each row, for a split by group."""
    text = "|".join(",".join(map(str, np.asarray(rows.groups).tolist())) for rows in taken.values())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def row_hashes(values: Values) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each row's bits: multilinear, with fixed odd weights, modulo 2^64."""
    width = values.shape[1] * values.shape[2]
    weights = np.random.default_rng(0).integers(0, 2**63, size=width, dtype=np.uint64) * 2 + 1
    hashes = np.empty(len(values), dtype=np.uint64)
    for part, some in pieces(values):
        words = np.ascontiguousarray(some).reshape(len(some), -1).view(np.uint32)
        hashes[part] = (words.astype(np.uint64) * weights).sum(1, dtype=np.uint64)
    return hashes


def fingerprint(rows: Rows) -> str:
    """Return a short sha256 of the values, labels and lengths of a set of rows, in their order."""
    digest = hashlib.sha256()
    for _, values in pieces(rows.values):
        digest.update(np.ascontiguousarray(values).data)
    for array in (rows.labels, rows.lengths):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
