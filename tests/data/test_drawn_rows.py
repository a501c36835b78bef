"""Which rows a protocol draws, to the row, and the fingerprints that say so.

Results are compared over years by what stands here in figures: a change of any of them parts new results from old.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from zoo.data.fingerprints import fingerprint, pool_fingerprint, row_hashes
from zoo.data.protocols import declared_split, separate, stratified
from zoo.data.rows import Rows, balanced
from zoo.data.series import LEFT_OUT, TEST, TRAIN, DeclaredSplit, LabelledSeries
from zoo.errors import DataError, UsageError

Owners = npt.NDArray[np.int64]
HOLDOUT = [2, 4, 12, 14, 16, 18, 19, 24, 27, 29, 32, 43, 54, 57, 68, 70, 78, 83, 84, 93]
WEIGHTS = [11749869230777074271, 4976686463289251617, 755828109848996025, 304881062738325533]


def counting(labels: Sequence[int] | npt.NDArray[Any], **more: Any) -> LabelledSeries:
    """Rows of whole numbers, 10 to 13, 20 to 23 and so on: the same bits on every machine."""
    found = np.asarray(labels, np.int64)
    values = 10 * np.arange(1, len(found) + 1)[:, np.newaxis, np.newaxis] + np.arange(4)
    return LabelledSeries(values.astype(np.float32), found, **{"classes": ("a", "b", "c"), **more})


def hundred(**more: Any) -> LabelledSeries:
    """60 rows of a, 30 of b and 10 of c, by turns; ten patients of ten rows, all with the same class counts."""
    return counting(np.repeat([0, 1, 2], [6, 3, 1])[np.arange(100) % 10], groups=np.arange(100) // 10, **more)


def opened(series: LabelledSeries, protocol: str, seed: int = 0) -> Rows:
    seal = separate(series, protocol, seed=seed).test
    seal.training_ended()
    return seal.open()


@pytest.mark.parametrize(
    ("seed", "validation"),
    [
        (0, [3, 10, 37, 40, 44, 67, 69, 90]),
        (1, [33, 48, 50, 52, 62, 77, 81, 89]),
        (7, [22, 37, 42, 45, 56, 59, 74, 91]),
    ],
)
def test_a_holdout_is_a_fifth_whatever_the_seed_and_validation_a_tenth_of_the_rest(
    seed: int, validation: list[int]
) -> None:
    parts = separate(hundred(), "holdout", seed=seed)
    assert opened(hundred(), "holdout", seed).index.tolist() == HOLDOUT
    assert parts.validation.index.tolist() == validation
    assert parts.train.index.tolist() == sorted({*range(100)} - {*HOLDOUT, *validation})
    assert parts.summary["class_counts"] == {"train": [43, 22, 7], "validation": [5, 2, 1], "test": [12, 6, 2]}
    assert parts.summary["fingerprints"]["test"] == "a466d0a3a0ff5fc8"
    assert parts.summary["fingerprints"]["pool"] == "9d6b32d7c487b99d"


@pytest.mark.parametrize(("seed", "validation"), [(0, [2, 5]), (1, [0, 7]), (7, [0, 8])])
def test_of_patients_that_are_alike_the_first_draw_stands(seed: int, validation: list[int]) -> None:
    parts = separate(hundred(), "inter-patient", seed=seed)
    tested = opened(hundred(), "inter-patient", seed)
    assert tested.index.tolist() == [*range(40, 50), *range(60, 70)]
    assert np.unique(parts.validation.groups).tolist() == validation  # type: ignore[arg-type]
    assert len(parts.validation) == 20
    assert parts.summary["fingerprints"]["test"] == "0e737fa075c25326"
    assert parts.summary["fingerprints"]["pool"] == "04db87d2b02c1c53"


THREE, FIVE = (0.6, 0.3, 0.1), (0.4, 0.3, 0.15, 0.1, 0.05)


def patients(seed: int, rows: int, rare: int | None = None, shares: tuple[float, ...] = THREE) -> tuple[Owners, Owners]:
    """Labels and owners of rows of twenty patients; `rare` patients have all rows of class 2."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(shares), rows, p=shares)
    owners = rng.integers(20, size=rows)
    return labels, owners if rare is None else np.where(labels == 2, owners % rare, owners)


def nearest(labels: Owners, owners: Owners, rng: np.random.Generator, pinned: Sequence[int] = ()) -> list[int]:
    """By the rule, written out: a fifth of the patients, of 200 draws the one with the nearest class shares.

    Draws that leave a class fewer than ten rows on either side come after those that leave more.
    """
    names = np.unique(owners)
    free = np.flatnonzero(~np.isin(names, pinned))
    shares = np.bincount(labels) / len(labels)
    draws = [names[rng.permutation(free)[: round(len(names) / 5)]] for _ in range(200)]
    ranks = []
    for draw in draws:
        inside = np.bincount(labels[np.isin(owners, draw)], minlength=len(shares))
        fewest = min(10, *inside, *(np.bincount(labels) - inside))
        ranks.append((-fewest, float(np.abs(inside / inside.sum() - shares).sum())))
    return sorted(draws[ranks.index(min(ranks))].tolist())


