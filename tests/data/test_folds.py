"""Folds: every row in one fold, whatever the seed; by class, by group where groups are known; what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.data.folds import CROSS_VALIDATION, Fold, part_of_each_row
from zoo.data.protocols import Parts, separate
from zoo.data.series import TEST, TRAIN, DeclaredSplit, LabelledSeries
from zoo.errors import DataError, UsageError


def series(counts: tuple[int, ...] = (30, 12, 6), groups: int = 0) -> LabelledSeries:
    """Rows with different values; with `groups`, group 0 has the first row of each class, and so on."""
    labels = np.repeat(np.arange(len(counts)), counts)
    values = np.random.default_rng(0).normal(size=(len(labels), 1, 4)).astype(np.float32)
    owners = np.concatenate([np.arange(count) % groups for count in counts]) if groups else None
    return LabelledSeries(values, labels, tuple("ABC"[: len(counts)]), owners)


def folds(data: LabelledSeries, of: int, seed: int = 0, **more: float) -> list[Parts]:
    return [separate(data, CROSS_VALIDATION, seed=seed, fold=Fold(number, of), **more) for number in range(1, of + 1)]  # type: ignore[arg-type]


def opened(parts: Parts) -> np.ndarray:
    test = parts.for_run().test
    test.training_ended()
    return test.open().index


@pytest.mark.parametrize("groups", [0, 6])
@pytest.mark.parametrize("of", [2, 5])
def test_every_row_is_in_one_test_part_and_in_no_other_set_of_it(of: int, groups: int) -> None:
    data = series(groups=groups)
    found = folds(data, of)
    assert sorted(np.concatenate([opened(parts) for parts in found]).tolist()) == list(range(48))
    for parts in found:
        sets = [parts.train.index, parts.validation.index, opened(parts)]
        assert sorted(np.concatenate(sets).tolist()) == list(range(48))
        assert all(set(np.unique(data.labels[rows])) == {0, 1, 2} for rows in sets)
        if data.groups is not None:
            owners = [set(data.groups[rows].tolist()) for rows in sets]
            assert not any(owners[one] & owners[other] for one, other in ((0, 1), (0, 2), (1, 2)))
            assert parts.summary.by_group
    if not groups:
        shares = np.array([np.bincount(data.labels[opened(parts)]) for parts in found])
        assert (shares.max(0) - shares.min(0) <= 1).all()


def test_the_seed_draws_the_validation_rows_and_no_test_part() -> None:
    one, other = folds(series(), 3), folds(series(), 3, seed=1)
    assert [opened(parts).tolist() for parts in one] == [opened(parts).tolist() for parts in other]
    assert all((a.validation.index != b.validation.index).any() for a, b in zip(one, other, strict=True))


def test_all_folds_have_one_fingerprint_that_the_rows_their_groups_and_the_number_of_parts_decide() -> None:
    prints = [{parts.summary.fingerprints["folds"] for parts in folds(series(), of)} for of in (3, 4)]
    prints += [{parts.summary.fingerprints["folds"] for parts in folds(series(groups=6), 3)}]
    prints += [{parts.summary.fingerprints["folds"] for parts in folds(series((30, 12, 7)), 3)}]
    assert [len(each) for each in prints] == [1] * 4
    assert len(set.union(*prints)) == 4
    tests = {parts.summary.fingerprints["test"] for parts in folds(series(), 3)}
    assert len(tests) == 3


def test_without_validation_rows_a_class_needs_two_rows() -> None:
    found = folds(series((10, 2)), 2, validation=0.0)
    assert [len(parts.validation) for parts in found] == [0, 0]
    with pytest.raises(DataError, match="class 'B' has one row, but the training and validation set need one each"):
        folds(series((10, 2)), 2)


@pytest.mark.parametrize(
    ("data", "of", "message"),
    [
        (series(), 7, "--cv 7: class 'C' has 6 rows, and each of the 7 folds needs one: use --cv 6, or leave"),
        (series((9, 1)), 2, "--cv 2: class 'B' has 1 row, and each of the 2 folds needs one: leave the class out"),
        (series(groups=4), 5, "class 'A' has rows of 4 patients, and each of the 5 folds needs one: use --cv 4"),
        (series((30, 12, 1), groups=4), 2, "class 'C' has rows of 1 patient, and each of the 2"),
    ],
)
def test_more_parts_than_rows_or_groups_of_the_rarest_class_are_refused(
    data: LabelledSeries, of: int, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        folds(data, of)


def test_one_part_is_refused() -> None:
    with pytest.raises(UsageError, match="--cv must be at least 2, not 1"):
        folds(series(), 1)


def test_a_published_split_is_not_replaced_unless_the_protocol_was_named() -> None:
    split = DeclaredSplit(np.where(np.arange(48) % 4 == 0, TEST, TRAIN).astype(np.int8))
    published = replace(series(), splits={"official": split})
    with pytest.raises(
        DataError, match=r"published split, which --cv does not use: .* add --protocol cross-validation"
    ):
        folds(published, 3)
    named = separate(published, CROSS_VALIDATION, seed=0, fold=Fold(1, 3, named=True))
    assert "the published split is not used: cross-validation separates all rows anew" in named.notes
    assert len(opened(named)) == 16


def test_a_data_set_can_refuse_it_with_its_reason() -> None:
    refusing = replace(series(), refusals={CROSS_VALIDATION: "these rows follow each other"})
    with pytest.raises(DataError, match="these rows follow each other"):
        folds(refusing, 3)


def test_folds_by_group_are_drawn_once_for_all_folds_and_seeds_and_anew_for_other_groups() -> None:
    data = series((60, 24, 12), groups=6)
    assert data.groups is not None
    drawn = part_of_each_row(data, Fold(1, 3))
    assert part_of_each_row(replace(data, groups=np.array([f"p{each}" for each in data.groups])), Fold(2, 3)) is drawn
    assert part_of_each_row(data, Fold(1, 2)) is not drawn
    others = part_of_each_row(replace(data, groups=data.groups[::-1].copy()), Fold(1, 3))
    assert others is not drawn
    with pytest.raises(ValueError, match="read-only"):
        drawn[0] = 1
