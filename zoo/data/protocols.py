"""Protocols: the ways to split a data set into a training set, a validation set and a sealed test set.

- `official`: the published split of the data set
- `holdout`: a fifth of the rows is the test set, stratified by class
- `inter-patient`: a split by group (patient); the published one if the data set has one
- `inter-patient-strict`: the same, without the groups that the published split has in two sets
- `cross-validation`: one of several test sets that together have every row, see `zoo.data.folds`

The test set depends only on the data set and the protocol, and is the same for every seed. The validation set is drawn
from the other rows with the run's seed, by class or by group like the test set, unless the data set was published with
one. `rows` then reduces the training set, stratified by class, and changes neither validation nor test set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.fingerprints import fingerprint, groups_fingerprint, pool_fingerprint, row_hashes
from zoo.data.folds import CROSS_VALIDATION, Fold, fold_split, folds_fingerprint, part_of_each_row
from zoo.data.groups import draw_groups, kept_apart, plural, says_shared
from zoo.data.rows import Rows
from zoo.data.scaling import Scaling
from zoo.data.sealed import SealedTest
from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, Ints, LabelledSeries
from zoo.data.unread import picked
from zoo.errors import DataError, UsageError, unknown_name
from zoo.records import SplitSummary
from zoo.wording import count_text

PROTOCOLS = ("official", "holdout", "inter-patient", "inter-patient-strict")
HOLDOUT_SHARE = 0.2  # of all rows or groups, for the test set
VALIDATION_SHARE = 0.1  # of the training rows
VALIDATION_GROUPS_SHARE = 0.2  # of the training groups: a tenth of 22 patients would be two, too few to choose by
FEW_GROUPS = 10  # with fewer, a percentile interval over groups is too narrow
TEST_SEED = 0  # the test set is the same for every run


@dataclass(frozen=True)
class Parts:
    """The data of one run: training rows, validation rows and the sealed test set.

    `summary` describes them before any scaling; the run stores it. `pool` holds the positions of the rows whose values
    decide whether they are scaled: all rows outside the test set, which depend neither on the seed nor on the size of
    the training set; in a cross-validation all rows, so that all folds are alike. `scaling` was applied to the
    training and validation rows; the sealed rows are not scaled, and the network that is scored scales them. `share` is
    the share of validation rows or groups that was asked for; None if it is that of the protocol. `whole` means that
    more rows were asked for than the training set has for any seed, which is the same as to ask for all.
    """

    train: Rows
    validation: Rows
    test: SealedTest
    summary: SplitSummary
    notes: tuple[str, ...]
    pool: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    scaling: Scaling = field(default_factory=Scaling)
    share: float | None = None
    whole: bool = False

    @classmethod
    def without_test(cls, train: Rows, validation: Rows, summary: SplitSummary) -> "Parts":
        """Return the data for a worker process, with an empty test set."""
        nothing = Rows(train.values[:0], train.labels[:0], train.index[:0])
        return cls(train, validation, SealedTest(nothing), summary, ())

    @property
    def classes(self) -> tuple[str, ...]:
        """The scored classes, in the order of their labels."""
        return tuple(self.summary.classes)

    @property
    def to_check_with(self) -> Rows:
        """The validation rows, or the training rows if there are none: a network is tried on the first of them."""
        return self.validation if len(self.validation) else self.train

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
    series: LabelledSeries,
    protocol: str,
    *,
    seed: int,
    rows: int | None = None,
    sized: bool = False,
    validation: float | None = None,
    fold: Fold | None = None,
) -> Parts:
    """Split a data set. `seed` draws the validation set; `rows` is the size of the training set, None for all rows.

    A training set with fewer rows is used whole, with a note unless it is `sized`: generated for this number of rows.
    `validation` is the share of the rows outside the test set, or of their groups, that become validation rows; 0:
    none, and None: that of the protocol. A published validation set stays unchanged. `fold` is that of a
    cross-validation. Raises DataError if the data set does not support the protocol, or if the training set lacks a
    class.
    """
    folds = None if fold is None else part_of_each_row(series, fold)
    if fold is None or folds is None:
        declared = declared_split(series, protocol, validation=validation != 0)
    else:
        declared = fold_split(series, fold, folds)
    parts, classes, labels = _score_only(series, declared)
    if not (parts == TRAIN).any():
        raise DataError("the training set has no rows")
    rng = np.random.default_rng(seed)
    published = bool((parts == VALIDATION).any())
    parts, share, reasons = _with_validation(series, declared, parts, labels, rng, validation)
    outside_test = (parts == TRAIN) | (parts == VALIDATION)
    hashes = row_hashes(series.values)
    pool = pool_fingerprint(series, labels, outside_test, hashes)
    before = int((parts == TRAIN).sum())
    if rows is not None and rows < before:
        parts = _cut_training(parts, labels, rows, rng)
    too_many = rows is not None and rows > before and not sized
    used = (f"--rows {rows}: the training set has only {count_text(before, 'row')}, which are all used",)
    _check_classes(parts, labels, classes, validation=share != 0)
    taken = {part: _take(series, labels, np.flatnonzero(parts == part)) for part in (TRAIN, VALIDATION, TEST)}
    summary, notes = _describe(protocol, declared, taken, series, classes, pool, hashes)
    if folds is not None:
        all_rows = {"folds": folds_fingerprint(series, labels, folds, hashes)}
        summary = replace(summary, fingerprints={**summary.fingerprints, **all_rows})
    if published:
        summary = replace(summary, published_validation=True)
    rows_of_train = taken[TRAIN]
    train = replace(rows_of_train, values=np.asarray(rows_of_train.values), cut=len(rows_of_train) < before)
    test, notes = SealedTest(taken[TEST]), (*series.notes, *notes, *reasons, *(used if too_many else ()))
    whole = too_many and (not declared.by_group or (rows or 0) > int(outside_test.sum()))
    whole = whole if folds is None else (rows or 0) > len(labels)  # folds differ by a few rows, and have one setting
    deciding = np.flatnonzero(outside_test) if folds is None else np.arange(len(labels))
    return Parts(train, taken[VALIDATION], test, summary, notes, deciding, share=share, whole=whole)


def declared_split(series: LabelledSeries, protocol: str, *, validation: bool = True) -> DeclaredSplit:
    """Return the split that the data set declares for a protocol, or the one that the harness draws.

    With `validation`, the rows outside a drawn test set suffice for a validation set, too.
    """
    if protocol not in PROTOCOLS:
        raise unknown_name("protocol", protocol, PROTOCOLS)
    if protocol in series.splits:
        return _published(series, series.splits[protocol])
    if protocol in series.refusals:
        raise DataError(series.refusals[protocol])
    official = series.splits.get("official")
    if official is not None and protocol.startswith("inter-patient") and kept_apart(series.groups, official):
        return _published(series, official)
    rng = np.random.default_rng(TEST_SEED)
    if protocol == "holdout":
        _refuse_small_classes(series, 3 if validation else 2)
        present = len(np.unique(series.labels))
        test = stratified(series.labels, max(round(HOLDOUT_SHARE * len(series.labels)), present), rng)
        return DeclaredSplit(_mark(series, test))
    if protocol == "official":
        way_out = "holdout" if series.groups is None else "inter-patient"
        raise DataError(f"this data set has no published split: use --protocol {way_out}")
    if series.groups is None:
        raise DataError(f"--protocol {protocol} needs the group of each row: name the column with --group")
    return _drawn_by_group(series, series.groups, rng)


def _published(series: LabelledSeries, split: DeclaredSplit) -> DeclaredSplit:
    """Return a declared split as a split by group, if no group of its test rows has other rows."""
    return replace(split, by_group=True) if kept_apart(series.groups, split) else split


def _drawn_by_group(series: LabelledSeries, groups: npt.NDArray[Any], rng: np.random.Generator) -> DeclaredSplit:
    number = len(np.unique(groups))
    if number < 3:
        raise DataError(
            "a split by group needs at least three groups, one each for the training, validation and test set, not "
            f"{number}: use --protocol holdout, which separates rows"
        )
    test = draw_groups(
        series.labels,
        groups,
        np.arange(len(series.labels)),
        share=HOLDOUT_SHARE,
        rng=rng,
        classes=series.classes,
        noun=series.group_noun,
        spare=True,
    )
    fifth = max(1, round(HOLDOUT_SHARE * number))
    drawn = len(np.unique(groups[test]))
    share = "a fifth" if drawn <= fifth else f"{drawn}"
    why = "" if drawn <= fifth else ", as many as the classes need"
    note = f"the test set has {share} of the {plural(series.group_noun)}, drawn once{why}"
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


def _refuse_small_classes(series: LabelledSeries, needed: int) -> None:
    counts = np.bincount(series.labels, minlength=len(series.classes))
    sets = "training, validation and test set" if needed == 3 else "training and test set"
    for name, count in zip(series.classes, counts, strict=True):
        if 0 < count < needed:
            raise DataError(
                f"class {name!r} has {count_text(count, 'row')}, but the {sets} need one each: add rows, or drop the "
                f"class: --drop-class {name}"
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
    share: float | None,
) -> tuple[npt.NDArray[np.int8], float | None, tuple[str, ...]]:
    """Return the parts with validation rows, the share if it is not the usual one, and notes on what was asked for.

    There is a note if the rows are not drawn as the test set was, or if they are not as many as were asked for.
    """
    if (parts == VALIDATION).any():
        published = "the data set was published with its own validation rows: training.validation has no effect"
        return parts, None, () if share is None else (published,)
    if share == 0:
        return parts, share, _without_validation(series, declared)
    train, reasons = np.flatnonzero(parts == TRAIN), tuple[str, ...]()
    usual = VALIDATION_GROUPS_SHARE
    try:
        chosen = _validation_groups(series, declared, labels, train, rng, usual if share is None else share)
    except DataError as reason:
        if not any(split.parts is declared.parts and not split.by_group for split in series.splits.values()):
            raise
        # Published as it is, without a word about groups: better than no score.
        chosen, reasons = None, (f"the validation set is drawn by class, not by {series.group_noun}: {reason}",)
    by_group = chosen is not None
    if chosen is None:
        usual = VALIDATION_SHARE
        chosen = _validation_rows(
            labels, train, declared.classes or series.classes, rng, usual if share is None else share
        )
    divided = parts.copy()
    divided[chosen] = VALIDATION
    if share in (None, usual):
        return divided, None, reasons
    return divided, share, (*reasons, *_unlike_asked(series, train, chosen, float(share), by_group=by_group))


def _without_validation(series: LabelledSeries, declared: DeclaredSplit) -> tuple[str, ...]:
    if not declared.by_group:
        return ()
    nouns = plural(series.group_noun)
    return (
        f"without a validation set, training chooses by {nouns} that it also learns from: the test {nouns} are new",
    )


def _unlike_asked(
    series: LabelledSeries, train: Ints, chosen: Ints, share: float, *, by_group: bool
) -> tuple[str, ...]:
    """Return a note if the validation set has not as many rows or groups as were asked for."""
    owners = series.groups if by_group and series.groups is not None else np.arange(len(series.labels))
    noun = series.group_noun if by_group else "row"
    drawn, wanted = len(np.unique(owners[chosen])), max(1, round(share * len(np.unique(owners[train]))))
    if drawn == wanted:
        return ()
    why = "as many as the classes need" if drawn > wanted else "as many as can be spared"
    return (f"the validation set has {drawn} {noun if drawn == 1 else plural(noun)} instead of {wanted}, {why}",)


def _validation_groups(
    series: LabelledSeries, declared: DeclaredSplit, labels: Ints, train: Ints, rng: np.random.Generator, share: float
) -> Ints | None:
    """Return the rows of drawn training groups; None if the split is not by group."""
    if not declared.by_group or series.groups is None:
        return None
    return draw_groups(
        labels,
        series.groups,
        train,
        share=share,
        rng=rng,
        classes=declared.classes or series.classes,
        noun=series.group_noun,
        pinned=declared.keep_in_train,
    )


def _validation_rows(
    labels: Ints, train: Ints, classes: tuple[str, ...], rng: np.random.Generator, share: float
) -> Ints:
    counts = np.unique(labels[train], return_counts=True)[1]
    if (counts < 2).any():
        _refuse_lone_rows(labels[train], classes)
    return train[stratified(labels[train], max(round(share * len(train)), len(counts)), rng)]


def _refuse_lone_rows(labels: Ints, classes: tuple[str, ...]) -> None:
    names = [name for number, name in enumerate(classes) if (labels == number).sum() == 1]
    raise DataError(
        f"class {names[0]!r} has one row, but the training and validation set need one each: add rows, or drop the "
        f"class: --drop-class {names[0]}"
    )


def _cut_training(
    parts: npt.NDArray[np.int8], labels: Ints, rows: int, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    train = np.flatnonzero(parts == TRAIN)
    cut = parts.copy()
    cut[train] = LEFT_OUT
    cut[train[stratified(labels[train], rows, rng)]] = TRAIN
    return cut


def _check_classes(parts: npt.NDArray[np.int8], labels: Ints, classes: tuple[str, ...], *, validation: bool) -> None:
    counts = {part: np.bincount(labels[parts == part], minlength=len(classes)) for part in (TRAIN, VALIDATION, TEST)}
    for number, name in enumerate(classes):
        if counts[TRAIN][number] == 0 and counts[TEST][number] + counts[VALIDATION][number] > 0:
            raise DataError(f"class {name!r} has rows in the validation or test set but none in the training set")
    for part, name in ((VALIDATION, "validation"), (TEST, "test")):
        if counts[part].sum() == 0 and (part != VALIDATION or validation):
            raise DataError(f"the {name} set has no rows")
    if (counts[TRAIN] > 0).sum() < 2:
        raise DataError("the training set has rows of one class only")


def _take(series: LabelledSeries, labels: Ints, index: Ints) -> Rows:
    return Rows(
        picked(series.values, index),
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
    row_hash: npt.NDArray[np.uint64],
) -> tuple[SplitSummary, tuple[str, ...]]:
    names = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}
    hashes = {part: row_hash[rows.index] for part, rows in taken.items()}
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
        equal = f"{count_text(same, 'test row')} {'is' if same == 1 else 'are'} equal"
        notes.append(f"{equal}, sample by sample, to a row outside the test set")
    if series.groups is not None:
        shared = {
            f"{names[one]}/{names[other]}": np.intersect1d(_owners(taken[one]), _owners(taken[other])).tolist()
            for one, other in pairs
        }
        summary = replace(summary, groups_by=series.group_noun, shared_groups=shared)
        notes += _group_notes(declared, taken, series.group_noun, pooled=protocol == CROSS_VALIDATION)
    return summary, tuple(notes)


def _group_notes(declared: DeclaredSplit, taken: Mapping[int, Rows], noun: str, *, pooled: bool) -> list[str]:
    """Return notes on the groups for readers of a score, unless the data set has its own.

    `pooled` is whether the test rows are scored together with those of other folds.
    """
    tested, nouns = np.unique(_owners(taken[TEST])), plural(noun)
    others = np.concatenate([_owners(taken[TRAIN]), _owners(taken[VALIDATION])])
    both = np.intersect1d(tested, others)
    shared = f"{len(both)} of the {len(tested)} {nouns} in the test set are also in the training or validation set"
    if not declared.by_group:
        silent = declared.notes or not len(both)
        return [] if silent else [f"{shared}: --protocol inter-patient separates them"]
    notes = []
    if len(both) and not says_shared(declared.notes, both, noun):
        notes.append(f"{shared}, though this split is declared to separate {nouns}: the scores are too high")
    if len(tested) < FEW_GROUPS and not pooled:
        notes.append(f"the test set has {len(tested)} {nouns}: too few for reliable intervals")
    return notes + _validation_notes(declared, taken, nouns)


def _validation_notes(declared: DeclaredSplit, taken: Mapping[int, Rows], nouns: str) -> list[str]:
    """Return a note on the groups that a published validation set shares with the training set."""
    chosen = np.unique(_owners(taken[VALIDATION]))
    both = np.isin(chosen, _owners(taken[TRAIN])).sum()
    if declared.notes or not both or not (declared.parts == VALIDATION).any():
        return []
    return [f"{both} of the {len(chosen)} {nouns} in the validation set are also in the training set"]


def _owners(rows: Rows) -> npt.NDArray[Any]:
    return np.asarray(rows.groups)
