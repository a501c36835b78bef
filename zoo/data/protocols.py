"""Protocols: how a data set is separated into train, validation and a sealed test set.

- `official`: the published split of the data set
- `holdout`: a fifth of the rows for the test, stratified by class
- `inter-patient`: no group (patient) on two sides; as published where the data set has such a split
- `inter-patient-strict`: the same, without the groups that the published split shares

The test set is a fact of data set and protocol, the same for every seed. Validation is drawn from the rest
by the run's seed, and mirrors the protocol: by class, or by group. `rows` then cuts the training set down,
by class, and leaves validation and test alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.fingerprints import fingerprint, groups_fingerprint, pool_fingerprint, row_hashes
from zoo.data.rows import Rows
from zoo.data.sealed import SealedTest
from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, Ints, LabelledSeries
from zoo.errors import DataError, UsageError, unknown_name
from zoo.records import SplitSummary
from zoo.wording import count_text

PROTOCOLS = ("official", "holdout", "inter-patient", "inter-patient-strict")
HOLDOUT_SHARE = 0.2  # of all rows or groups, for the test
VALIDATION_SHARE = 0.1  # of the training rows
VALIDATION_GROUPS_SHARE = 0.2  # of the training groups: a tenth of 22 patients would be two, too few to go by
GROUP_DRAWS = 200
MIN_ROWS = 10  # of every class on both sides of a split by group, where any draw can give that
FEW_GROUPS = 10  # below, a percentile interval over groups is narrower than it should be
TEST_SEED = 0  # the test set is the same for every run


@dataclass(frozen=True)
class Parts:
    """What one run gets: rows to learn from, rows to choose by, and the test set under its seal.

    `summary` is what the run stores of them.
    """

    train: Rows
    validation: Rows
    test: SealedTest
    summary: SplitSummary
    notes: tuple[str, ...]

    @classmethod
    def without_test(cls, train: Rows, validation: Rows, summary: SplitSummary) -> "Parts":
        """The parts as a worker process has them: under the seal is nothing."""
        nothing = Rows(train.values[:0], train.labels[:0], train.index[:0])
        return cls(train, validation, SealedTest(nothing), summary, ())

    @property
    def classes(self) -> tuple[str, ...]:
        """The scored classes, in the order of their labels."""
        return tuple(self.summary.classes)

    def for_run(self) -> "Parts":
        """The same parts under a seal of their own: each run opens the test set once."""
        return replace(self, test=self.test.another())


def default_protocol(series: LabelledSeries) -> str:
    """`official` where the data set has such a split, else `holdout`."""
    return "official" if "official" in series.splits else "holdout"


def separate(
    series: LabelledSeries, protocol: str, *, seed: int, rows: int | None = None, sized: bool = False
) -> Parts:
    """Separate a data set. `seed` draws validation; `rows` is the size of the training set, None for all.

    `sized` says that the data set was generated for that many rows, so that fewer are no error. Raises DataError
    where the data set cannot serve the protocol, or a class is missing from training.
    """
    declared = declared_split(series, protocol)
    parts, classes, labels = _score_only(series, declared)
    if not (parts == TRAIN).any():
        raise DataError("the training set has no rows")
    rng = np.random.default_rng(seed)
    if not (parts == VALIDATION).any():
        parts = _with_validation(series, declared, parts, labels, rng)
    pool = pool_fingerprint(series, labels, (parts == TRAIN) | (parts == VALIDATION))
    if rows is not None:
        parts = _cut_training(parts, labels, rows, rng, at_most=sized)
    _check_classes(parts, labels, classes)
    taken = {part: _take(series, labels, np.flatnonzero(parts == part)) for part in (TRAIN, VALIDATION, TEST)}
    summary, notes = _describe(protocol, declared, taken, series, classes, pool)
    return Parts(taken[TRAIN], taken[VALIDATION], SealedTest(taken[TEST]), summary, (*series.notes, *notes))


def declared_split(series: LabelledSeries, protocol: str) -> DeclaredSplit:
    """The split a data set declares for a protocol, or the harness's own for one that needs no declaration."""
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
        raise DataError(f"--protocol {protocol} needs to know which rows belong together: name the column with --group")
    eligible = np.arange(len(series.labels))
    test = _draw_groups(series.labels, series.groups, eligible, HOLDOUT_SHARE, (), rng)
    note = f"the test set has a fifth of the {_plural(series.group_noun)}, drawn once"
    return DeclaredSplit(_mark(series, test), by_group=True, notes=(note,))


