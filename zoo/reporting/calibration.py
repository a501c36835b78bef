"""The calibration of a configuration, and the probabilities from which the page decides anew."""

import base64
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from zoo.metrics.outcome import ECE_BINS
from zoo.reporting.records import Bin, Probabilities
from zoo.store.predictions import Predictions

MOST_ROWS = 2_000  # of a configuration, for the page
MOST_CLASSES = 12


def reliability(seeds: Sequence[Predictions]) -> tuple[Bin, ...]:
    """Return the reliability curve over the rows of all seeds, with the bins of the calibration error.

    None for published predictions without probabilities.
    """
    if not seeds or any(each.decided for each in seeds):
        return ()
    outcomes = [each.outcome for each in seeds]
    found = [outcome.confidence_bins() for outcome in outcomes]
    confidence = np.concatenate([each for each, _ in found])
    bins = np.concatenate([each for _, each in found])
    hits = np.concatenate([outcome.predicted == outcome.labels for outcome in outcomes])
    return tuple(_bins(confidence, bins, hits))


def _bins(
    confidence: npt.NDArray[np.float64], bins: npt.NDArray[np.int64], hits: npt.NDArray[np.bool_]
) -> Iterator[Bin]:
    for number in range(ECE_BINS):
        if rows := int((inside := bins == number).sum()):
            yield Bin(rows=rows, confidence=float(confidence[inside].mean()), accuracy=float(hits[inside].mean()))


def probabilities(seed: int, found: Predictions) -> Probabilities | None:
    """Return the probabilities of test rows in the order of their classes, of a large class those of some rows.

    The rows of a class are in the order of their probabilities, so that no row can be recognised by its place. None
    without probabilities, and for many classes.
    """
    classes = len(found.classes)
    if found.decided or classes > MOST_CLASSES:
        return None
    rng, parts, rows = np.random.default_rng(0), [], []
    for number in range(classes):
        own = np.flatnonzero(found.labels == number)
        chosen = own if len(own) <= MOST_ROWS // classes else rng.choice(own, MOST_ROWS // classes, replace=False)
        values = found.probabilities[chosen]
        parts.append(values[np.lexsort(values.T)])
        rows.append(len(chosen))
    content = np.concatenate(parts).astype("<f4").tobytes()
    return Probabilities(
        seed=seed,
        rows=tuple(rows),
        of=tuple(int((found.labels == number).sum()) for number in range(classes)),
        values=base64.b64encode(content).decode(),
    )
