"""All scores of a run on its test rows, each with an interval or the reason for which it has none."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.metrics.limits import Found
from zoo.metrics.outcome import Array, Labels, Outcome
from zoo.metrics.patients import Patients, over_patients
from zoo.metrics.rows import over_rows
from zoo.records import Interval, Scores
from zoo.scores import CLASS_SCORES, MACRO_SCORES

DRAWS = 1000
NO_ECE = "the calibration error of few rows is too high by chance, and no interval corrects this"


def score(
    probabilities: Array,
    labels: Labels,
    classes: Sequence[str],
    groups: Array | None = None,
    *,
    logits: Array | None = None,
    noun: str = "group",
    draws: int = DRAWS,
    seed: int = 0,
) -> Scores:
    """Return all scores of probabilities `(rows, classes)` for labels `(rows,)`; AUROC is one-vs-rest, macro mean.

    logits  `(rows, classes)`: AUROC ranks rows by them, because probabilities near 1 are equal in float32
    noun    the word for a group, in reasons
    draws   number of draws from the posterior of the confusion matrix; with 0, no score has an interval
    seed    decides the draws
    """
    outcome = Outcome.of(probabilities, labels, groups, logits)
    values = outcome.values()
    patients = None if groups is None else Patients(outcome.counts(), noun)
    found: dict[str, Any] = {}
    if draws and patients:
        found = over_patients(outcome, values, classes, patients) | {"ece": NO_ECE}
    elif draws:
        found = over_rows(outcome, values, draws, seed) | {"ece": NO_ECE}
    missing = [""] * len(classes)
    support = dict(zip(classes, outcome.confusion.sum(1).astype(int).tolist(), strict=True))
    by_class = {
        name: dict(zip(classes, map(interval_of, values[name], found.get(name, missing)), strict=True))
        for name in CLASS_SCORES
    }
    return Scores(
        **{name: interval_of(values[name], found.get(name, "")) for name in MACRO_SCORES},
        **by_class,  # type: ignore[arg-type]  # mypy expects an Interval for every name
        confusion=outcome.confusion.astype(int).tolist(),
        support=support,
        absent=[label for label, count in support.items() if count == 0],
        resampled=f"{len(patients.counts)} groups" if patients else "rows",
        groups=dict(zip(classes, patients.number, strict=True)) if patients else {},
        effective_groups=dict(zip(classes, patients.effective, strict=True)) if patients else {},
    )


def interval_of(value: float, found: Found) -> Interval:
    """Return a value with its limits, or with the reason for which there are none; NaN is no value."""
    if np.isnan(value):
        return Interval()
    if isinstance(found, str):
        return Interval(float(value), reason=found)
    return Interval(float(value), float(found[0]), float(found[1]))