# Seeds of data whose best draw is another one where: 199 or 201 are drawn; nine or eleven rows are enough, or none
# are asked for; only the drawn side, or only the other, is looked at; the largest difference counts, or the squares.
@pytest.mark.parametrize(
    ("seed", "rows", "rare", "shares"),
    [
        (171, 120, None, THREE),
        (140, 120, None, THREE),
        (3, 500, None, THREE),
        (5, 500, None, THREE),
        (33, 300, 2, THREE),
        (41, 300, 2, THREE),
        (8, 600, None, FIVE),
    ],
)
def test_of_two_hundred_draws_of_patients_the_nearest_to_the_class_shares_is_the_test(
    seed: int, rows: int, rare: int | None, shares: tuple[float, ...]
) -> None:
    labels, owners = patients(seed, rows, rare, shares)
    declared = declared_split(counting(labels, groups=owners, classes=tuple("abcde")), "inter-patient")
    assert (declared.by_group, declared.parts.dtype) == (True, np.int8)
    assert np.unique(owners[declared.parts == TEST]).tolist() == nearest(labels, owners, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(3))
def test_validation_patients_are_the_nearest_of_those_that_may_leave_training(seed: int) -> None:
    labels, owners = patients(3, 500)
    parts = np.where(owners < 4, TEST, TRAIN).astype(np.int8)
    declared = DeclaredSplit(parts, by_group=True, keep_in_train=(7, 11, 2))
    series = counting(labels, groups=owners, splits={"inter-patient": declared})
    found = separate(series, "inter-patient", seed=seed)
    left = parts == TRAIN
    expected = nearest(labels[left], owners[left], np.random.default_rng(seed), pinned=(7, 11))
    assert np.unique(found.validation.groups).tolist() == expected  # type: ignore[arg-type]
    assert set(found.train.groups) == {*range(4, 20)} - set(expected)  # type: ignore[arg-type]


def of_patients(*each: Sequence[int], **more: Any) -> LabelledSeries:
    """A series of patients with these labels."""
    labels = [label for mine in each for label in mine]
    return counting(labels, groups=np.repeat(np.arange(len(each)), [len(mine) for mine in each]), **more)


def test_one_patient_is_drawn_of_two() -> None:
    series = of_patients([0, 1], [0, 1], [0, 1])
    parts = separate(series, "inter-patient", seed=0)
    assert [len(np.unique(rows.groups)) for rows in (parts.train, parts.validation)] == [1, 1]  # type: ignore[arg-type]
    assert parts.summary["rows"] == {"train": 2, "validation": 2, "test": 2}


def test_one_patient_that_may_leave_training_is_enough_and_none_is_not() -> None:
    split = np.repeat([TRAIN, TEST], [6, 2]).astype(np.int8)
    for pinned in ((0, 2), (0, 1, 2)):
        declared = DeclaredSplit(split, by_group=True, keep_in_train=pinned)
        series = of_patients([0, 1], [0, 1], [0, 1], [0, 1], splits={"inter-patient": declared})
        if len(pinned) == 2:
            assert separate(series, "inter-patient", seed=0).validation.groups.tolist() == [1, 1]  # type: ignore[union-attr]
        else:
            with pytest.raises(DataError, match="a split by group needs at least two groups"):
                separate(series, "inter-patient", seed=0)


@pytest.mark.parametrize("patients_labels", [([0, 1, 1], [0, 1], [0, 1, 2, 2]), ([0, 1, 1], [0, 1], [0, 1, 2])])
def test_a_class_of_one_patient_cannot_be_on_both_sides(patients_labels: tuple[Sequence[int], ...]) -> None:
    with pytest.raises(DataError, match="no split by group found with every class on both sides"):
        separate(of_patients(*patients_labels), "inter-patient", seed=0)


