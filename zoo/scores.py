"""The names of scores, and what validation is monitored by."""

from collections.abc import Mapping
from typing import Literal

# What an epoch's validation can be judged by, and which way is better.
MONITORS: Mapping[str, Literal["max", "min"]] = {"macro_recall": "max", "accuracy": "max", "validation_loss": "min"}


MACRO_SCORES = ("macro_recall", "macro_f1", "accuracy", "mcc", "auroc", "log_loss", "ece")
CLASS_SCORES = ("recall", "precision", "f1")


def metric_words(metric: str) -> str:
    """`validation macro recall`, `validation loss`."""
    words = metric.replace("_", " ")
    return words if words.startswith("validation") else f"validation {words}"
