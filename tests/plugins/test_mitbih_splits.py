"""The published splits of mitbih on made-up beats: which record is on which side, and what is said of it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from zoo.data import LEFT_OUT, TEST, TRAIN, LabelledSeries
from zoo.data.protocols import Parts, separate
from zoo_mitbih.beats import CLASS_OF
from zoo_mitbih.rows import CLASSES, Rows, in_order
from zoo_mitbih.splits import DS1, DS2, PACED, RECORDS, inter_patient, official, patients

# de Chazal et al. 2004.
TRAINED = [101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122, 124, 201, 203, 205, 207, 208, 209, 215, 220, 223, 230]
TESTED = [100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210, 212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234]
WITH_PACEMAKER = [102, 104, 107, 217]

Ints = npt.NDArray[np.int64]


def beats(*counts: tuple[int, int, int]) -> tuple[Ints, Ints]:
    """Records and labels: one beat of each class from each record, and `(record, label, more)` where there are more."""
    records = [
        *np.repeat(sorted(TRAINED + TESTED + WITH_PACEMAKER), 5),
        *(row[0] for row in counts for _ in range(row[2])),
    ]
    labels = [*np.tile(np.arange(5), 48), *(row[1] for row in counts for _ in range(row[2]))]
    return np.array(records, np.int64), np.array(labels, np.int64)


def on_side(split: Any, records: Ints, part: int) -> list[int]:
    return np.unique(records[split.parts == part]).tolist()


def test_ds1_and_ds2_are_those_of_de_chazal() -> None:
    assert [*DS1] == TRAINED
    assert [*DS2] == TESTED
    assert [*PACED] == WITH_PACEMAKER
    assert [*RECORDS] == sorted(TRAINED + TESTED + WITH_PACEMAKER)
    assert len(RECORDS) == 48


def test_records_201_and_202_are_one_patient() -> None:
    records = np.array([200, 201, 202, 203, 202])
    assert patients(records).tolist() == [200, 201, 201, 203, 201]
    assert records.tolist() == [200, 201, 202, 203, 202]
    assert len(np.unique(patients(np.array(RECORDS)))) == 47


@pytest.mark.parametrize(
    ("strict", "tested", "left_out", "kept"),
    [
        (False, TESTED, WITH_PACEMAKER, {208, 201}),
        (True, [record for record in TESTED if record != 202], sorted([*WITH_PACEMAKER, 202]), {208}),
    ],
)
def test_the_sides_of_the_published_split_by_patient(
    strict: bool, tested: list[int], left_out: list[int], kept: set[int]
) -> None:
    records, labels = beats()
    split = inter_patient(records, labels, strict=strict)
    assert [on_side(split, records, part) for part in (TRAIN, TEST, LEFT_OUT)] == [TRAINED, tested, left_out]
    assert split.parts.dtype == np.int8
    assert split.by_group
    assert split.classes == ("N", "S", "V", "F")
    assert set(split.keep_in_train) == kept


# Beside the one of each record: Q of 101, 203 (DS1), 100, 202 (DS2) and 102 (paced); F of 208, 101 (DS1) and 213 (DS2).
MORE = [(101, 4, 2), (203, 4, 1), (100, 4, 4), (202, 4, 7), (102, 4, 50), (208, 3, 30), (101, 3, 3), (213, 3, 60)]


@pytest.mark.parametrize(
    ("strict", "shared", "dropped"),
    [
        (
            False,
            "as published, one patient is in both sets: record 201 in the training set, record 202 in the test set",
            "58 rows of class Q are left out, 25 of DS1 and 33 of DS2",
        ),
        (
            True,
            "record 202 is left out: its patient's other record, 201, is in the training set",
            "50 rows of class Q are left out, 25 of DS1 and 25 of DS2",
        ),
    ],
)
def test_notes_say_which_rows_are_left_out_and_why_record_208_stays(strict: bool, shared: str, dropped: str) -> None:
    assert inter_patient(*beats(*MORE), strict=strict).notes == (
        shared,
        dropped,
        "31 of the 55 F rows of DS1 are from record 208, which therefore stays in the training set",
        "paced records 102, 104, 107, 217 are left out",
    )


def test_the_official_split_is_the_files() -> None:
    parts = np.array([TRAIN, TEST, TRAIN], np.int8)
    split = official(parts)
    assert split.parts.tolist() == parts.tolist()
    assert (split.classes, split.by_group, split.keep_in_train) == (None, False, ())
    (note,) = split.notes
    assert note.startswith("split by beat, not by patient: about 96 % of the test beats have a direct neighbour")


def separated(strict: bool, seed: int) -> tuple[Parts, Ints]:
    """A run's parts, and the record of each row: five beats of each class and record."""
    records, labels = (np.repeat(one, 5) for one in beats())
    values = np.arange(len(labels) * 4, dtype=np.float32).reshape(-1, 1, 4)
    name = "inter-patient-strict" if strict else "inter-patient"
    splits = {name: inter_patient(records, labels, strict=strict)}
    series = LabelledSeries(values, labels, CLASSES, patients(records), splits=splits)
    return separate(series, name, seed=seed), records


