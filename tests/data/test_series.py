"""What a data set promises is checked where it is made."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, LabelledSeries
from zoo.errors import DataError


def with_broken(series: LabelledSeries, *places: tuple[int, int, int], value: float = np.nan) -> np.ndarray:
    values = np.concatenate([series.values, -series.values], axis=1)
    for place in places:
        values[place] = value
    return values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"values": s.values.astype(np.float64)}, "values are float64"),
        (lambda s: {"values": s.values[:, 0]}, r"not float32 \(rows, channels, times\)"),
        (lambda s: {"values": with_broken(s, (7, 0, 3), (9, 0, 0))}, "row 7 has NaN or infinite samples"),
        (lambda s: {"values": with_broken(s, (239, 1, 47), value=-np.inf)}, "row 239 has NaN or infinite samples"),
        (lambda s: {"values": s.values[..., None]}, "values are float32"),
        (lambda s: {"labels": s.labels + 1}, "labels range from 1 to 3; expected 0 to 2"),
        (lambda s: {"labels": s.labels - 1}, "labels range from -1"),
        (lambda s: {"labels": s.labels.astype(np.float32)}, "labels are float32, not int64"),
        (lambda s: {"labels": s.labels[:5]}, "labels have the shape"),
        (lambda s: {"classes": ("a", "b", "b")}, "class names are not unique"),
        (lambda s: {"lengths": np.full(240, 49)}, "lengths range from 49 to 49; expected 1 to 48"),
        (lambda s: {"lengths": np.arange(240) % 49}, "lengths range from 0 to 48; expected 1 to 48"),
        (lambda s: {"lengths": np.full(240, 48.0)}, "lengths are float64, not int64"),
        (lambda s: {"lengths": np.full(239, 48)}, r"lengths have the shape \(239,\), not \(240,\)"),
        (lambda s: {"groups": s.groups[:3]}, "groups have the shape"),
        (lambda s: {"values": s.values[:0], "labels": s.labels[:0], "groups": None}, "the data set has no rows"),
    ],
)
def test_what_is_not_as_promised_is_one_line(series: LabelledSeries, change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(series, **change(series))


def test_what_is_as_promised_is_taken_up_to_its_bounds(series: LabelledSeries) -> None:
    lengths = np.arange(240) % 48 + 1
    wider = replace(series, values=with_broken(series), lengths=lengths, classes=("a", "b", "c", "without rows"))
    assert (wider.n_channels, wider.n_times) == (2, 48)
    assert (wider.group_noun, wider.splits, wider.refusals, wider.notes) == ("patient", {}, {}, ())


def test_parts_are_numbered_as_plugins_and_files_number_them() -> None:
    assert (LEFT_OUT, TRAIN, VALIDATION, TEST) == (-1, 0, 1, 2)
    split = DeclaredSplit(np.zeros(3, np.int8))
    assert (split.classes, split.by_group, split.keep_in_train, split.notes) == (None, False, (), ())
