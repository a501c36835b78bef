"""How data sets are separated, and that the test set stays sealed."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from zoo.data.fingerprints import fingerprint, row_hashes
from zoo.data.protocols import default_protocol, separate, stratified
from zoo.data.rows import Rows
from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, LabelledSeries
from zoo.errors import DataError, SealError, UnknownName


def opened(parts) -> Rows:
    parts.test.training_ended()
    return parts.test.open()


def published(series: LabelledSeries, **more) -> LabelledSeries:
    parts = np.where(np.arange(len(series.labels)) % 4 == 0, TEST, TRAIN).astype(np.int8)
    return replace(series, splits={"official": DeclaredSplit(parts, **more)})


def test_the_three_parts_share_no_row_and_hold_all(series: LabelledSeries) -> None:
    parts = separate(series, "holdout", seed=1)
    indices = [parts.train.index, parts.validation.index, opened(parts).index]
    together = np.concatenate(indices)
    assert len(np.unique(together)) == len(together) == len(series.labels)
    assert parts.summary["shared_rows"] == {"train/validation": 0, "train/test": 0, "validation/test": 0}


def test_the_test_part_is_the_same_for_every_seed_and_validation_is_not(series: LabelledSeries) -> None:
    one, two = (separate(series, "holdout", seed=seed) for seed in (1, 2))
    assert one.summary["fingerprints"]["test"] == two.summary["fingerprints"]["test"]
    assert one.summary["fingerprints"]["validation"] != two.summary["fingerprints"]["validation"]
    again = separate(series, "holdout", seed=1)
    assert one.summary == again.summary


def test_validation_has_the_class_shares(series: LabelledSeries) -> None:
    parts = separate(published(series), "official", seed=0)
    train = np.bincount(parts.train.labels) / len(parts.train)
    validation = np.bincount(parts.validation.labels) / len(parts.validation)
    assert np.abs(train - validation).max() < 0.05
    assert len(parts.validation) == pytest.approx(0.1 * 180, abs=2)


def test_rows_cut_training_alone(series: LabelledSeries) -> None:
    whole, cut = separate(series, "holdout", seed=0), separate(series, "holdout", seed=0, rows=60)
    assert len(cut.train) == 60
    assert set(cut.train.index) <= set(whole.train.index)
    for part in ("validation", "test"):
        assert cut.summary["fingerprints"][part] == whole.summary["fingerprints"][part]
    more = separate(series, "holdout", seed=0, rows=1000)
    assert more.summary["fingerprints"] == whole.summary["fingerprints"]
    assert any("1000" in note or "1,000" in note for note in more.notes)


def test_inter_patient_shares_no_patient_on_either_border(series: LabelledSeries) -> None:
    parts = separate(series, "inter-patient", seed=0)
    groups = [set(rows.groups.tolist()) for rows in (parts.train, parts.validation, opened(parts))]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert parts.summary["shared_groups"]["train/test"] == []
    assert (np.bincount(parts.validation.labels, minlength=3) > 0).all()


def test_groups_that_must_stay_in_training_do(series: LabelledSeries) -> None:
    split = np.where(np.isin(series.groups, [6, 7]), TEST, TRAIN).astype(np.int8)
    declared = DeclaredSplit(split, by_group=True, keep_in_train=(3,))
    for seed in range(10):
        parts = separate(replace(series, splits={"inter-patient": declared}), "inter-patient", seed=seed)
        assert 3 in parts.train.groups
        assert 3 not in parts.validation.groups


@pytest.mark.parametrize(("noun", "plural"), [("patient", "patients"), ("groups", "groups")])
def test_notes_put_what_groups_are_called_in_the_plural_once(series: LabelledSeries, noun: str, plural: str) -> None:
    named = replace(series, group_noun=noun)
    assert f"the test set has a fifth of the {plural}, drawn once" in separate(named, "inter-patient", seed=0).notes
    assert any(f" {plural} in the test set are " in note for note in separate(named, "holdout", seed=0).notes)


def test_a_split_may_score_fewer_classes(series: LabelledSeries) -> None:
    parts = separate(published(series, classes=("c", "a")), "official", seed=0)
    assert parts.classes == ("c", "a")
    train = parts.train
    assert set(train.labels) == {0, 1}
    assert (series.labels[train.index[train.labels == 0]] == 2).all()


@pytest.mark.parametrize("scored", [("b", "c"), ("c", "a"), ("a", "b"), ("c", "b", "a")])
def test_classes_that_are_scored_keep_their_names_in_every_part(
    series: LabelledSeries, scored: tuple[str, ...]
) -> None:
    parts = separate(published(series, classes=scored), "official", seed=0)
    for rows in (parts.train, parts.validation, opened(parts)):
        names = [series.classes[label] for label in series.labels[rows.index]]
        assert [scored[label] for label in rows.labels] == names
        assert set(names) == set(scored)
    assert sum(parts.summary["rows"].values()) == sum(series.classes[label] in scored for label in series.labels)
    assert (parts.summary["classes"], parts.summary["shape"]["n_classes"]) == ([*scored], len(scored))


def test_rows_left_out_are_nowhere(series: LabelledSeries) -> None:
    split = np.full(len(series.labels), TRAIN, dtype=np.int8)
    split[::4], split[1::4] = TEST, LEFT_OUT
    parts = separate(replace(series, splits={"official": DeclaredSplit(split)}), "official", seed=0)
    seen = np.concatenate([parts.train.index, parts.validation.index, opened(parts).index])
    assert not np.isin(np.arange(1, len(series.labels), 4), seen).any()


def by_parts(series: LabelledSeries, *parts: int, **more) -> LabelledSeries:
    """The first rows of a series, each in the part that is named for it."""
    few = slice(len(parts))
    short = replace(series, values=series.values[few], labels=series.labels[few], groups=series.groups[few])
    return replace(short, splits={"official": DeclaredSplit(np.array(parts, np.int8), **more)})


@pytest.mark.parametrize(
    ("equal", "shared", "said"),
    [
        ([], [0, 0, 0], 0),
        ([(6, 0)], [0, 1, 0], 1),  # a row of the test set, and one of training
        ([(6, 3)], [0, 0, 1], 1),
        ([(3, 0), (4, 0)], [2, 0, 0], 0),
        ([(6, 0), (7, 0), (8, 0)], [0, 3, 0], 3),
        ([(6, 0), (1, 0)], [0, 1, 0], 1),
        ([(6, 0), (7, 3)], [0, 1, 1], 2),
        ([(6, 0), (3, 0)], [1, 1, 1], 1),  # of both parts, and one test row nevertheless
    ],
)
def test_equal_rows_on_both_sides_are_counted_and_said(
    series: LabelledSeries, equal: list[tuple[int, int]], shared: list[int], said: int
) -> None:
    values = series.values.copy()
    for one, other in equal:
        values[one] = values[other]
    declared = by_parts(replace(series, values=values), *[TRAIN] * 3, *[VALIDATION] * 3, *[TEST] * 3, notes=("so",))
    declared = replace(declared, labels=np.arange(9) % 3)
    parts = separate(declared, "official", seed=0)
    assert [*parts.summary["shared_rows"].values()] == shared
    note = f"{said} test {'row is' if said == 1 else 'rows are'} equal, sample by sample, to a row outside the test set"
    assert parts.notes == (("so", note) if said else ("so",))


def test_a_record_says_how_the_data_was_separated(series: LabelledSeries) -> None:
    declared = by_parts(series, TRAIN, TRAIN, TRAIN, TRAIN, LEFT_OUT, VALIDATION, VALIDATION, TEST)
    labelled = replace(declared, labels=np.array([0, 1, 0, 0, 1, 1, 0, 1]), groups=np.array(list("pqpqrpsq")))
    parts = separate(replace(labelled, group_noun="dog", notes=("of dogs",)), "official", seed=0)
    assert {name: found for name, found in parts.summary.items() if name != "fingerprints"} == {
        "protocol": "official",
        "published_validation": True,
        "by_group": False,
        "classes": ["a", "b", "c"],
        "shape": {"n_channels": 1, "n_times": 48, "n_classes": 3},
        "rows": {"train": 4, "validation": 2, "test": 1},
        "class_counts": {"train": [3, 1, 0], "validation": [1, 1, 0], "test": [0, 1, 0]},
        "shared_rows": {"train/validation": 0, "train/test": 0, "validation/test": 0},
        "groups_by": "dog",
        "shared_groups": {"train/validation": ["p"], "train/test": ["q"], "validation/test": []},
    }
    assert set(parts.summary["fingerprints"]) == {"train", "validation", "test", "pool"}
    shared = "1 of the 1 dogs in the test set are also in the training or validation set"
    assert parts.notes == ("of dogs", f"{shared}: --protocol inter-patient separates them")
    assert parts.train.groups.tolist() == ["p", "q", "p", "q"]
    assert opened(parts).groups.tolist() == ["q"]


def test_patients_on_both_sides_are_said_where_the_split_does_not_say_it(series: LabelledSeries) -> None:
    named = replace(series, groups=np.arange(240))
    assert separate(published(named), "official", seed=0).notes == ()
    named.groups[:2] = 0  # row 0 is of the test set, row 1 is not
    (note,) = separate(published(named), "official", seed=0).notes
    assert note.startswith("1 of the 60 patients in the test set are also in the training or validation set")
    assert separate(published(named, notes=("by row",)), "official", seed=0).notes == ("by row",)


@pytest.mark.parametrize(("patients", "few"), [(9, True), (10, False)])
def test_fewer_than_ten_patients_in_the_test_part_are_said_to_be_too_few(
    series: LabelledSeries, patients: int, few: bool
) -> None:
    groups = np.arange(240) % 30
    split = np.where(groups < patients, TEST, TRAIN).astype(np.int8)
    declared = DeclaredSplit(split, by_group=True)
    parts = separate(replace(series, groups=groups, splits={"inter-patient": declared}), "inter-patient", seed=0)
    note = "the test set has 9 patients: too few for reliable intervals"
    assert parts.notes == ((note,) if few else ())


def test_a_split_by_group_without_groups_has_its_validation_by_class(series: LabelledSeries) -> None:
    parts = separate(published(replace(series, groups=None), by_group=True), "official", seed=0)
    assert len(parts.validation) == 18
    assert parts.train.groups is None
    assert "shared_groups" not in parts.summary


def test_validation_that_is_declared_is_not_drawn(series: LabelledSeries) -> None:
    split = np.where(np.arange(240) % 4 == 0, TEST, TRAIN).astype(np.int8)
    split[1::8] = VALIDATION
    declared = replace(series, splits={"official": DeclaredSplit(split)})
    one, two = (separate(declared, "official", seed=seed) for seed in (1, 2))
    assert one.validation.index.tolist() == [*range(1, 240, 8)]
    assert one.summary == two.summary


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
@pytest.mark.parametrize("protocol", ["holdout", "inter-patient"])
def test_the_share_of_validation_rows_or_patients_is_that_asked_for(
    series: LabelledSeries, protocol: str, share: float
) -> None:
    usual, parts = (separate(series, protocol, seed=3, validation=asked) for asked in (None, share))
    assert parts.summary["fingerprints"]["test"] == usual.summary["fingerprints"]["test"]
    assert (parts.share, usual.share) == (share, None)
    chosen, trained = parts.validation, parts.train
    if protocol == "inter-patient":
        patients = [len(np.unique(rows.groups)) for rows in (chosen, trained)]
        assert patients[0] == max(1, round(share * sum(patients)))
        assert not np.isin(chosen.groups, trained.groups).any()
    else:
        assert len(chosen) == round(share * (len(chosen) + len(trained)))
    assert {*chosen.labels} == {*trained.labels} == {0, 1, 2}


@pytest.mark.parametrize(("protocol", "share"), [("holdout", 0.1), ("inter-patient", 0.2)])
def test_the_usual_share_is_the_same_whoever_sets_it(series: LabelledSeries, protocol: str, share: float) -> None:
    usual, parts = (separate(series, protocol, seed=3, validation=asked) for asked in (None, share))
    assert (parts.share, parts.summary, parts.notes) == (None, usual.summary, usual.notes)


@pytest.mark.parametrize("protocol", ["official", "holdout", "inter-patient"])
def test_without_a_validation_set_all_rows_outside_the_test_set_are_learnt_from(
    series: LabelledSeries, protocol: str
) -> None:
    data = published(series) if protocol == "official" else series
    usual, parts = (separate(data, protocol, seed=3, validation=asked) for asked in (None, 0.0))
    assert parts.summary["fingerprints"]["test"] == usual.summary["fingerprints"]["test"]
    assert parts.summary["fingerprints"]["pool"] == usual.summary["fingerprints"]["pool"]
    assert parts.train.index.tolist() == sorted([*usual.train.index, *usual.validation.index])
    assert (len(parts.validation), parts.summary["rows"]["validation"], parts.share) == (0, 0, 0)
    patients = (
        "without a validation set, training chooses by patients that it also learns from: the test patients are new"
    )
    assert (patients in parts.notes) == (protocol == "inter-patient")
    assert len(separate(data, protocol, seed=3, validation=0.0, rows=40).train) == 40


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_published_validation_set_stays_whatever_share_is_asked_for(series: LabelledSeries, share: float) -> None:
    split = np.where(np.arange(240) % 4 == 0, TEST, TRAIN).astype(np.int8)
    split[1::8] = VALIDATION
    declared = replace(series, splits={"official": DeclaredSplit(split)})
    usual, parts = (separate(declared, "official", seed=1, validation=asked) for asked in (None, share))
    assert (parts.share, parts.summary) == (None, usual.summary)
    own = "the data set was published with its own validation rows: training.validation has no effect"
    assert {*parts.notes} - {*usual.notes} == {own}


def test_each_class_has_a_validation_row_even_if_the_share_is_too_small(series: LabelledSeries) -> None:
    parts = separate(published(series), "official", seed=0, validation=0.005)
    assert np.bincount(parts.validation.labels).tolist() == [1, 1, 1]
    assert "the validation set has 3 rows instead of 1, as many as the classes need" in parts.notes


def test_a_class_of_two_rows_is_enough_without_a_validation_set(series: LabelledSeries) -> None:
    labels = np.where(series.labels == 2, 0, series.labels)
    labels[5:7] = 2
    parts = separate(replace(series, labels=labels), "holdout", seed=0, validation=0.0)
    assert (parts.train.labels == 2).sum() == 1
    labels[6] = 0
    with pytest.raises(DataError, match="class 'c' has 1 row, but the training and test set need one each"):
        separate(replace(series, labels=labels), "holdout", seed=0, validation=0.0)


@pytest.mark.parametrize(
    ("protocol", "change", "error", "message"),
    [
        ("official", {}, DataError, "no published split: use --protocol inter-patient"),
        ("official", {"groups": None}, DataError, "no published split: use --protocol holdout"),
        ("inter-patient", {"groups": None}, DataError, "name the column with --group"),
        ("inter-patient", {"refusals": {"inter-patient": "no patients here"}}, DataError, "no patients here"),
        ("offical", {}, UnknownName, r"no protocol named 'offical'. Did you mean official\?"),
        ("inter-patient", {"groups": np.zeros(240)}, DataError, "needs at least three groups"),
        ("inter-patient", {"groups": np.arange(240) % 2}, DataError, "at least three groups, one each .*, not 2: use"),
    ],
)
def test_a_protocol_that_cannot_be_served_is_one_line(series, protocol, change, error, message) -> None:
    with pytest.raises(error, match=message):
        separate(replace(series, **change), protocol, seed=0)


@pytest.mark.parametrize("each", [3, 4])
def test_three_rows_of_each_class_are_one_for_each_part(each: int) -> None:
    labels = np.repeat(np.arange(20), each)
    values = np.random.default_rng(0).normal(size=(len(labels), 1, 30)).astype(np.float32)
    parts = separate(LabelledSeries(values, labels, tuple(f"class {n}" for n in range(20))), "holdout", seed=0)
    assert parts.summary["rows"] == {"train": 20 * (each - 2), "validation": 20, "test": 20}


def test_classes_too_small_to_separate_are_named(series: LabelledSeries) -> None:
    labels = np.where(series.labels == 2, 0, series.labels)
    labels[5] = 2
    with pytest.raises(DataError, match="class 'c' has 1 row, but the training, validation and test set need one each"):
        separate(replace(series, labels=labels), "holdout", seed=0)
    split = np.full(240, TRAIN, dtype=np.int8)
    split[:40] = TEST
    lone = replace(series, labels=labels, splits={"official": DeclaredSplit(split)})
    unseen = "class 'c' has rows in the validation or test set but none in the training set"
    with pytest.raises(DataError, match=unseen):
        separate(lone, "official", seed=0)
    labels[6] = 2
    few = "class 'c' has 2 rows, but the training, validation and test set need one each"
    with pytest.raises(DataError, match=few):
        separate(replace(series, labels=labels), "holdout", seed=0)


@pytest.mark.parametrize(("scored", "lone"), [(None, "a"), (("c", "b"), "b"), (("c", "a", "b"), "a")])
def test_a_class_of_one_row_to_train_on_is_named(
    series: LabelledSeries, scored: tuple[str, ...] | None, lone: str
) -> None:
    declared = by_parts(series, *[TRAIN] * 6, TEST, TEST, classes=scored)
    declared = replace(declared, labels=np.array([2, 0, 1, 2, 2, 2, 2, 2]))
    few = f"class '{lone}' has one row, but the training and validation set need one each"
    with pytest.raises(DataError, match=few):
        separate(declared, "official", seed=0)


@pytest.mark.parametrize("protocol", ["holdout", "official"])
@pytest.mark.parametrize("classes", [("none", "a", "b", "c"), ("a", "none", "b", "c"), ("a", "b", "c", "none")])
def test_a_class_without_rows_keeps_its_place(series: LabelledSeries, protocol: str, classes: tuple[str, ...]) -> None:
    number = np.array([classes.index(name) for name in series.classes])
    wider = published(replace(series, classes=classes, labels=number[series.labels]))
    parts = separate(wider, protocol, seed=0)
    assert parts.classes == classes
    for counts in parts.summary["class_counts"].values():
        assert len(counts) == 4
        assert [name for name, count in zip(classes, counts, strict=True) if not count] == ["none"]


def test_a_class_may_have_rows_in_training_alone(series: LabelledSeries) -> None:
    declared = by_parts(series, *[TRAIN] * 6, TEST, TEST)
    parts = separate(replace(declared, labels=np.array([0, 1, 2, 0, 1, 2, 0, 1])), "official", seed=0)
    assert parts.summary["class_counts"] == {"train": [1, 1, 1], "validation": [1, 1, 1], "test": [1, 1, 0]}


@pytest.mark.parametrize("stranger", [VALIDATION, TEST])
def test_a_class_that_is_not_trained_on_is_not_scored(series: LabelledSeries, stranger: int) -> None:
    declared = by_parts(series, TRAIN, TRAIN, VALIDATION, TEST, stranger)
    declared = replace(declared, labels=np.array([0, 1, 0, 0, 2]))
    unseen = "class 'c' has rows in the validation or test set but none in the training set"
    with pytest.raises(DataError, match=unseen):
        separate(declared, "official", seed=0)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([TEST] * 6, "the training set has no rows"),
        ([LEFT_OUT] * 6, "the training set has no rows"),
        ([TRAIN] * 6, "the test set has no rows"),
        ([TRAIN, LEFT_OUT] * 2 + [TEST, LEFT_OUT], "the training set has rows of one class only"),
    ],
)
def test_a_split_that_leaves_a_part_or_all_but_one_class_without_rows_is_one_line(
    series: LabelledSeries, parts: list[int], message: str
) -> None:
    declared = replace(by_parts(series, *parts), labels=np.arange(6) % 2)
    with pytest.raises(DataError, match=message):
        separate(declared, "official", seed=0)


def test_default_protocol(series: LabelledSeries) -> None:
    assert default_protocol(series) == "holdout"
    assert default_protocol(published(series)) == "official"


@pytest.mark.parametrize("size", [5, 17, 100, 239, 240])
def test_stratified_gives_each_class_its_share_and_at_least_one(size: int) -> None:
    labels = np.repeat([0, 1, 2], [200, 38, 2])
    chosen = stratified(labels, size, np.random.default_rng(0))
    counts = np.bincount(labels[chosen], minlength=3)
    assert len(np.unique(chosen)) == size
    assert (counts >= 1).all()
    assert np.abs(counts - size * np.array([200, 38, 2]) / 240).max() <= 1.5


def test_the_seal_opens_once_after_training(series: LabelledSeries) -> None:
    test = separate(series, "holdout", seed=0).test
    with pytest.raises(SealError, match="stays sealed until training has ended"):
        test.open()
    test.training_ended()
    rows = test.open()
    assert len(rows) == len(test) == 48
    np.testing.assert_array_equal(rows.values, series.values[rows.index])
    with pytest.raises(SealError, match="already opened"):
        test.open()
    with pytest.raises(SealError, match="no other run can use it"):
        test.another()


def test_another_run_gets_a_seal_of_its_own(series: LabelledSeries) -> None:
    parts = separate(series, "holdout", seed=0)
    first, second = parts.for_run(), parts.for_run()
    first.test.training_ended()
    third = first.for_run()
    rows = first.test.open()
    for later in (second, third, parts):
        with pytest.raises(SealError, match="until training has ended"):
            later.test.open()
        np.testing.assert_array_equal(opened(later).index, rows.index)
    assert second.train is parts.train


def test_the_test_part_does_not_travel(series: LabelledSeries) -> None:
    seal = separate(series, "holdout", seed=0).test
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        for thing in (seal, [seal], separate(series, "holdout", seed=0)):
            if travel is not copy.copy or thing is seal:
                with pytest.raises(SealError, match="must not leave its process"):
                    travel(thing)
    assert {name for name in dir(seal) if not name.startswith("_")} == {"another", "open", "training_ended"}


def test_hashes_tell_rows_apart_and_fingerprints_tell_labels_apart(series: LabelledSeries) -> None:
    hashes = row_hashes(series.values)
    assert len(np.unique(hashes)) == len(hashes)
    values = series.values.copy()
    values[3, 0, 7] = np.nextafter(values[3, 0, 7], np.float32(9))
    assert (row_hashes(values) != hashes).sum() == 1
    rows = separate(series, "holdout", seed=0).train
    assert fingerprint(rows) != fingerprint(replace(rows, labels=rows.labels[::-1].copy()))
