"""Classes that a request merges or leaves out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from zoo.data.classes import with_classes
from zoo.data.protocols import separate
from zoo.data.series import TEST, TRAIN, DeclaredSplit, LabelledSeries
from zoo.errors import DataError, UnknownName, UsageError

CLASSES = ("N", "S", "V", "F", "a,b")
MARKS = np.array([TRAIN, TEST] * 5, np.int8)


def beats(scored: tuple[str, ...] | None = None) -> LabelledSeries:
    """Two rows of each class, of ten patients; row r has the samples r, r + 1, r + 2."""
    rows = np.arange(10, dtype=np.float32)
    return LabelledSeries(
        rows[:, np.newaxis, np.newaxis] + np.arange(3, dtype=np.float32),
        np.repeat(np.arange(5), 2),
        CLASSES,
        groups=np.arange(10),
        lengths=np.array([3, 2] * 5),
        splits={"official": DeclaredSplit(MARKS, classes=scored)},
        notes=("ten beats",),
    )


@pytest.mark.parametrize(
    ("drop", "left", "notes"),
    [
        (["F"], ("N", "S", "V", "a,b"), ["2 rows of class F left out"]),
        (["F", "S"], ("N", "V", "a,b"), ["2 rows of class F left out", "2 rows of class S left out"]),
        (["F, S"], ("N", "V", "a,b"), ["2 rows of class F left out", "2 rows of class S left out"]),
        (["a,b"], ("N", "S", "V", "F"), ["2 rows of class a,b left out"]),
    ],
)
def test_rows_of_dropped_classes_are_nowhere(drop: list[str], left: tuple[str, ...], notes: list[str]) -> None:
    found = with_classes(beats(), drop=drop, merge=())
    kept = [row for row in range(10) if CLASSES[row // 2] in left]
    assert found.classes == left
    assert found.values[:, 0, 0].tolist() == kept
    assert [left[label] for label in found.labels] == [CLASSES[row // 2] for row in kept]
    assert found.groups is not None
    assert found.lengths is not None
    assert found.groups.tolist() == kept
    assert found.lengths.tolist() == [3, 2] * len(left)
    assert found.splits["official"].parts.tolist() == MARKS[kept].tolist()
    assert found.notes == ("ten beats", *notes)


@pytest.mark.parametrize(
    ("merge", "classes", "labels", "note"),
    [
        (["S=V,F"], ("N", "S", "a,b"), [0, 0, 1, 1, 1, 1, 1, 1, 2, 2], "4 rows of classes V, F counted as class S"),
        (
            ["X=V,F"],
            ("N", "S", "X", "a,b"),
            [0, 0, 1, 1, 2, 2, 2, 2, 3, 3],
            "4 rows of classes V, F counted as class X",
        ),
        (["X = N, F"], ("X", "S", "V", "a,b"), [0, 0, 1, 1, 2, 2, 0, 0, 3, 3], "4 rows of classes N, F counted as "),
        (["N=a,b"], ("N", "S", "V", "F"), [0, 0, 1, 1, 2, 2, 3, 3, 0, 0], "2 rows of class a,b counted as class N"),
    ],
)
def test_merged_classes_are_one(merge: list[str], classes: tuple[str, ...], labels: list[int], note: str) -> None:
    found = with_classes(beats(), drop=(), merge=merge)
    assert (found.classes, found.labels.tolist(), found.labels.dtype) == (classes, labels, np.int64)
    assert found.values.shape == (10, 1, 3)
    assert found.notes[1].startswith(note)


def test_series_are_as_long_as_the_longest_that_is_left() -> None:
    lengths = np.array([1, 1, 2, 2, 2, 2, 2, 2, 3, 3])
    values = np.where(np.arange(3) < lengths[:, None, None], beats().values, np.float32(0))
    padded = replace(beats(), values=values, lengths=lengths)
    left = with_classes(padded, drop=["a,b"], merge=[])
    assert (left.values.shape, left.lengths.tolist()) == ((8, 1, 2), lengths[:8].tolist())
    equal = with_classes(padded, drop=["a,b", "N"], merge=[])
    assert (equal.values.shape, equal.lengths) == ((6, 1, 2), None)


def test_a_merged_class_may_be_dropped_and_scored_classes_follow() -> None:
    found = with_classes(beats(("N", "V", "F")), drop=["N"], merge=["X=V,F"])
    assert (found.classes, found.splits["official"].classes) == (("S", "X", "a,b"), ("X",))
    twice = replace(beats(), labels=np.arange(10) % 2 * 2, groups=None)
    parts = separate(with_classes(twice, drop=["S"], merge=["X=V,F"]), "holdout", seed=0)
    assert parts.classes == ("N", "X", "a,b")
    assert parts.notes == ("ten beats", "5 rows of classes V, F counted as class X", "0 rows of class S left out")


@pytest.mark.parametrize(
    ("drop", "merge", "error", "message"),
    [
        (["G"], [], UnknownName, "no class named 'G'. Available: F, N, S, V, a,b."),
        ([], ["S=J"], UnknownName, "no class named 'J'"),
        (["V"], ["S=V"], UnknownName, "no class named 'V'"),
        ([], ["S"], UsageError, "--merge-class must be NEW=OLD,OLD, such as S=A,J, not 'S'"),
        ([], ["=V"], UsageError, "--merge-class must be"),
        ([], ["S=V", "N=V"], UsageError, "puts class 'V' into 'S' and 'N': name one"),
        ([], ["S=V", "N=S"], UsageError, "puts 'V' into 'S' and 'S' into 'N': name the last"),
        (["N,S,V,F"], [], DataError, "only class 'a,b' is left, but a data set needs two"),
        (["N,S,V,F", "a,b"], [], DataError, "no row is left without class N, S, V, F, a,b"),
    ],
)
def test_what_cannot_be_merged_or_dropped_is_one_line(
    drop: Sequence[str], merge: Sequence[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        with_classes(beats(), drop=drop, merge=merge)
    assert message in str(caught.value)
