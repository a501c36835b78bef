"""Splits by group: which groups two sets share, and draws that grow to what the classes need."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from zoo.data.groups import kept_apart, says_shared, shared_by
from zoo.data.protocols import declared_split, default_protocol, separate
from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, LabelledSeries
from zoo.errors import DataError

Marks = npt.NDArray[np.int8]


def of_patients(each: Sequence[Sequence[int]], times: int = 4, **more: Any) -> LabelledSeries:
    """Rows of patients with these classes, `times` rows of each class."""
    labels = np.array([label for mine in each for label in mine for _ in range(times)], np.int64)
    owners = np.repeat(np.arange(len(each)), [times * len(mine) for mine in each])
    values = np.random.default_rng(0).normal(size=(len(labels), 1, 6)).astype(np.float32)
    return LabelledSeries(values, labels, tuple("abcdefghij"), groups=owners, **more)


def classes_of_sets(series: LabelledSeries, seed: int) -> list[set[int]]:
    parts = separate(series, "inter-patient", seed=seed)
    assert parts.summary.shared_groups == {"train/validation": [], "train/test": [], "validation/test": []}
    return [{n for n, count in enumerate(counts) if count} for counts in parts.summary.class_counts.values()]


@pytest.mark.parametrize(
    "each",
    [
        [[number % 5] for number in range(25)],  # five diagnoses, each patient has one
        [[number % 5] for number in range(15)],  # three patients each: one for each set
        [[number % 10] for number in range(30)],  # a fifth of the patients are six
        [[0, 1]] * 3,
        [[0]] * 40 + [[1]] * 3,
        [[0, 1], [1, 2], [0, 2], [0, 1], [1, 2], [0, 2]],
    ],
)
def test_a_split_by_patient_is_found_where_one_exists(each: Sequence[Sequence[int]]) -> None:
    series = of_patients(each)
    all_classes = {label for mine in each for label in mine}
    tests = set()
    for seed in range(4):
        assert classes_of_sets(series, seed) == [all_classes] * 3
        tests.add(separate(series, "inter-patient", seed=seed).summary.fingerprints["test"])
    assert len(tests) == 1


def test_no_more_patients_are_drawn_than_the_classes_need() -> None:
    series = of_patients([[number % 10] for number in range(30)])
    parts = separate(series, "inter-patient", seed=0)
    assert parts.summary.rows == {"train": 40, "validation": 40, "test": 40}
    assert "the test set has 10 of the patients, drawn once, as many as the classes need" in parts.notes


def test_a_class_that_no_draw_can_divide_is_named() -> None:
    three = "class 'c' has rows of 2 patients, but the training, validation and test set need one each: add rows, or"
    with pytest.raises(DataError, match=f"^no split by group found with every class on both sides: {three}"):
        separate(of_patients([[0], [0], [0], [1], [1], [1], [2], [2]]), "inter-patient", seed=0)
    odd = of_patients([[0, 1], [1, 2], [0, 2]])  # any two of them share a class that the third lacks
    with pytest.raises(DataError, match="no split by group found with every class on both sides"):
        separate(odd, "inter-patient", seed=0)


def halves(series: LabelledSeries, tested: Sequence[int], **more: Any) -> LabelledSeries:
    assert series.groups is not None
    marks = np.where(np.isin(series.groups, tested), TEST, TRAIN).astype(np.int8)
    return replace(series, splits={"official": DeclaredSplit(marks, **more)})


def test_a_published_split_whose_patients_do_not_overlap_is_a_split_by_patient() -> None:
    series = halves(of_patients([[0, 1, 2]] * 20), range(12, 20))
    for protocol in ("official", "inter-patient", "inter-patient-strict"):
        parts = separate(series, protocol, seed=0)
        assert parts.summary.by_group
        assert parts.summary.rows == {"train": 120, "validation": 24, "test": 96}
        assert parts.summary.shared_groups == {"train/validation": [], "train/test": [], "validation/test": []}
        assert "groups" in parts.summary.fingerprints
        assert parts.notes == ("the test set has 8 patients: too few for reliable intervals",)
    assert default_protocol(series) == "official"


def test_a_published_split_that_shares_a_patient_stays_a_split_by_row() -> None:
    series = halves(of_patients([[0, 1, 2]] * 20), range(12, 20))
    marks = series.splits["official"].parts.copy()
    marks[-1] = TRAIN
    series = replace(series, splits={"official": DeclaredSplit(marks)})
    parts = separate(series, "official", seed=0)
    assert not parts.summary.by_group
    assert parts.notes[0].startswith("1 of the 8 patients in the test set are also in the training or validation set")
    assert not np.array_equal(declared_split(series, "inter-patient").parts, marks)


def test_where_a_published_split_leaves_no_validation_patients_rows_are_drawn_and_said() -> None:
    series = halves(of_patients([[0, 1], [0, 2], [0], [0, 1, 2], [0, 1]]), [3, 4])
    parts = separate(series, "official", seed=0)
    assert parts.summary.by_group
    assert parts.notes[-1].startswith("the validation set is drawn by class, not by patient: no split by group found")
    assert parts.summary.class_counts["validation"][:3] == [1, 1, 1]


def test_a_published_validation_set_that_shares_a_patient_with_training_is_said() -> None:
    series = halves(of_patients([[0, 1, 2]] * 20), range(10, 20))
    marks = series.splits["official"].parts.copy()
    marks[:18:3] = VALIDATION
    parts = separate(replace(series, splits={"official": DeclaredSplit(marks)}), "official", seed=0)
    assert parts.notes == ("2 of the 2 patients in the validation set are also in the training set",)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ((), True),
        (("after de Chazal",), True),
        (("patient 9 is in both sets, as published",), True),
        (("patients 9 and 10 are in both sets",), False),
        (("as published, 2 patients are in both sets",), False),
    ],
)
def test_a_declared_split_by_patient_that_shares_one_says_it(own: tuple[str, ...], said: bool) -> None:
    series = of_patients([[0, 1, 2]] * 21)
    marks = np.where(np.arange(len(series.labels)) >= 9 * 12 + 6, TEST, TRAIN).astype(np.int8)
    marks[10 * 12] = TRAIN
    declared = replace(series, splits={"inter-patient": DeclaredSplit(marks, by_group=True, notes=own)})
    parts = separate(declared, "inter-patient", seed=0)
    note = (
        "2 of the 12 patients in the test set are also in the training or validation set, though this split is "
        "declared to separate patients: the scores are too high"
    )
    assert parts.notes == (*own, *([note] if said else []))


def test_the_groups_of_rows_left_out_are_in_no_set() -> None:
    groups = np.array(["a", "a", "b", "c"])
    split = DeclaredSplit(np.array([TRAIN, LEFT_OUT, TEST, VALIDATION], np.int8))
    assert kept_apart(groups, split)
    shared = DeclaredSplit(np.array([TRAIN, TEST, TEST, VALIDATION], np.int8))
    assert shared_by(shared, groups).tolist() == ["a"]
    assert not kept_apart(groups, shared)
    assert not kept_apart(None, split)
    assert not kept_apart(groups, DeclaredSplit(np.full(4, TRAIN, np.int8)))


def test_names_of_several_words_are_found_in_notes() -> None:
    assert says_shared(["record 201-b is in both"], np.array(["201-b"]), "record")
    assert not says_shared(["record 2011 is in both"], np.array([201]), "record")
