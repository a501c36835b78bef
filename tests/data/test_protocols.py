"""How data sets are separated, and that the test part stays sealed."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from zoo.data.protocols import default_protocol, fingerprint, row_hashes, separate, stratified
from zoo.data.sealed import Rows, SealedTest
from zoo.data.series import LEFT_OUT, TEST, TRAIN, DeclaredSplit, LabelledSeries
from zoo.errors import DataError, SealError, UnknownName, UsageError


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
    assert parts.record["shared_rows"] == {"train/validation": 0, "train/test": 0, "validation/test": 0}


def test_the_test_part_is_the_same_for_every_seed_and_validation_is_not(series: LabelledSeries) -> None:
    one, two = (separate(series, "holdout", seed=seed) for seed in (1, 2))
    assert one.record["fingerprints"]["test"] == two.record["fingerprints"]["test"]
    assert one.record["fingerprints"]["validation"] != two.record["fingerprints"]["validation"]
    again = separate(series, "holdout", seed=1)
    assert one.record == again.record


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
        assert cut.record["fingerprints"][part] == whole.record["fingerprints"][part]
    with pytest.raises(UsageError, match="--rows 1000: the training part has"):
        separate(series, "holdout", seed=0, rows=1000)


def test_inter_patient_shares_no_patient_on_either_border(series: LabelledSeries) -> None:
    parts = separate(series, "inter-patient", seed=0)
    groups = [set(rows.groups.tolist()) for rows in (parts.train, parts.validation, opened(parts))]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert parts.record["shared_groups"]["train/test"] == []
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
    assert f"the test part has a fifth of the {plural}, drawn once" in separate(named, "inter-patient", seed=0).notes
    assert any(f" {plural} of the test part are " in note for note in separate(named, "holdout", seed=0).notes)


def test_a_split_may_score_fewer_classes(series: LabelledSeries) -> None:
    parts = separate(published(series, classes=("c", "a")), "official", seed=0)
    assert parts.classes == ("c", "a")
    train = parts.train
    assert set(train.labels) == {0, 1}
    assert (series.labels[train.index[train.labels == 0]] == 2).all()


def test_rows_left_out_are_nowhere(series: LabelledSeries) -> None:
    split = np.full(len(series.labels), TRAIN, dtype=np.int8)
    split[::4], split[1::4] = TEST, LEFT_OUT
    parts = separate(replace(series, splits={"official": DeclaredSplit(split)}), "official", seed=0)
    seen = np.concatenate([parts.train.index, parts.validation.index, opened(parts).index])
    assert not np.isin(np.arange(1, len(series.labels), 4), seen).any()


def test_equal_rows_on_both_sides_are_counted_and_said(series: LabelledSeries) -> None:
    values = series.values.copy()
    values[0] = values[1]  # row 0 is of the test part, row 1 is not
    parts = separate(published(replace(series, values=values)), "official", seed=0)
    shared = parts.record["shared_rows"]
    assert shared["train/test"] + shared["validation/test"] == 1
    assert any("1 test rows are equal" in note for note in parts.notes)


@pytest.mark.parametrize(
    ("protocol", "change", "error", "message"),
    [
        ("official", {}, DataError, "no published split: use --protocol holdout"),
        ("inter-patient", {"groups": None}, DataError, "name the column with --group"),
        ("inter-patient", {"refusals": {"inter-patient": "no patients here"}}, DataError, "no patients here"),
        ("offical", {}, UnknownName, r"no protocol named 'offical'. Did you mean official\?"),
        ("inter-patient", {"groups": np.zeros(240)}, DataError, "needs two groups or more"),
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
    assert parts.record["rows"] == {"train": 20 * (each - 2), "validation": 20, "test": 20}


def test_classes_too_small_to_separate_are_named(series: LabelledSeries) -> None:
    labels = np.where(series.labels == 2, 0, series.labels)
    labels[5] = 2
    with pytest.raises(DataError, match="class 'c' has 1 row, and train, validation and test need one each"):
        separate(replace(series, labels=labels), "holdout", seed=0)
    split = np.full(240, TRAIN, dtype=np.int8)
    split[:40] = TEST
    lone = replace(series, labels=labels, splits={"official": DeclaredSplit(split)})
    with pytest.raises(DataError, match="class 'c' has rows to be scored on and none to train on"):
        separate(lone, "official", seed=0)


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
    assert len(test.open()) == len(test)
    with pytest.raises(SealError, match="opened already"):
        test.open()
    with pytest.raises(SealError, match="no other run can have it"):
        test.another()


def test_another_run_gets_a_seal_of_its_own(series: LabelledSeries) -> None:
    parts = separate(series, "holdout", seed=0)
    first, second = parts.for_run(), parts.for_run()
    first.test.training_ended()
    first.test.open()
    with pytest.raises(SealError, match="until training has ended"):
        second.test.open()


def test_the_test_part_does_not_travel(series: LabelledSeries) -> None:
    with pytest.raises(SealError, match="does not leave the process"):
        pickle.dumps(separate(series, "holdout", seed=0))
    assert "rows" not in vars(SealedTest(separate(series, "holdout", seed=0).train))


def test_hashes_tell_rows_apart_and_fingerprints_tell_labels_apart(series: LabelledSeries) -> None:
    hashes = row_hashes(series.values)
    assert len(np.unique(hashes)) == len(hashes)
    values = series.values.copy()
    values[3, 0, 7] = np.nextafter(values[3, 0, 7], np.float32(9))
    assert (row_hashes(values) != hashes).sum() == 1
    rows = separate(series, "holdout", seed=0).train
    assert fingerprint(rows) != fingerprint(replace(rows, labels=rows.labels[::-1].copy()))
