"""Per-row probabilities and logits of the test set, as a Parquet file; all scores are computed from them."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from zoo.errors import StoreError
from zoo.metrics import score
from zoo.metrics.outcome import Outcome
from zoo.records import Scores
from zoo.store.run import PooledRun, Run
from zoo.store.runs import Store

PREDICTED = "predicted"  # the column of a published file that has no probabilities
MOST_BYTES = 2**27  # of probabilities in memory; with all that is computed from them, about eight times as much
NO_LOGITS = (
    "an earlier release stored no logits: AUROC ranks the rows by their probabilities, and those that are equal in "
    "float32 count as ties"
)


@dataclass(frozen=True)
class Predictions:
    """Probabilities float32 `(rows, classes)`, labels int64 `(rows,)`, and each row's position in the data set.

    `logits`, float32 `(rows, classes)`, are None in a file of an earlier release. `fold` is the number of the fold of
    each row, int64 `(rows,)`, for the pooled predictions of a cross-validation. `decided` means that a published file
    has predicted classes only: their probabilities are 1.
    """

    probabilities: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    groups: npt.NDArray[Any] | None = None
    logits: npt.NDArray[np.float32] | None = None
    fold: npt.NDArray[np.int64] | None = None
    decided: bool = False

    @cached_property
    def outcome(self) -> Outcome:
        given = (self.probabilities, self.labels, self.groups, self.logits, self.fold)
        return Outcome.of(*given, decided=self.decided)

    def scores(self, noun: str | None = None) -> Scores:
        """Return all scores with their intervals; `noun` is the word for a group."""
        given = (self.probabilities, self.labels, self.classes, self.groups)
        return score(*given, logits=self.logits, noun=noun or "group")

    def to_parquet(self) -> memoryview:
        """Return the bytes of the file.

        Its columns are `row`, `label`, `group` if rows are grouped, `p_<class>`, and `logit_<class>`. `label` is the
        name of the class, stored as a category of all classes.
        """
        names = pa.DictionaryArray.from_arrays(self.labels.astype(np.int32), pa.array(self.classes, pa.string()))
        columns: dict[str, Any] = {"row": self.index, "label": names}
        if self.groups is not None:
            columns["group"] = self.groups
        for prefix, values in (("p", self.probabilities), ("logit", self.logits)):
            if values is not None:
                columns |= {f"{prefix}_{name}": values[:, number] for number, name in enumerate(self.classes)}
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer, compression="zstd")
        return buffer.getbuffer()


class Remembered:
    """A store that reads the predictions of each run once, and keeps them in memory until `forget`.

    From `MOST_BYTES` on, further ones are read at each use.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[str, Predictions] = {}

    def predictions(self, run: Run) -> Predictions:
        """Return the predictions of a run. Raises StoreError as `predictions_of`."""
        if run.id in self._known:
            return self._known[run.id]
        found = predictions_of(self.store, run)
        if sum(each.probabilities.nbytes for each in self._known.values()) < MOST_BYTES:
            self._known[run.id] = found
        return found

    def forget(self, runs: Iterable[Run]) -> None:
        """Free the memory of the predictions of these runs."""
        for run in runs:
            self._known.pop(run.id, None)


def predictions_of(store: Store | Remembered, run: Run) -> Predictions:
    """Return the predictions of a run on the test set. Raises StoreError if the file is missing or has changed."""
    if isinstance(store, Remembered):
        return store.predictions(run)
    if isinstance(run, PooledRun):
        return pooled([predictions_of(store, store.get(member)) for member in run.members])
    return read_predictions(store.read(run, "predictions.parquet"), run.parts.classes)


def pooled(folds: Sequence[Predictions]) -> Predictions:
    """Return the predictions of all folds of a cross-validation as those of one test set."""
    first = folds[0]
    groups = [each.groups for each in folds if each.groups is not None]
    logits = [each.logits for each in folds if each.logits is not None]
    return Predictions(
        np.concatenate([each.probabilities for each in folds]),
        np.concatenate([each.labels for each in folds]),
        np.concatenate([each.index for each in folds]),
        first.classes,
        np.concatenate(groups) if len(groups) == len(folds) else None,
        np.concatenate(logits) if len(logits) == len(folds) else None,
        np.repeat(np.arange(len(folds)), [len(each.labels) for each in folds]),
        any(each.decided for each in folds),
    )


def rescored(store: Store | Remembered, run: Run) -> Run:
    """Return a finished run with its scores recomputed from the stored predictions. Raises as `predictions_of`.

    Published predictions without probabilities leave the scores of the record.
    """
    stored = predictions_of(store, run)
    if stored.decided:
        return run
    notes = run.notes if stored.logits is not None else (*run.notes, NO_LOGITS)
    return replace(run, scores=stored.scores(run.parts.groups_by), notes=notes)


def read_predictions(path: Path, classes: Sequence[str]) -> Predictions:
    """Read a file that `to_parquet` of this or an earlier release wrote. Raises StoreError for any other file."""
    try:
        table = pq.read_table(path)
        columns = {name: table[name].to_numpy() for name in table.column_names if name not in ("label", PREDICTED)}
        if PREDICTED in table.column_names:
            return _decided(table, columns, classes)
        probabilities = np.stack([columns[f"p_{name}"] for name in classes], axis=1)
        labels, names = _numbers(table["label"], classes), [f"logit_{name}" for name in classes]
        logits = np.stack([columns[name] for name in names], axis=1) if columns.keys() >= set(names) else None
        return Predictions(probabilities, labels, columns["row"], tuple(classes), columns.get("group"), logits)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreError(f"{path} is not a predictions file: {error}") from error


def _decided(table: pa.Table, columns: Mapping[str, Any], classes: Sequence[str]) -> Predictions:
    probabilities = np.eye(len(classes), dtype=np.float32)[_numbers(table[PREDICTED], classes)]
    given = (probabilities, _numbers(table["label"], classes), columns["row"], tuple(classes), columns.get("group"))
    return Predictions(*given, decided=True)


def _numbers(labels: Any, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the number of each label among the classes; earlier files contain the numbers themselves."""
    if pa.types.is_integer(labels.type):
        return np.asarray(labels.to_numpy(), np.int64)
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[name] for name in labels.to_pylist()], np.int64)
