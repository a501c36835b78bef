"""The metrics of hypotheses: the scores, and numbers of single runs."""

from collections.abc import Mapping

from zoo.errors import UsageError, unknown_name
from zoo.numerals import number
from zoo.scores import CLASS_SCORES, MACRO_SCORES, metric_parts

OVERFITTING, STEPS_TO = "overfitting", "steps_to"
COSTS = ("parameters", "macs", "train_seconds", "peak_memory_mib", "latency_ms", "rows_per_second")
UNITS: Mapping[str, str] = {"train_seconds": "s", "peak_memory_mib": "MiB", "latency_ms": "ms", STEPS_TO: "steps"}
UNCOMPARABLE = "ece"  # it has no interval


def check_metric(metric: str) -> None:
    """Raise UnknownName or UsageError for a text that is no metric of a hypothesis."""
    name, _, text = metric.partition(":")
    if name == STEPS_TO:
        _check_level(metric, text)
    elif metric == UNCOMPARABLE:
        raise UsageError("ece cannot be compared: it has no interval. Try log_loss")
    elif not (metric in (OVERFITTING, *COSTS) or name in (*MACRO_SCORES, *CLASS_SCORES)):
        scores = (name for name in MACRO_SCORES if name != UNCOMPARABLE)
        by_class = (f"{name}:CLASS" for name in CLASS_SCORES)
        raise unknown_name("metric", metric, (*scores, *by_class, OVERFITTING, f"{STEPS_TO}:SCORE", *COSTS))
    elif name in (*MACRO_SCORES, *CLASS_SCORES):
        metric_parts(metric)


def is_score(metric: str) -> bool:
    """Whether a metric is computed from the predictions of test rows."""
    return metric.partition(":")[0] in (*MACRO_SCORES, *CLASS_SCORES)


def is_positive(metric: str) -> bool:
    """Whether values of a metric are above 0, so that two of them have a ratio."""
    return metric in COSTS or metric.partition(":")[0] == STEPS_TO


def level_of(metric: str) -> float:
    """Return the score of `steps_to:0.5`."""
    return float(metric.partition(":")[2])


def metric_text(metric: str) -> str:
    """Return a metric in words: `macro recall`, `steps to 0.5`, `train seconds`."""
    name, _, text = metric.partition(":")
    return f"steps to {text}" if name == STEPS_TO else metric.replace("_", " ")


def _check_level(metric: str, text: str) -> None:
    try:
        level = number(text)
    except ValueError:
        level = float("nan")
    if not 0 < level <= 1:
        raise UsageError(
            f"metric {metric!r} must be {STEPS_TO}: and a validation macro recall above 0 and at most 1, such as "
            f"{STEPS_TO}:0.5"
        )
