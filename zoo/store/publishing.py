"""Copy runs to a new store that is small enough to publish: records, histories and predicted classes, no weights.

Any command reads it as it reads every store. Scores by predicted class can be computed and compared anew. AUROC and log
loss need probabilities, which it does not hold: the records keep their values. The sha256 of the weights stays as well,
so that equal weights of two runs are known.
"""

import contextlib
import io
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoo.errors import UsageError
from zoo.store.files import sha256, write_atomically
from zoo.store.predictions import PREDICTED, Predictions, predictions_of
from zoo.store.run import Run
from zoo.store.runs import TRANSIENT, Store

HISTORY, PREDICTIONS, WEIGHTS = "history.csv", "predictions.parquet", "model.safetensors"
STUDY = "name, status, created, record"
TRIAL = "study, number, config, status, reason, value, epochs, seconds, starts, started, finished"


def publish(runs: Iterable[tuple[Store, Run]], studies: Iterable[tuple[Store, str]], folder: Path) -> int:
    """Write runs, and studies by their names, to a new store in `folder`; return the number of runs.

    Of several runs with one id, or studies with one name, the last is written. Raises UsageError if the folder has a
    store, and StoreError if a file cannot be read or written.
    """
    check_new(folder)
    chosen = {run.id: (source, run) for source, run in runs}
    with Store(folder) as target:
        for source, run in chosen.values():
            _copy(source, run, target)
        for name, source in {name: source for source, name in studies}.items():
            _copy_study(source, name, target)
    _in_one_file(folder / "zoo.db")
    return len(chosen)


def check_new(folder: Path) -> None:
    """Raise UsageError for a folder that has results."""
    if Store.exists(folder):
        raise UsageError(f"--export {str(folder)!r} has results already: name a new folder")


def compact(predictions: Predictions) -> bytes:
    """Return the bytes of a file with the row, the label and the predicted class of each test row."""
    classes = pa.array(predictions.classes, pa.string())
    predicted = predictions.probabilities.argmax(1)
    columns = {
        "row": predictions.index,
        "label": pa.DictionaryArray.from_arrays(predictions.labels.astype(np.int32), classes),
        PREDICTED: pa.DictionaryArray.from_arrays(predicted.astype(np.int32), classes),
    }
    if predictions.groups is not None:
        columns["group"] = predictions.groups
    buffer = io.BytesIO()
    encoding = {"row": "DELTA_BINARY_PACKED"}
    by_value = [name for name in columns if name not in encoding]
    form = {"compression": "zstd", "compression_level": 19, "use_dictionary": by_value, "column_encoding": encoding}
    pq.write_table(pa.table(columns), buffer, store_schema=False, write_statistics=False, **form)
    return buffer.getvalue()


def _copy(source: Store, run: Run, target: Store) -> None:
    files = {HISTORY: source.read(run, HISTORY).read_bytes(), PREDICTIONS: compact(predictions_of(source, run))}
    hashes = [(run.id, WEIGHTS, source.digest(run, WEIGHTS), 0)]
    for name, content in files.items():
        path = target.path(run, name)
        write_atomically(path, content)
        hashes.append((run.id, name, sha256(path), len(content)))
    record = {name: value for name, value in run.to_json().items() if name not in TRANSIENT}
    columns = "id, key, status, created, heartbeat, host, process, start, record"
    values = (run.id, run.key, str(run.status), run.created, 0.0, "", 0, 0.0, json.dumps(record, allow_nan=False))
    with target.database.transaction() as connection:
        connection.execute(f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.executemany("INSERT INTO artefacts VALUES (?, ?, ?, ?)", hashes)


def _copy_study(source: Store, name: str, target: Store) -> None:
    study = source.database.query(f"SELECT {STUDY} FROM studies WHERE name = ?", (name,))
    trials = source.database.query(f"SELECT {TRIAL} FROM trials WHERE study = ? ORDER BY number", (name,))
    places = ", ".join("?" * len(TRIAL.split(", ")))
    with target.database.transaction() as connection:
        columns = f"{STUDY}, heartbeat, host, process, start"
        connection.executemany(f"INSERT INTO studies ({columns}) VALUES (?, ?, ?, ?, 0, '', 0, 0)", study)
        connection.executemany(f"INSERT INTO trials ({TRIAL}) VALUES ({places})", trials)


def _in_one_file(path: Path) -> None:
    """Leave a database without a log beside it, so that reading it in a checkout writes nothing."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
