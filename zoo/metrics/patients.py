"""Intervals where test rows are grouped by patient: whole patients are independent, their rows are not.

The variance of a score is that of the sums of influences over each patient. The number of patients counts as
effective, 1 / sum(p²) with the share p of the rows of each, which is 1.2 if one of four patients has most rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.groups import plural
from zoo.metrics import limits
from zoo.metrics.limits import Found
from zoo.metrics.outcome import Doubles, Outcome
from zoo.metrics.rows import too_few_wrong
from zoo.scores import CLASS_SCORES

FEW = 5  # effective patients of a class
FEW_IN_ALL = 10  # patients of all classes together
BY_CLASS = ("macro_recall", "macro_f1", "auroc")  # scores that each class moves by the same share
IN_ALL = ("accuracy", "mcc", "log_loss")


@dataclass(frozen=True)
class Patients:
    """The patients of the test rows: `counts` `(patients, classes)` of rows, and the word for one of them."""

    counts: Doubles
    noun: str

    @property
    def number(self) -> list[int]:
        """By class."""
        return [int(count) for count in (self.counts > 0).sum(0)]

    @property
    def effective(self) -> list[float]:
        """By class."""
        return [limits.effective(column) for column in self.counts.T]

    @property
    def in_all(self) -> float:
        return limits.effective(self.counts.sum(1))

    def too_few(self, classes: Sequence[str], verb: str = "has") -> list[str]:
        """Return for each class the reason for which it has no interval; "" if it can have one, or has no rows."""
        return [
            f"class {name} {verb} {self._text(number)}, {effective:.1f} effective: fewer than {FEW}"
            if 0 < effective < FEW
            else ""
            for name, number, effective in zip(classes, self.number, self.effective, strict=True)
        ]

    def too_few_in_all(self) -> str:
        """Return the reason for which scores of all rows have no interval; "" if they can have one."""
        counted = self._text(len(self.counts))
        if len(self.counts) < FEW_IN_ALL:
            return f"{counted}: fewer than {FEW_IN_ALL}"
        return f"{counted}, {self.in_all:.1f} effective: fewer than {FEW}" if self.in_all < FEW else ""

    def _text(self, number: int) -> str:
        return f"{number} {self.noun if number == 1 else plural(self.noun)}"


def over_patients(
    outcome: Outcome, values: Mapping[str, Any], classes: Sequence[str], patients: Patients
) -> dict[str, Any]:
    """Return what is found of the interval of each score, for scores by class a list."""
    reasons, effective = patients.too_few(classes), patients.effective
    by_class = dict.fromkeys(CLASS_SCORES, (reasons, effective)) | {"precision": _predicted(outcome, patients, classes)}
    found: dict[str, Any] = {}
    for name, (why, units) in by_class.items():
        variances = variance_of(outcome, outcome.influence(name))
        given = zip(values[name], variances, units, why, strict=True)
        found[name] = [reason or _limits(name, *rest) for *rest, reason in given]
    smallest = min(filter(None, effective), default=0.0)
    for names, reason, number in (
        (BY_CLASS, "; ".join(filter(None, reasons)), smallest),
        (IN_ALL, patients.too_few_in_all(), patients.in_all),
    ):
        for name in names:
            variance = float(variance_of(outcome, outcome.influence(name)))
            found[name] = reason or _limits(name, values[name], variance, number)
    found["log_loss"] = too_few_wrong(outcome) or found["log_loss"]
    return found


def _predicted(outcome: Outcome, patients: Patients, classes: Sequence[str]) -> tuple[list[str], list[float]]:
    """Return the reasons and effective patients for precision, which also needs patients with rows predicted so."""
    predicted = Patients(outcome.by_unit(np.eye(outcome.n_classes)[outcome.predicted]), patients.noun)
    few, rare = patients.too_few(classes), predicted.too_few(classes, "is predicted for")
    never = [
        "" if any(column) else f"class {name} is never predicted"
        for name, column in zip(classes, predicted.counts.T, strict=True)
    ]
    reasons = [next(filter(None, each), "") for each in zip(few, rare, never, strict=True)]
    return reasons, [min(pair) for pair in zip(patients.effective, predicted.effective, strict=True)]


def variance_of(outcome: Outcome, influence: Doubles) -> Doubles:
    """Return the variance of a score from the influences of rows, `(rows, …)`.

    With patients, it is never below that of independent rows: a few patients can look more equal than they are.
    """
    variances = []
    for independent in (influence, outcome.by_unit(influence)):
        units = len(independent)
        variances.append((independent**2).sum(0) * units / max(units - 1, 1))
    variance: Doubles = np.maximum(*variances)
    return variance


def _limits(name: str, value: float, variance: float, units: float) -> Found:
    if np.isnan(value):
        return ""
    if name == "log_loss":
        return limits.of_loss(float(value), variance, units - 1)
    if name == "mcc":
        low, high = limits.of_units((value + 1) / 2, variance / 4, units)
        return 2 * low - 1, 2 * high - 1
    return limits.of_units(float(value), variance, units)
