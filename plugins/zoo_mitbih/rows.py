"""Heartbeats as rows, in an order that depends on nothing but what they are."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zoo.data import Floats, Ints

TIMES = 187
CLASSES = ("N", "S", "V", "F", "Q")


@dataclass(frozen=True)
class Rows:
    """Heartbeats of any form.

    values   float32 `(rows, 187)`
    labels   int64 `(rows,)`, indices into `CLASSES`
    records  int64 `(rows,)`, the record each beat is from, or None where the form names none
    parts    int8 `(rows,)`, the official TRAIN or TEST, or None where the form has no such split
    notes    what was done to the rows on the way
    """

    values: Floats
    labels: Ints
    records: Ints | None = None
    parts: npt.NDArray[np.int8] | None = None
    notes: tuple[str, ...] = ()

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Rows":
        """The rows at `index`, in its order."""
        return replace(
            self,
            values=self.values[index],
            labels=self.labels[index],
            records=None if self.records is None else self.records[index],
            parts=None if self.parts is None else self.parts[index],
        )


def in_order(rows: Rows) -> Rows:
    """The rows sorted by their samples' bytes, then label, record and part: the form leaves no trace."""
    # Zeros lose their sign, which a CSV may have given them.
    values = np.ascontiguousarray(rows.values + np.float32(0))
    samples = values.astype("<f4", copy=False).view(f"V{4 * TIMES}").ravel()
    ties = np.lexsort([key for key in (rows.parts, rows.records, rows.labels) if key is not None])
    return replace(rows, values=values).take(ties[np.argsort(samples[ties], kind="stable")])