def test_a_class_without_rows_hinders_no_draw_of_patients() -> None:
    series = of_patients([0, 2], [0, 2], [0, 2], [0, 2], classes=("a", "none", "c", "none either"))
    parts = separate(series, "inter-patient", seed=0)
    assert parts.summary["class_counts"] == {"train": [2, 0, 2, 0], "validation": [1, 0, 1, 0], "test": [1, 0, 1, 0]}


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        (3, [1, 1, 1]),
        (5, [3, 1, 1]),  # shares 4.2, 0.8 and 0.04: the rare ones get one, and a, which has more, pays
        (17, [14, 2, 1]),
        (100, [83, 16, 1]),  # 83.3, 15.8 and 0.8: b lost most by rounding
        (239, [199, 38, 2]),  # 199.2, 37.8 and 1.99: c first, then b
        (240, [200, 38, 2]),
        (999, [200, 38, 2]),
    ],
)
def test_rounding_is_settled_with_the_classes_that_it_cost_most(size: int, counts: list[int]) -> None:
    labels = np.tile(np.repeat([5, 7, 9], [100, 19, 1]), 2)
    chosen = stratified(labels, size, np.random.default_rng(0))
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert [int((labels[chosen] == label).sum()) for label in (5, 7, 9)] == counts


@pytest.mark.parametrize(
    ("counts", "size", "left"),
    [
        ([1, 1, 1, 50], 4, [1, 1, 1, 1]),
        ([60, 30, 1, 1, 1], 9, [4, 2, 1, 1, 1]),  # 5.8 and 2.9 became 5 and 2: a lost less, and pays
    ],
)
def test_one_row_of_each_rare_class_is_paid_for_by_classes_that_have_more(
    counts: list[int], size: int, left: list[int]
) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    chosen = stratified(labels, size, np.random.default_rng(0))
    assert np.bincount(labels[chosen]).tolist() == left


def test_fewer_rows_than_classes_are_refused() -> None:
    with pytest.raises(UsageError, match="2 rows cannot hold all 3 classes"):
        separate(hundred(), "holdout", seed=0, rows=2)


def test_rows_are_cut_by_class_out_of_training_alone() -> None:
    whole = separate(hundred(), "holdout", seed=0)
    cut = separate(hundred(), "holdout", seed=0, rows=36)
    assert cut.summary["class_counts"] == {"train": [22, 11, 3], "validation": [5, 2, 1], "test": [12, 6, 2]}
    assert set(cut.train.index) < set(whole.train.index)
    assert cut.validation.index.tolist() == whole.validation.index.tolist()
    assert cut.summary["fingerprints"]["pool"] == whole.summary["fingerprints"]["pool"]
    assert cut.summary["fingerprints"]["train"] == "66d7e6ee1d93f498"


@pytest.mark.parametrize(("rows", "sized", "left"), [(72, False, 72), (36, True, 36), (72, True, 72), (900, True, 72)])
def test_as_many_rows_as_there_are_is_no_error_and_more_are_none_where_they_were_generated(
    rows: int, sized: bool, left: int
) -> None:
    train = separate(hundred(), "holdout", seed=0, rows=rows, sized=sized).train
    assert (len(train), train.cut) == (left, left < 72)


@pytest.mark.parametrize("rows", [73, 200])
def test_more_rows_than_there_are_are_all_rows_with_a_note(rows: int) -> None:
    whole, asked = separate(hundred(), "holdout", seed=0), separate(hundred(), "holdout", seed=0, rows=rows)
    assert asked.notes == (*whole.notes, f"--rows {rows}: the training set has only 72 rows, which are all used")
    assert asked.summary == whole.summary
    assert (asked.train.cut, asked.whole, whole.whole) == (False, True, False)


def test_of_groups_more_rows_than_any_seed_has_are_all_rows() -> None:
    labels = np.arange(120) % 2
    groups = np.repeat(np.arange(12), 10)
    values = np.random.default_rng(0).normal(size=(120, 1, 9)).astype(np.float32)
    grouped = LabelledSeries(values, labels, ("a", "b"), groups=groups)
    found = {rows: separate(grouped, "inter-patient", seed=0, rows=rows) for rows in (20, 91, 101)}
    assert {rows: parts.whole for rows, parts in found.items()} == {20: False, 91: False, 101: True}
    assert [any("--rows" in note for note in parts.notes) for parts in found.values()] == [False, True, True]


def test_a_row_hash_is_the_sum_of_its_bits_by_fixed_weights() -> None:
    weights = row_hashes(np.eye(4, dtype=np.uint32).view(np.float32)[:, np.newaxis]).tolist()
    assert weights == WEIGHTS
    series = hundred()
    words = series.values.view(np.uint32).reshape(100, 4).tolist()
    expected = [sum(word * weight for word, weight in zip(row, weights, strict=True)) % 2**64 for row in words]
    assert row_hashes(series.values).tolist() == expected
    assert row_hashes(series.values.reshape(100, 2, 2)).tolist() == expected


def test_row_hashes_are_the_same_on_either_side_of_a_slice() -> None:
    values = np.arange(2 * 16_390, dtype=np.float32).reshape(-1, 1, 2)
    hashes = row_hashes(values)
    np.testing.assert_array_equal(hashes[::-1], row_hashes(values[::-1]))
    np.testing.assert_array_equal(hashes[16_380:], row_hashes(values[16_380:]))
    assert len(np.unique(hashes)) == 16_390


