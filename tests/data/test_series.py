"""What a data set promises is checked where it is made."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.data.series import LabelledSeries
from zoo.errors import DataError


def with_nan(series: LabelledSeries) -> np.ndarray:
    values = series.values.copy()
    values[7, 0, 3] = np.nan
    return values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"values": s.values.astype(np.float64)}, "values are float64"),
        (lambda s: {"values": s.values[:, 0]}, r"not float32 \(rows, channels, times\)"),
        (lambda s: {"values": with_nan(s)}, "row 7 has NaN or infinite samples"),
        (lambda s: {"labels": s.labels + 1}, "labels go from 1 to 3, and 0 to 2 is what there is"),
        (lambda s: {"labels": s.labels - 1}, "labels go from -1"),
        (lambda s: {"labels": s.labels.astype(np.float32)}, "labels are float32, not int64"),
        (lambda s: {"labels": s.labels[:5]}, "labels have the shape"),
        (lambda s: {"classes": ("a", "b", "b")}, "class names are not unique"),
        (lambda s: {"lengths": np.full(240, 49)}, "lengths go from 49 to 49, and 1 to 48 is what there is"),
        (lambda s: {"groups": s.groups[:3]}, "groups have the shape"),
        (lambda s: {"values": s.values[:0], "labels": s.labels[:0], "groups": None}, "the data set has no rows"),
    ],
)
def test_what_is_not_as_promised_is_one_line(series: LabelledSeries, change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(series, **change(series))
