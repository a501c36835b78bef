"""The names of the scores, and the scores that training can monitor."""

from collections.abc import Mapping
from typing import Literal

from zoo.errors import UsageError, unknown_name

# The validation scores that training can monitor; `max` or `min` is the better direction.
MONITORS: Mapping[str, Literal["max", "min"]] = {
    "macro_recall": "max",
    "macro_f1": "max",
    "accuracy": "max",
    "validation_loss": "min",
    "balanced_loss": "min",
}

MACRO_SCORES = ("macro_recall", "macro_f1", "accuracy", "mcc", "auroc", "log_loss", "ece")
CLASS_SCORES = ("recall", "precision", "f1")
LOWER_IS_BETTER = ("log_loss", "ece")


def metric_parts(metric: str) -> tuple[str, str]:
    """Return a score and its class: `recall` and `F` for `recall:F`; no class for a score of all classes.

    Raises UnknownName or UsageError for any other text.
    """
    name, _, label = metric.partition(":")
    if name not in (*MACRO_SCORES, *CLASS_SCORES):
        raise unknown_name("metric", metric, (*MACRO_SCORES, *(f"{each}:CLASS" for each in CLASS_SCORES)))
    if bool(label) != (name in CLASS_SCORES):
        right = f"write {name} with a class, such as {name}:F" if name in CLASS_SCORES else f"write {name!r}"
        raise UsageError(f"no metric named {metric!r}: {right}")
    return name, label


def score_words(metric: str) -> str:
    """Return a score in words: `macro recall`, `log loss`. The name of a class is not changed: `recall:a_b`."""
    name, colon, label = metric.partition(":")
    return f"{name.replace('_', ' ')}{colon}{label}"


def metric_words(metric: str) -> str:
    """Return a metric in words: `validation macro recall`, `validation loss`."""
    words = metric.replace("_", " ")
    return words if words.startswith("validation") else f"validation {words}"