def test_the_fingerprint_of_a_part_is_of_its_values_labels_and_lengths_in_their_order() -> None:
    lengths = np.arange(100) % 4 + 1
    rows = separate(hundred(lengths=lengths), "holdout", seed=0).train
    assert rows.lengths is not None
    assert rows.lengths.tolist() == lengths[rows.index].tolist()
    bits = rows.values.tobytes() + rows.labels.tobytes() + rows.lengths.tobytes()
    assert fingerprint(rows) == hashlib.sha256(bits).hexdigest()[:16] == "ab3801fef3773b4a"
    changed = [
        replace(rows, values=rows.values[::-1]),
        replace(rows, labels=rows.labels[::-1]),
        replace(rows, lengths=rows.lengths[::-1]),
        replace(rows, lengths=None),
        Rows(rows.values[::-1], rows.labels[::-1], rows.index, lengths=rows.lengths[::-1]),
    ]
    assert len({fingerprint(rows), *map(fingerprint, changed)}) == 6
    assert fingerprint(replace(rows, groups=None, index=rows.index[::-1])) == fingerprint(rows)


def test_the_pool_is_all_rows_but_the_test_parts_in_any_order() -> None:
    series = hundred()
    pool = np.arange(100) < 80
    whole = pool_fingerprint(series, series.labels, pool)
    order = np.random.default_rng(1).permutation(100)
    mixed = replace(series, values=series.values[order], labels=series.labels[order])
    assert pool_fingerprint(mixed, mixed.labels, pool[order]) == whole
    swapped, scaled = series.labels.copy(), series.values.copy()
    swapped[[0, 9]] = swapped[[9, 0]]  # a row of a and a row of c, in the pool
    scaled[3, 0, 2] += 1
    assert pool_fingerprint(series, swapped, pool) != whole
    assert pool_fingerprint(replace(series, values=scaled), series.labels, pool) != whole
    assert pool_fingerprint(series, series.labels, np.arange(100) < 79) != whole
    twice = replace(series, values=np.where(np.arange(100)[:, None, None] == 80, series.values[60], series.values))
    assert pool_fingerprint(twice, twice.labels, np.arange(100) < 81) != whole  # row 60 once more
    scaled = series.values.copy()
    scaled[90] += 1  # a row of the test set
    assert pool_fingerprint(replace(series, values=scaled), series.labels, pool) == whole


def test_the_pool_depends_on_declared_lengths() -> None:
    series, pool = hundred(), np.arange(100) < 80
    lengths = np.full(100, series.n_times)
    declared = pool_fingerprint(replace(series, lengths=lengths), series.labels, pool)
    assert declared != pool_fingerprint(series, series.labels, pool)
    for row, same in ((0, False), (99, True)):  # in the pool, and in the test set
        shorter = lengths.copy()
        shorter[row] -= 1
        assert (pool_fingerprint(replace(series, lengths=shorter), series.labels, pool) == declared) == same


def test_the_pool_is_the_same_where_rows_are_left_out_or_validation_is_declared() -> None:
    split = np.where(np.arange(100) % 5 == 0, TEST, TRAIN).astype(np.int8)
    split[1::10] = LEFT_OUT
    declared = replace(hundred(), splits={"official": DeclaredSplit(split)})
    found = {separate(declared, "official", seed=seed).summary["fingerprints"]["pool"] for seed in (0, 1)}
    pool = split == TRAIN
    assert found == {pool_fingerprint(declared, declared.labels, pool)}


def test_the_fingerprint_of_groups_is_of_who_owns_each_row_of_which_part() -> None:
    found = separate(hundred(), "inter-patient", seed=0)
    owners = [
        ",".join(str(owner) for owner in part.groups)  # type: ignore[union-attr]
        for part in (found.train, found.validation, opened(hundred(), "inter-patient"))
    ]
    expected = hashlib.sha256("|".join(owners).encode()).hexdigest()[:16]
    assert found.summary["fingerprints"]["groups"] == expected == "60f70ed1ecba68ee"
    assert "groups" not in separate(hundred(), "holdout", seed=0).summary["fingerprints"]


def test_resampled_rows_stand_for_no_row_of_the_data_set_and_no_patient() -> None:
    rows = separate(hundred(lengths=np.full(100, 4)), "holdout", seed=0).train
    values, labels, lengths = rows.values[:5] + 1, rows.labels[:5], np.array([4, 3, 2, 1, 4])
    found = balanced(rows, values, labels, lengths)
    assert found.index.tolist() == [-1] * 5
    assert found.groups is None
    assert [found.values.tolist(), found.labels.tolist(), found.lengths.tolist()] == [  # type: ignore[union-attr]
        values.tolist(),
        labels.tolist(),
        lengths.tolist(),
    ]