def stratified(labels: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Sorted positions of `size` rows, each class with its share and at least one row.

    What rounding leaves over goes to the classes that it cost most.
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
                f"class {name!r} has {count_text(count, 'row')}, and train, validation and test need "
                "one each: add rows or drop the class"
            )


def _mark(series: LabelledSeries, test: Ints) -> npt.NDArray[np.int8]:
    parts = np.full(len(series.labels), TRAIN, dtype=np.int8)
    parts[test] = TEST
    return parts


def _score_only(series: LabelledSeries, declared: DeclaredSplit) -> tuple[npt.NDArray[np.int8], tuple[str, ...], Ints]:
    """The parts, classes and labels with the rows of unscored classes left out and the rest renumbered."""
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
        f"class {names[0]!r} has one row to train on, and validation needs another: add rows or drop the class"
    )


def _draw_groups(
    labels: Ints,
    groups: npt.NDArray[Any],
    eligible: Ints,
    share: float,
    pinned: tuple[Any, ...],
    rng: np.random.Generator,
) -> Ints:
    """Rows of the groups that, of GROUP_DRAWS draws, come nearest to the class shares of all eligible rows.

    A draw that leaves every class MIN_ROWS rows on both sides goes before one that does not.
    """
    names, owner = np.unique(groups[eligible], return_inverse=True)
    free = np.flatnonzero(~np.isin(names, pinned))
    if len(names) < 2 or len(free) < 1:
        raise DataError(f"a split by group needs two groups or more, and there is {len(names)}")
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
        raise DataError(
            "no split by group found that leaves every class on both sides: too few groups have the rare ones"
        )
    return eligible[np.isin(owner, best[2])]


def _cut_training(
    parts: npt.NDArray[np.int8], labels: Ints, rows: int, rng: np.random.Generator, *, at_most: bool
) -> npt.NDArray[np.int8]:
    train = np.flatnonzero(parts == TRAIN)
    if at_most and rows >= len(train):
        return parts
    if rows > len(train):
        raise UsageError(f"--rows {rows}: the training set has {len(train)} rows")
    cut = parts.copy()
    cut[train] = LEFT_OUT
    cut[train[stratified(labels[train], rows, rng)]] = TRAIN
    return cut


def _check_classes(parts: npt.NDArray[np.int8], labels: Ints, classes: tuple[str, ...]) -> None:
    counts = {part: np.bincount(labels[parts == part], minlength=len(classes)) for part in (TRAIN, VALIDATION, TEST)}
    for number, name in enumerate(classes):
        if counts[TRAIN][number] == 0 and counts[TEST][number] + counts[VALIDATION][number] > 0:
            raise DataError(f"class {name!r} has rows to be scored on and none to train on")
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
    """What a reader of the score must know of the groups, where the data set's own notes do not say it."""
    tested = np.unique(_owners(taken[TEST]))
    if declared.by_group:
        few = f"the test set has {len(tested)} {_plural(noun)}: too few for its intervals to be trusted"
        return [few] if len(tested) < FEW_GROUPS else []
    both = np.isin(tested, np.concatenate([_owners(taken[TRAIN]), _owners(taken[VALIDATION])])).sum()
    if declared.notes or not both:
        return []
    shared = f"{both} of the {len(tested)} {_plural(noun)} of the test set are in training or validation too"
    return [f"{shared}: --protocol inter-patient separates them"]


def _plural(noun: str) -> str:
    """`patients` of `patient`; a noun that is the name of a column may be a plural already."""
    return noun if noun.endswith("s") else f"{noun}s"


def _owners(rows: Rows) -> npt.NDArray[Any]:
    return np.asarray(rows.groups)
