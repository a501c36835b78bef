"""Per-row probabilities of the test set, as a Parquet file; all scores are computed from them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from zoo.errors import StoreError
from zoo.metrics import score
from zoo.store.run import Run
from zoo.store.runs import Store


@dataclass(frozen=True)
class Predictions:
    """Probabilities float32 `(rows, classes)`, labels int64 `(rows,)`, and each row's position in the data set."""

    probabilities: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    groups: npt.NDArray[Any] | None = None

    def to_parquet(self) -> memoryview:
        """Return the bytes of the file: columns `row`, `label`, `group` if rows are grouped, and `p_<class>`.

        `label` is the name of the class, stored as a category of all classes.
        """
        names = pa.DictionaryArray.from_arrays(self.labels.astype(np.int32), pa.array(self.classes, pa.string()))
        columns: dict[str, Any] = {"row": self.index, "label": names}
        if self.groups is not None:
            columns["group"] = self.groups
        columns |= {f"p_{name}": self.probabilities[:, number] for number, name in enumerate(self.classes)}
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer, compression="zstd")
        return buffer.getbuffer()


def predictions_of(store: Store, run: Run) -> Predictions:
    """Return the predictions of a run on the test set. Raises StoreError if the file is missing or has changed."""
    return read_predictions(store.read(run, "predictions.parquet"), run.parts.classes)


def rescored(store: Store, run: Run) -> Run:
    """Return a finished run with its scores recomputed from the stored probabilities. Raises as `predictions_of`."""
    stored = predictions_of(store, run)
    return replace(run, scores=score(stored.probabilities, stored.labels, stored.classes, stored.groups))


def read_predictions(path: Path, classes: Sequence[str]) -> Predictions:
    """Read a file that `to_parquet` of this or an earlier release wrote. Raises StoreError for any other file."""
    try:
        table = pq.read_table(path)
        columns = {name: table[name].to_numpy() for name in table.column_names if name != "label"}
        probabilities = np.stack([columns[f"p_{name}"] for name in classes], axis=1)
        labels = _numbers(table["label"], classes)
        return Predictions(probabilities, labels, columns["row"], tuple(classes), columns.get("group"))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreError(f"{path} is not a predictions file: {error}") from error


def _numbers(labels: Any, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the number of each label among the classes; earlier files contain the numbers themselves."""
    if pa.types.is_integer(labels.type):
        return np.asarray(labels.to_numpy(), np.int64)
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[name] for name in labels.to_pylist()], np.int64)
