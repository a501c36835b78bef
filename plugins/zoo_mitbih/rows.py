"""Heartbeats as rows, in an order that depends only on their content."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zoo.data import Floats, Ints

TIMES = 187
CLASSES = ("N", "S", "V", "F", "Q")


@dataclass(frozen=True)
class Rows:
    """Heartbeats from any file format.

    values   float32 `(rows, 187)`
    labels   int64 `(rows,)`, indices into `CLASSES`
    records  int64 `(rows,)`, the record of each beat, or None if the format has no record numbers
    parts    int8 `(rows,)`, the official TRAIN or TEST, or None if the format has no official split
    notes    changes made to the rows while reading them
    """

    values: Floats
    labels: Ints
    records: Ints | None = None
    parts: npt.NDArray[np.int8] | None = None
    notes: tuple[str, ...] = ()

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Rows":
        """Return the rows at `index`, in the order of `index`."""
        return replace(
            self,
            values=self.values[index],
            labels=self.labels[index],
            records=None if self.records is None else self.records[index],
            parts=None if self.parts is None else self.parts[index],
        )


def in_order(rows: Rows) -> Rows:
    """Sort the rows by the bytes of their samples, then by label, record and part.

    The order then does not depend on the file format.
    """
    # A CSV may contain -0.0: adding 0 turns it into 0.0.
    values = np.ascontiguousarray(rows.values + np.float32(0))
    samples = values.astype("<f4", copy=False).view(f"V{4 * TIMES}").ravel()
    ties = np.lexsort([key for key in (rows.parts, rows.records, rows.labels) if key is not None])
    return replace(rows, values=values).take(ties[np.argsort(samples[ties], kind="stable")])
