"""A store with what a report must show: ties, failures, few seeds, hostile names, and two data sets."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import waves

from zoo.harness.datasets import load_dataset, separated
from zoo.harness.request import DataRequest
from zoo.store.predictions import Predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.workspace import Workspace

HOSTILE = "<img src=x onerror=\"document.title='broken'\">"
CLASSES = ("normal", HOSTILE, "</script><b id=broken>\u2028&amp;")
ROWS = 200
FAILED = "smote: class '</script>' has 2 rows"
# By data set, architecture and resampler: the share of rows that are right, and the ends of the seeds.
SEEDS: dict[tuple[str, str, str], tuple[float, tuple[str, ...]]] = {
    ("waves", "fcn", "original"): (0.85, ("done",) * 5),
    ("waves", "lite", "original"): (0.84, ("done",) * 5),
    ("waves", "tcn", HOSTILE): (0.5, ("done",) * 5),
    ("waves", "gru", "original"): (0.6, ("done", "diverged", "done")),
    ("waves", "fcn", "smote"): (0.0, ("failed", "failed")),
    ("beats", "fcn", "original"): (0.7, ("done",)),
}


def predictions(share: float, seed: int, rows: int = ROWS) -> Predictions:
    """Predictions that are right on about that share of the rows, with logits."""
    rng = np.random.default_rng(1000 * seed + int(100 * share))
    labels = np.array([0, 1, 0, 0, 1, 0, 2, 0, 1, 0])[np.arange(rows) % 10]
    said = np.where(rng.random(rows) < share, labels, rng.integers(3, size=rows))
    logits = (2 * np.eye(3)[said] + rng.normal(size=(rows, 3))).astype(np.float32)
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = (probabilities / probabilities.sum(1, keepdims=True)).astype(np.float32)
    return Predictions(probabilities, labels, np.arange(rows) + 1000, CLASSES, None, logits)


def stored(store: Store, dataset: str, architecture: str, data: str, share: float, seed: int, status: str) -> Run:
    """Store a run of a configuration as a bench does."""
    parts = {
        "classes": list(CLASSES),
        "fingerprints": {"test": f"test-{dataset}", "pool": f"pool-{dataset}"},
        "rows": {"train": 600, "validation": 60, "test": ROWS},
        "class_counts": {"train": [360, 180, 60], "validation": [36, 18, 6], "test": [120, 60, 20]},
        "shared_rows": {"train/test": 3},
    }
    what: dict[str, Any] = {"architecture": architecture, "data": data, "seed": seed, "dataset": dataset}
    config = {**what, "protocol": "holdout", "loss": "cross-entropy", "params": {}, "training": {"epochs": 4}}
    begun = store.begin(
        Run(id="", key=f"{dataset}{architecture}{data}{seed}", configuration=f"{dataset}{architecture}{data}",
            protocol="holdout", loss="cross-entropy", parts=parts, config=config, **what)
    )  # fmt: skip
    if status != "done":
        return store.finish(replace(begun, status=RunStatus(status), error=FAILED if status == "failed" else ""))
    found = predictions(share, seed)
    size = len(architecture) * 1000
    cost = {"parameters": size, "macs": 50 * size, "train_seconds": 2.5, "latency_ms": 0.4}
    ended = replace(
        begun, status=RunStatus.DONE, scores=found.scores(), cost=cost, epochs=4, best_epoch=3, steps=160 + seed
    )
    history = "number,train_loss,validation_loss,macro_recall\n" + "".join(
        f"{epoch},{1 / epoch},{1.2 / epoch},{0.5 + epoch / 10 - 0.05 * (epoch > 3)}\n" for epoch in range(1, 5)
    )
    files = {"predictions.parquet": found.to_parquet(), "history.csv": history.encode()}
    return store.finish(ended, files)


def ward(store: Store, folder: Path) -> None:
    """Store runs on a file of series of patients, with the test set and the fingerprints that a bench finds."""
    series = waves(120, 24)
    lines = [",".join([*(f"t{number}" for number in range(24)), "kind", "patient"])]
    for row, label, group in zip(series.values[:, 0], series.labels, series.groups, strict=True):  # type: ignore[arg-type]
        lines.append(",".join([*map(str, row.tolist()), series.classes[label], f"p{group}"]))
    (folder / "ward.csv").write_text("\n".join(lines) + "\n")
    params = {"constant": "error", "target": "kind", "group": "patient", "columns": "t*"}
    request = DataRequest(target="kind", group="patient", columns="t*", assignments={"dataset.constant": "error"})
    loaded = load_dataset(Workspace.load(), str(folder / "ward.csv"), request)
    parts = separated(loaded, "inter-patient", 0, request)
    test = parts.for_run().test
    test.training_ended()
    rows = test.open()
    for seed in range(2):
        what: dict[str, Any] = {"architecture": "fcn", "data": "original", "dataset": "ward.csv", "seed": seed}
        what |= {"loss": "cross-entropy"}
        config = {**what, "protocol": "inter-patient", "dataset_params": params, "training": {"batch_size": 16}}
        made = Run(id="", key=f"ward{seed}", configuration="ward", protocol="inter-patient", config=config, **what)
        begun = store.begin(replace(made, parts=parts.summary))
        logits = np.random.default_rng(seed).normal(size=(len(rows), 3)).astype(np.float32)
        probabilities = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
        found = Predictions(probabilities, rows.labels, rows.index, series.classes, rows.groups, logits)
        ended = replace(begun, status=RunStatus.DONE, scores=found.scores("patient"))
        store.finish(ended, {"predictions.parquet": found.to_parquet()})


def fill(folder: Path) -> Path:
    """Make the store in a folder, and return it; the file of the data set `ward` is beside it."""
    with Store(folder) as store:
        ward(store, folder.parent)
        for (dataset, architecture, data), (share, ends) in SEEDS.items():
            for seed, status in enumerate(ends):
                stored(store, dataset, architecture, data, share, seed, status)
    return folder


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the store."""
    return fill(tmp_path_factory.mktemp("report") / "zoo-results")


@pytest.fixture
def store(results: Path) -> Iterator[Store]:
    with Store(results, create=False) as opened:
        yield opened
