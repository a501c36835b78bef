"""The names of the scores, and the scores that training can monitor."""

from collections.abc import Mapping
from typing import Literal

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


def metric_words(metric: str) -> str:
    """Return a metric in words: `validation macro recall`, `validation loss`."""
    words = metric.replace("_", " ")
    return words if words.startswith("validation") else f"validation {words}"
