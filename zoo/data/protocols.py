"""Protocols: the ways to split a data set into a training set, a validation set and a sealed test set.

- `official`: the published split of the data set
- `holdout`: a fifth of the rows is the test set, stratified by class
- `inter-patient`: a split by group (patient); the published one if the data set has one
- `inter-patient-strict`: the same, without the groups that the published split has in two sets

The test set depends only on the data set and the protocol, and is the same for every seed. The validation set is drawn
from the other rows with the run's seed, by class or by group like the test set. `rows` then reduces the training set,
stratified by class, and changes neither validation nor test set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.fingerprints import fingerprint, groups_fingerprint, pool_fingerprint, row_hashes
from zoo.data.rows import Rows
from zoo.data.scaling import Scaling
from zoo.data.sealed import SealedTest
from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, Ints, LabelledSeries
from zoo.errors import DataError, UsageError, unknown_name
from zoo.records import SplitSummary
from zoo.wording import count_text

PROTOCOLS = ("official", "holdout", "inter-patient", "inter-patient-strict")
HOLDOUT_SHARE = 0.2  # of all rows or groups, for the test set
VALIDATION_SHARE = 0.1  # of the training rows
VALIDATION_GROUPS_SHARE = 0.2  # of the training groups: a tenth of 22 patients would be two, too few to choose by
GROUP_DRAWS = 200
MIN_ROWS = 10  # of every class on both sides of a split by group, if any draw reaches it
FEW_GROUPS = 10  # with fewer, a percentile interval over groups is too narrow
TEST_SEED = 0  # the test set is the same for every run


@dataclass(frozen=True)
class Parts:
    """The data of one run: training rows, validation rows and the sealed test set.

    `summary` describes them before any scaling; the run stores it. `pool` holds the positions of all rows outside the
    test set, which depend neither on the seed nor on the size of the training set. `scaling` was applied to the
    training and validation rows; the sealed rows are not scaled, and the network that is scored scales them.
    """

    train: Rows
    validation: Rows
    test: SealedTest
    summary: SplitSummary
    notes: tuple[str, ...]
    pool: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    scaling: Scaling = field(default_factory=Scaling)

    @classmethod
    def without_test(cls, train: Rows, validation: Rows, summary: SplitSummary) -> "Parts":
        """Return the data for a worker process, with an empty test set."""
        nothing = Rows(train.values[:0], train.labels[:0], train.index[:0])
        return cls(train, validation, SealedTest(nothing), summary, ())

    @property
    def classes(self) -> tuple[str, ...]:
        """The scored classes, in the order of their labels."""
        return tuple(self.summary.classes)

    def scaled(self, scale: str) -> "Parts":
        """Return the data scaled with the statistics of these training rows. Raises UnknownName for a wrong scale."""
        scaling = Scaling.learnt(scale, self.train)
        train, validation = scaling.applied(self.train), scaling.applied(self.validation)
        return replace(self, train=train, validation=validation, scaling=scaling)

    def for_run(self) -> "Parts":
        """Return the same data with a new seal: each run opens the test set once."""
        return replace(self, test=self.test.another())


def default_protocol(series: LabelledSeries) -> str:
    """Return `official` if the data set has a published split, else `holdout`."""
    return "official" if "official" in series.splits else "holdout"


def separate(
    series: LabelledSeries, protocol: str, *, seed: int, rows: int | None = None, sized: bool = False
) -> Parts:
    """Split a data set. `seed` draws the validation set; `rows` is the size of the training set, None for all rows.

    With `sized`, the data set was generated for this number of rows, and fewer rows are no error. Raises DataError if
    the data set does not support the protocol, or if the training set lacks a class.
    """
    declared = declared_split(series, protocol)
    parts, classes, labels = _score_only(series, declared)
    if not (parts == TRAIN).any():
        raise DataError("the training set has no rows")
    rng = np.random.default_rng(seed)
    if not (parts == VALIDATION).any():
        parts = _with_validation(series, declared, parts, labels, rng)
    outside_test = (parts == TRAIN) | (parts == VALIDATION)
    pool = pool_fingerprint(series, labels, outside_test)
    if rows is not None:
        parts = _cut_training(parts, labels, rows, rng, at_most=sized)
    _check_classes(parts, labels, classes)
    taken = {part: _take(series, labels, np.flatnonzero(parts == part)) for part in (TRAIN, VALIDATION, TEST)}
    summary, notes = _describe(protocol, declared, taken, series, classes, pool)
    test, notes = SealedTest(taken[TEST]), (*series.notes, *notes)
    return Parts(taken[TRAIN], taken[VALIDATION], test, summary, notes, np.flatnonzero(outside_test))


def declared_split(series: LabelledSeries, protocol: str) -> DeclaredSplit:
    """Return the split that the data set declares for a protocol, or the one that the harness draws."""
    if protocol not in PROTOCOLS:
        raise unknown_name("protocol", protocol, PROTOCOLS)
    if protocol in series.splits:
        return series.splits[protocol]
    if protocol in series.refusals:
        raise DataError(series.refusals[protocol])
    rng = np.random.default_rng(TEST_SEED)
    if protocol == "holdout":
        _refuse_small_classes(series)
        present = len(np.unique(series.labels))
        test = stratified(series.labels, max(round(HOLDOUT_SHARE * len(series.labels)), present), rng)
        return DeclaredSplit(_mark(series, test))
    if protocol == "official":
        raise DataError("this data set has no published split: use --protocol holdout")
    if series.groups is None:
        raise DataError(f"--protocol {protocol} needs the group of each row: name the column with --group")
    eligible = np.arange(len(series.labels))
    test = _draw_groups(series.labels, series.groups, eligible, HOLDOUT_SHARE, (), rng)
    note = f"the test set has a fifth of the {_plural(series.group_noun)}, drawn once"
    return DeclaredSplit(_mark(series, test), by_group=True, notes=(note,))


def stratified(labels: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Return the sorted positions of `size` drawn rows, each class with its share and at least one row.

    Rows that rounding leaves over go to the classes that lost most by rounding.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if size < len(classes):
        raise UsageError(f"{size} rows cannot hold all {len(classes)} classes")
    quota = counts * (min(size, len(labels)) / len(labels))
    take = np.maximum(np.floor(quota), 1).astype(np.int64)
    while take.sum() != min(size, len(labels)):
        short = take.sum() < size
        debt = np.where((take < counts) if short else (take > 1), (quota - take) * (1 if short else -1), -np.inf)
        take[np.argmax(debt)] += 1 if short else -1
    chosen = [
        rng.permutation(np.flatnonzero(labels == label))[:count] for label, count in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _refuse_small_classes(series: LabelledSeries) -> None:
    counts = np.bincount(series.labels, minlength=len(series.classes))
    for name, count in zip(series.classes, counts, strict=True):
        if 0 < count < 3:
            raise DataError(
                f"class {name!r} has {count_text(count, 'row')}, but the training, validation and test set need one "
                "each: add rows or drop the class"
            )


def _mark(series: LabelledSeries, test: Ints) -> npt.NDArray[np.int8]:
    parts = np.full(len(series.labels), TRAIN, dtype=np.int8)
    parts[test] = TEST
    return parts


def _score_only(series: LabelledSeries, declared: DeclaredSplit) -> tuple[npt.NDArray[np.int8], tuple[str, ...], Ints]:
    """Return parts, classes and labels, with rows of unscored classes left out and labels renumbered."""
    classes = declared.classes or series.classes
    numbers = np.full(len(series.classes), -1, dtype=np.int64)
    for number, name in enumerate(classes):
        numbers[series.classes.index(name)] = number
    labels = numbers[series.labels]
    return np.where(labels < 0, LEFT_OUT, declared.parts).astype(np.int8), classes, labels


def _with_validation(
    series: LabelledSeries,
    declared: DeclaredSplit,
    parts: npt.NDArray[np.int8],
    labels: Ints,
    rng: np.random.Generator,
) -> npt.NDArray[np.int8]:
    train = np.flatnonzero(parts == TRAIN)
    if declared.by_group and series.groups is not None:
        share, pinned = VALIDATION_GROUPS_SHARE, declared.keep_in_train
        chosen = _draw_groups(labels, series.groups, train, share, pinned, rng)
    else:
        counts = np.unique(labels[train], return_counts=True)[1]
        if (counts < 2).any():
            _refuse_lone_rows(labels[train], declared.classes or series.classes)
        chosen = train[stratified(labels[train], max(round(VALIDATION_SHARE * len(train)), len(counts)), rng)]
    divided = parts.copy()
    divided[chosen] = VALIDATION
    return divided


def _refuse_lone_rows(labels: Ints, classes: tuple[str, ...]) -> None:
    names = [name for number, name in enumerate(classes) if (labels == number).sum() == 1]
    raise DataError(
        f"class {names[0]!r} has one row, but the training and validation set need one each: add rows or drop the class"
    )


def _draw_groups(
    labels: Ints,
    groups: npt.NDArray[Any],
    eligible: Ints,
    share: float,
    pinned: tuple[Any, ...],
    rng: np.random.Generator,
) -> Ints:
    """Draw groups GROUP_DRAWS times, and return the rows whose class shares are closest to those of all eligible rows.

    Draws that leave MIN_ROWS rows of every class on both sides are preferred.
    """
    names, owner = np.unique(groups[eligible], return_inverse=True)
    free = np.flatnonzero(~np.isin(names, pinned))
    if len(names) < 2 or len(free) < 1:
        raise DataError(f"a split by group needs at least two groups, not {len(names)}")
    table = np.zeros((len(names), int(labels[eligible].max()) + 1))
    np.add.at(table, (owner, labels[eligible]), 1)
    present = table.sum(0) > 0
    wanted = table.sum(0) / table.sum()
    size = min(max(1, round(share * len(names))), len(names) - 1, len(free))
    best: tuple[float, float, npt.NDArray[np.intp]] | None = None
    for _ in range(GROUP_DRAWS):
        drawn = rng.permutation(free)[:size]
        inside = table[drawn].sum(0)
        fewest = min(inside[present].min(), (table.sum(0) - inside)[present].min(), MIN_ROWS)
        distance = float(np.abs(inside / inside.sum() - wanted).sum())
        if best is None or (-fewest, distance) < best[:2]:
            best = (-fewest, distance, drawn)
    assert best is not None
    if best[0] == 0:
        raise DataError("no split by group found with every class on both sides: too few groups have the rare classes")
    return eligible[np.isin(owner, best[2])]


def _cut_training(
    parts: npt.NDArray[np.int8], labels: Ints, rows: int, rng: np.random.Generator, *, at_most: bool
) -> npt.NDArray[np.int8]:
    train = np.flatnonzero(parts == TRAIN)
    if at_most and rows >= len(train):
        return parts
    if rows > len(train):
        raise UsageError(f"--rows {rows}: the training set has only {len(train)} rows")
    cut = parts.copy()
    cut[train] = LEFT_OUT
    cut[train[stratified(labels[train], rows, rng)]] = TRAIN
    return cut


def _check_classes(parts: npt.NDArray[np.int8], labels: Ints, classes: tuple[str, ...]) -> None:
    counts = {part: np.bincount(labels[parts == part], minlength=len(classes)) for part in (TRAIN, VALIDATION, TEST)}
    for number, name in enumerate(classes):
        if counts[TRAIN][number] == 0 and counts[TEST][number] + counts[VALIDATION][number] > 0:
            raise DataError(f"class {name!r} has rows in the validation or test set but none in the training set")
    for part, name in ((VALIDATION, "validation"), (TEST, "test")):
        if counts[part].sum() == 0:
            raise DataError(f"the {name} set has no rows")
    if (counts[TRAIN] > 0).sum() < 2:
        raise DataError("the training set has rows of one class only")


def _take(series: LabelledSeries, labels: Ints, index: Ints) -> Rows:
    return Rows(
        series.values[index],
        labels[index],
        index,
        None if series.groups is None else series.groups[index],
        None if series.lengths is None else series.lengths[index],
    )


def _describe(
    protocol: str,
    declared: DeclaredSplit,
    taken: Mapping[int, Rows],
    series: LabelledSeries,
    classes: tuple[str, ...],
    pool: str,
) -> tuple[SplitSummary, tuple[str, ...]]:
    names = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}
    hashes = {part: row_hashes(rows.values) for part, rows in taken.items()}
    pairs = ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST))
    fingerprints = {names[part]: fingerprint(rows) for part, rows in taken.items()} | {"pool": pool}
    if declared.by_group and series.groups is not None:
        fingerprints["groups"] = groups_fingerprint(taken)
    summary = SplitSummary(
        protocol=protocol,
        by_group=declared.by_group,
        classes=list(classes),
        shape={"n_channels": series.n_channels, "n_times": series.n_times, "n_classes": len(classes)},
        rows={names[part]: len(rows) for part, rows in taken.items()},
        class_counts={
            names[part]: np.bincount(rows.labels, minlength=len(classes)).tolist() for part, rows in taken.items()
        },
        fingerprints=fingerprints,
        shared_rows={
            f"{names[one]}/{names[other]}": int(np.isin(hashes[other], hashes[one]).sum()) for one, other in pairs
        },
    )
    notes = list(declared.notes)
    same = int(np.isin(hashes[TEST], np.concatenate([hashes[TRAIN], hashes[VALIDATION]])).sum())
    if same:
        notes.append(f"{same} test rows are equal, sample by sample, to a row outside the test set")
    if series.groups is not None:
        shared = {
            f"{names[one]}/{names[other]}": np.intersect1d(_owners(taken[one]), _owners(taken[other])).tolist()
            for one, other in pairs
        }
        summary = replace(summary, groups_by=series.group_noun, shared_groups=shared)
        notes += _group_notes(declared, taken, series.group_noun)
    return summary, tuple(notes)


def _group_notes(declared: DeclaredSplit, taken: Mapping[int, Rows], noun: str) -> list[str]:
    """Return notes on the groups for readers of a score, unless the data set has its own."""
    tested = np.unique(_owners(taken[TEST]))
    if declared.by_group:
        few = f"the test set has {len(tested)} {_plural(noun)}: too few for reliable intervals"
        return [few] if len(tested) < FEW_GROUPS else []
    both = np.isin(tested, np.concatenate([_owners(taken[TRAIN]), _owners(taken[VALIDATION])])).sum()
    if declared.notes or not both:
        return []
    shared = f"{both} of the {len(tested)} {_plural(noun)} in the test set are also in the training or validation set"
    return [f"{shared}: --protocol inter-patient separates them"]


def _plural(noun: str) -> str:
    """Return `patients` for `patient`; a noun ending in `s`, such as a column name, stays unchanged."""
    return noun if noun.endswith("s") else f"{noun}s"


def _owners(rows: Rows) -> npt.NDArray[Any]:
    return np.asarray(rows.groups)