@pytest.mark.parametrize("strict", [False, True])
def test_a_run_by_patient_is_validated_by_patients_of_ds1_and_scores_four_classes(strict: bool) -> None:
    drawn = set()
    for seed in range(6):
        parts, records = separated(strict, seed)
        parts.test.training_ended()
        test = parts.test.open()
        inside = [np.unique(records[rows.index]).tolist() for rows in (parts.train, parts.validation, test)]
        assert sorted(inside[0] + inside[1]) == TRAINED
        assert inside[2] == [record for record in TESTED if record != 202 or not strict]
        assert len(inside[1]) == 4
        assert 208 in inside[0]
        assert strict or 201 in inside[0]
        assert parts.summary["shared_groups"]["train/test"] == ([] if strict else [201])
        assert parts.summary["shared_groups"]["validation/test"] == []
        assert parts.summary["class_counts"]["test"] == [5 * len(inside[2])] * 4
        drawn |= set(inside[1])
    assert len(drawn) > 8


@pytest.mark.parametrize(
    ("name", "symbols"), [("N", "NLRej"), ("S", "AaJS"), ("V", "VE"), ("F", "F"), ("Q", "/fQ"), (None, '+~|"!x[]tpB?')]
)
def test_symbols_have_their_aami_classes(name: str | None, symbols: str) -> None:
    assert [*CLASSES] == ["N", "S", "V", "F", "Q"]
    number = None if name is None else CLASSES.index(name)
    assert [CLASS_OF.get(symbol) for symbol in symbols] == [number] * len(symbols)
    assert len(CLASS_OF) == 15


def test_rows_are_in_the_order_of_their_samples_then_label_record_and_part() -> None:
    wanted = [(0.0, 2, 100, TRAIN), (0.5, 0, 101, TEST), (0.5, 1, 100, TEST), (0.5, 1, 100, TEST + 1), (0.5, 1, 103, 0)]
    for order in np.random.default_rng(0).permutation(np.tile(np.arange(5), (4, 1)), axis=1):
        heights, labels, records, parts = (
            np.array(one) for one in zip(*(wanted[place] for place in order), strict=True)
        )
        values = np.repeat(heights[:, np.newaxis], 187, axis=1).astype(np.float32)
        values[labels == 2] *= -1  # a zero with a sign, as a CSV may have it
        found = in_order(Rows(values, labels, records, parts.astype(np.int8), ("note",)))
        assert [*zip(found.values[:, 5], found.labels, found.records, found.parts, strict=True)] == wanted  # type: ignore[arg-type]
        assert not np.signbit(found.values).any()
        assert found.notes == ("note",)


def test_rows_without_records_or_parts_are_ordered_too() -> None:
    values = np.zeros((3, 187), np.float32)
    found = in_order(Rows(values, np.array([2, 0, 1]), None, np.array([0, 1, 0], np.int8)))
    assert (found.labels.tolist(), found.records, found.parts.tolist()) == ([0, 1, 2], None, [1, 0, 0])  # type: ignore[union-attr]
    found = in_order(Rows(values, np.array([0, 0, 0]), np.array([9, 7, 8])))
    assert (found.records.tolist(), found.parts) == ([7, 8, 9], None)  # type: ignore[union-attr]


def test_the_order_of_equal_rows_is_that_of_their_labels_however_many_there_are() -> None:
    labels = np.random.default_rng(0).integers(5, size=400)
    found = in_order(Rows(np.zeros((400, 187), np.float32), labels))
    assert found.labels.tolist() == sorted(labels.tolist())
