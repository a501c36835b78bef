"""Intervals where test rows are independent: a class keeps its number of test rows, and each row may be predicted anew.

Recall has the interval of Wilson, macro recall that of MOVER. For precision, F1, MCC and accuracy, each row of the
confusion matrix is drawn from its Dirichlet posterior; the prior is 1/2 for the hit, and 1/2 for all misses together.
(A prior of 1/2 for each cell would be more than the data where there are many classes: with ten, the intervals cover
a quarter.)
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zoo.metrics import limits
from zoo.metrics.limits import Found, Limits
from zoo.metrics.outcome import Doubles, Outcome, scores_of_confusion
from zoo.scores import CLASS_SCORES
from zoo.wording import count_text

CHUNK = 50  # draws at a time: a hundred classes need 4 MB
FEW_ROWS, FEW_IN_ALL = 3, 12  # for each class on average, and in all: with fewer, the draws cover 86 %
FEW_WRONG = 20  # wrong rows: with fewer, the interval of the log loss covers it too rarely
DRAWN = ("precision", "f1", "macro_f1", "mcc", "accuracy")


def over_rows(outcome: Outcome, values: Mapping[str, Any], draws: int, seed: int) -> dict[str, Any]:
    """Return what is found of the interval of each score, for scores by class a list; a seed decides the draws."""
    hits, support = np.diag(outcome.confusion), outcome.confusion.sum(1)
    kept = support > 0
    return {
        "recall": _pairs(limits.wilson(np.nan_to_num(values["recall"]), np.where(kept, support, 1))),
        "macro_recall": limits.of_mean_share(hits[kept], support[kept]),
        **_of_confusion(outcome.confusion, values, draws, seed),
        "auroc": _of_areas(outcome),
        "log_loss": too_few_wrong(outcome) or _of_loss(outcome),
    }


def _of_confusion(confusion: Doubles, values: Mapping[str, Any], draws: int, seed: int) -> dict[str, Any]:
    rows, classes = int(confusion.sum()), int((confusion.sum(1) > 0).sum())
    fewest = max(FEW_IN_ALL, FEW_ROWS * classes)
    if rows < fewest:
        each = f", {FEW_ROWS} for each class" if fewest > FEW_IN_ALL else ""
        reason = f"{count_text(rows, 'test row')}: fewer than {fewest}{each}"
        return {name: [reason] * len(confusion) if name in CLASS_SCORES else reason for name in DRAWN}
    drawn = [scores_of_confusion(some) for some in drawn_confusions(confusion, draws, seed)]
    found = {}
    for name in DRAWN:
        pair = limits.of_draws(np.asarray(values[name]), np.concatenate([each[name] for each in drawn]))
        found[name] = _pairs(pair) if name in CLASS_SCORES else _clipped(pair, -1.0 if name == "mcc" else 0.0)
    return found


def _pairs(found: Limits) -> list[Found]:
    return [_clipped(pair) for pair in zip(*found, strict=True)]


def _clipped(pair: tuple[Any, Any], lowest: float = 0.0) -> Found:
    return max(float(pair[0]), lowest), min(float(pair[1]), 1.0)


def drawn_confusions(confusion: Doubles, draws: int, seed: int) -> Iterator[Doubles]:
    """Yield confusion matrices `(CHUNK, true, predicted)` from the posterior, with the same number of rows by class."""
    rng, classes, shapes = np.random.default_rng(seed), len(confusion), posterior(confusion)
    for start in range(0, draws, CHUNK):
        weights = rng.standard_gamma(shapes, size=(min(CHUNK, draws - start), classes, classes))
        yield weights / weights.sum(2, keepdims=True) * confusion.sum(1)[:, None]


def posterior(confusion: Doubles) -> Doubles:
    """Return the parameters of the Dirichlet posterior of each row of a confusion matrix, `(true, predicted)`."""
    classes = len(confusion)
    shapes: Doubles = confusion + np.where(np.eye(classes) > 0, 0.5, 0.5 / max(classes - 1, 1))
    return shapes


def _of_areas(outcome: Outcome) -> Found:
    """Return the limits of the mean AUROC; those of the classes are correlated as DeLong et al. 1988 estimate."""
    if not outcome.areas:
        return ""
    areas = np.array([area for area, _ in outcome.areas.values()])
    influence = np.stack([moved for _, moved in outcome.areas.values()], axis=1)
    positives = [int((outcome.labels == number).sum()) for number in outcome.areas]
    pairs = [limits.of_auroc(area, n, len(influence) - n) for area, n in zip(areas, positives, strict=True)]
    low, high = np.array(pairs).T
    return _clipped(limits.of_mean(areas, (low, high), _correlation(influence)))


def _correlation(influence: Doubles) -> Doubles:
    covariance = influence.T @ influence
    size = np.sqrt(np.diag(covariance))
    scale = np.where(size > 0, size, 1.0)
    correlation: Doubles = covariance / scale / scale[:, None]
    np.fill_diagonal(correlation, 1.0)
    return correlation


def too_few_wrong(outcome: Outcome) -> str:
    """Return why the log loss has no interval; "" if enough rows are wrong."""
    wrong = int((outcome.predicted != outcome.labels).sum())
    return f"{wrong} of {len(outcome.loss)} rows are wrong: fewer than {FEW_WRONG}" if wrong < FEW_WRONG else ""


def _of_loss(outcome: Outcome) -> Found:
    rows = len(outcome.loss)
    return limits.of_loss(float(outcome.loss.mean()), float(outcome.loss.var(ddof=1)) / rows, rows - 1)
