"""Comparisons as the engine leaves them in the store, made without it: studies, winners and defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from studies import stored, study_of

from zoo.comparison.comparison import Comparison, comparison_of
from zoo.metrics import score
from zoo.store.predictions import Predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study

CLASSES = ("a", "b", "c")
ROWS = 300


def labels_of(rows: int = ROWS) -> np.ndarray:
    """Three classes, 6 : 3 : 1, mixed."""
    return np.array([0, 1, 0, 0, 1, 0, 2, 0, 1, 0])[np.arange(rows) % 10]


def predictions(hits: np.ndarray, groups: np.ndarray | None = None) -> Predictions:
    """What a network says that is right on those of the rows `(rows,)`, and off by one class on the others."""
    labels = labels_of(len(hits))
    said = np.where(hits, labels, (labels + 1) % 3)
    probabilities = (0.05 + 0.85 * np.eye(3)[said]).astype(np.float32)
    return Predictions(probabilities, labels, np.arange(len(labels)), CLASSES, groups)


def guesses(share: float, seed: int, groups: np.ndarray | None = None, rows: int = ROWS) -> Predictions:
    """Right on about that share of the rows, which ones by the seed."""
    return predictions(np.random.default_rng(seed).random(rows) < share, groups)


def scored(store: Store, found: Predictions, **more: Any) -> Run:
    """A finished run with these predictions."""
    usual = {
        "architecture": "cnngru",
        "dataset": "waves",
        "protocol": "holdout",
        "data": "original",
        "loss": "",
        "seed": 0,
    }
    begun = store.begin(Run(id="", key="k", **{**usual, **more}))
    scores = score(found.probabilities, found.labels, found.classes, found.groups, draws=20)
    cost = {"train_seconds": 1.5}
    ended = replace(begun, status=RunStatus.DONE, scores=scores, parts={"classes": list(found.classes)}, cost=cost)
    return store.finish(ended, {"predictions.parquet": found.to_parquet()})


def member(
    searcher: str, seed: int, statuses: Sequence[str] = ("done",) * 8, name: str = "race", **request: Any
) -> Study:
    """One study of a comparison, its trials its own."""
    asked = {
        "name": f"{name}.{searcher.strip('<>')}.{seed}",
        "search": searcher,
        "comparison": name,
        "trials": 8,
        **request,
    }
    study = study_of(statuses, sum(map(ord, searcher)) + 7 * seed, **asked)
    return replace(study, request={**study.request, "seed": seed})


def compared(
    store: Store,
    skills: Mapping[str, float],
    seeds: Sequence[int] = (0, 1, 2),
    *,
    defaults: float = 0.6,
    groups: np.ndarray | None = None,
    rows: int = ROWS,
    **request: Any,
) -> Comparison:
    """A comparison that is over: winners that are right on the share of the rows said of their searcher."""
    for seed in seeds:
        plain = scored(store, guesses(defaults, seed, groups, rows), seed=seed)
        for number, (searcher, skill) in enumerate(skills.items(), start=1):
            run = scored(store, guesses(skill, 100 * number + seed, groups, rows), seed=seed)
            study = stored(store, member(searcher, seed, **request))
            assert study.best is not None
            ended = replace(study, winner=study.best.number, run=run.id, defaults=plain.id)
            StudyStore(store).update(ended)
    return comparison_of(StudyStore(store), "race")
