"""The summary of a data set before any run: its rows, classes and groups, and the sets that each protocol makes of it.

All values come from rows outside the test set; of the test set, only counts and duplicates are known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.assignments import split_assignments
from zoo.data.checks import flat_rows
from zoo.data.fingerprints import content_key
from zoo.data.folds import CROSS_VALIDATION, Fold
from zoo.data.lengths import within
from zoo.data.protocols import PROTOCOLS, Parts
from zoo.data.resampling import batch_weights, resample
from zoo.data.rows import Rows
from zoo.data.series import LabelledSeries
from zoo.errors import DataError, ResamplingError, UsageError
from zoo.factories import complete
from zoo.harness.datasets import Loaded, chosen_protocol, is_file, load_dataset, scaled, separated
from zoo.harness.request import DataRequest
from zoo.harness.seeds import axis_seeds
from zoo.specs import Resampler
from zoo.workspace import Workspace

CONSTANT = "dataset.constant"


@dataclass(frozen=True)
class SetSummary:
    """A training, validation or test set: its rows, its rows by class, and its rows by group if there are groups."""

    rows: int
    classes: Mapping[str, int]
    groups: Mapping[str, int] | None


@dataclass(frozen=True)
class ProtocolSummary:
    """The sets that a protocol makes, or the reason why the data set does not support it."""

    error: str = ""
    sets: Mapping[str, SetSummary] = field(default_factory=dict)
    shared_rows: Mapping[str, int] = field(default_factory=dict)
    shared_groups: Mapping[str, Sequence[Any]] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChannelSummary:
    """The valid samples of a channel, over all rows outside the test set."""

    minimum: float
    maximum: float
    mean: float
    std: float


@dataclass(frozen=True)
class Example:
    """A series of a class: its position in the data set, and the samples of its first channel."""

    row: int
    values: list[float]


@dataclass(frozen=True)
class DataSummary:
    """A data set, with counts of rows.

    protocol   the protocol whose test set is kept out of `channels` and `examples`
    scale      how a bench scales the rows, "" if the protocol is not possible; no value shown is scaled
    lengths    shortest, median and longest series, None if all have the same length
    groups     rows by group, None without groups; `group_noun` is the word for a group
    read       one line that reports how a file was read
    constant   rows whose samples are all equal in every channel
    examples   for each class the first series outside the test set
    content    a hash of everything but the name: equal for the same data in another file
    folds      of a cross-validation, the sets of each fold; None if none was asked for
    resampled  by resampler: the training rows by class after resampling, or the reason why it fails
    """

    name: str
    synthetic: bool
    rows: int
    n_channels: int
    n_times: int
    lengths: Mapping[str, float] | None
    classes: Mapping[str, int]
    group_noun: str
    groups: Mapping[str, int] | None
    constant: int
    notes: tuple[str, ...]
    protocol: str
    scale: str
    channels: tuple[ChannelSummary, ...]
    examples: Mapping[str, Example]
    protocols: Mapping[str, ProtocolSummary]
    resampled: Mapping[str, Mapping[str, int] | str] | None = None
    folds: tuple[ProtocolSummary, ...] | None = None
    read: str = ""
    content: str = ""


def summarise(
    workspace: Workspace,
    dataset: str,
    request: DataRequest,
    *,
    protocol: str = "",
    scale: str = "",
    seed: int = 0,
    resampled: bool = False,
    fold: Fold | None = None,
) -> DataSummary:
    """Return the summary of a data set or file; constant rows of a file are counted, unless the request decides.

    `protocol` is the one whose test set is kept out, by default that of a bench; `scale` is that of the resampled
    rows, by default that of a bench; `seed` draws the validation sets, with the share that `training.validation` sets;
    `fold` is one of a cross-validation whose folds are all shown.
    Raises DataError or UsageError if the data set cannot be loaded, UsageError if it does not support `protocol` or
    these folds, UnknownName for an unknown scale.
    """
    if is_file(workspace.registry, dataset) and CONSTANT not in request.assignments:
        request = replace(request, assignments={**request.assignments, CONSTANT: "keep"})
    loaded = load_dataset(workspace, dataset, request)
    series = loaded.series
    default = chosen_protocol(loaded, protocol, request)
    scale = scale or str(workspace.settings.default("defaults", "scale"))
    share = _validation_share(workspace, request)
    known, protocols = dict[str, Parts](), dict[str, ProtocolSummary]()
    for name in PROTOCOLS:
        try:
            parts = separated(loaded, name, seed, request, share)
        except (DataError, UsageError) as reason:
            protocols[name] = ProtocolSummary(error=str(reason))
            if protocol == name:
                raise
        else:
            protocols[name] = _protocol(parts, loaded)
            if name == default:
                known[name] = scaled(loaded, replace(parts, notes=()), scale)
    found = known.get(default)
    shown = _outside_test(series, found)
    return DataSummary(
        name=loaded.name,
        synthetic=loaded.synthetic,
        rows=len(series.labels),
        n_channels=series.n_channels,
        n_times=series.n_times,
        lengths=None if series.lengths is None else _lengths(series.lengths),
        classes=_counts(series.labels, series.classes),
        group_noun=series.group_noun,
        groups=_groups(series.groups),
        constant=int(flat_rows(np.asarray(series.values), series.lengths).sum()),
        notes=series.notes if found is None else (*series.notes, *found.notes),
        protocol=default,
        scale="" if found is None else found.scaling.scale,
        channels=tuple(_channels(series, shown)),
        examples=dict(_examples(series, shown)),
        protocols=protocols,
        resampled=_resampled(workspace, found, seed) if resampled else None,
        folds=None if fold is None else tuple(_folds(loaded, seed, request, share, fold)),
        read=series.read,
        content=content_key(series),
    )


def _folds(
    loaded: Loaded, seed: int, request: DataRequest, share: float | None, fold: Fold
) -> Iterator[ProtocolSummary]:
    for number in range(1, fold.of + 1):
        yield _protocol(separated(loaded, CROSS_VALIDATION, seed, request, share, replace(fold, number=number)), loaded)


def _validation_share(workspace: Workspace, request: DataRequest) -> float | None:
    """Return the share of validation rows, or None if nobody sets it."""
    flags = split_assignments(request.assignments)["training"]
    training = workspace.settings.training(flags, {})
    return training.validation if "validation" in workspace.settings.given_training(flags, {}) else None


def _protocol(parts: Parts, loaded: Loaded) -> ProtocolSummary:
    summary = parts.summary
    counted = {"train": parts.train.groups, "validation": parts.validation.groups, "test": _test_groups(parts)}
    sets = {
        name: SetSummary(
            summary.rows[name],
            dict(zip(summary.classes, summary.class_counts[name], strict=True)),
            _groups(groups),
        )
        for name, groups in counted.items()
    }
    shared = summary.shared_groups
    notes = tuple(note for note in parts.notes if note not in loaded.series.notes)
    return ProtocolSummary("", sets, summary.shared_rows, shared, notes)


def _test_groups(parts: Parts) -> npt.NDArray[Any] | None:
    """Return the groups of the test rows, which are only counted: nothing is trained here."""
    test = parts.for_run().test
    test.training_ended()
    return test.open().groups


def _outside_test(series: LabelledSeries, parts: Parts | None) -> npt.NDArray[np.int64]:
    """Return the sorted positions of the rows outside the test set; without a test set, of all rows."""
    if parts is None:
        return np.arange(len(series.labels))
    return np.sort(np.concatenate([parts.train.index, parts.validation.index]))


def _lengths(lengths: npt.NDArray[np.int64]) -> dict[str, float]:
    return {"shortest": int(lengths.min()), "median": float(np.median(lengths)), "longest": int(lengths.max())}


def _counts(labels: npt.NDArray[np.int64], classes: tuple[str, ...]) -> dict[str, int]:
    return dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))


def _groups(groups: npt.NDArray[Any] | None) -> dict[str, int] | None:
    if groups is None:
        return None
    names, counts = np.unique(groups, return_counts=True)
    return dict(zip(map(str, names), counts.tolist(), strict=True))


def _channels(series: LabelledSeries, shown: npt.NDArray[np.int64]) -> Iterator[ChannelSummary]:
    inside = None if series.lengths is None else within(series.lengths[shown], series.n_times)[:, 0]
    for channel in range(series.n_channels):
        rows = np.asarray(series.values)[shown, channel]
        samples = rows if inside is None else rows[inside]
        mean, std = samples.mean(dtype=np.float64), samples.std(dtype=np.float64)
        yield ChannelSummary(float(samples.min()), float(samples.max()), float(mean), float(std))


def _examples(series: LabelledSeries, shown: npt.NDArray[np.int64]) -> Iterator[tuple[str, Example]]:
    for number, name in enumerate(series.classes):
        rows = shown[series.labels[shown] == number]
        if len(rows):
            row = int(rows[0])
            length = series.n_times if series.lengths is None else int(series.lengths[row])
            yield name, Example(row, np.asarray(series.values)[row, 0, :length].tolist())


def _resampled(workspace: Workspace, parts: Parts | None, seed: int) -> dict[str, Mapping[str, int] | str]:
    """Apply each resampler with its defaults to the training set."""
    if parts is None:
        return {}
    found: dict[str, Mapping[str, int] | str] = {}
    for entry in workspace.registry.of_kind("resampler"):
        assert isinstance(entry.spec, Resampler)
        try:
            found[entry.name] = _after(entry.spec, parts, axis_seeds(seed)["resampling"])
        except ResamplingError as reason:
            found[entry.name] = str(reason)
    return found


def _after(spec: Resampler, parts: Parts, seed: int) -> dict[str, int]:
    """Return the rows by class that one epoch of training sees; expected ones if rows are drawn by weight."""
    params = complete(spec, {})
    rows: Rows = resample(spec, params, parts.train, parts.classes, seed)
    weights = batch_weights(spec, params, parts.train.labels, parts.classes, seed)
    if weights is not None:
        weights = weights * (len(rows) / weights.sum())
    counts = np.rint(np.bincount(rows.labels, weights, minlength=len(parts.classes))).astype(int)
    return dict(zip(parts.classes, counts.tolist(), strict=True))
