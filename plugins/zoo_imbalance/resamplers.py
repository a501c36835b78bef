"""Resamplers of the training set: those of imbalanced-learn, and class-balanced batches.

`random_state` is their seed. Each factory imports imbalanced-learn itself: the import takes two seconds.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoo import ResamplingError

if TYPE_CHECKING:
    from imblearn.base import BaseSampler

# Finding the nearest neighbours among n rows of s samples takes about n * n * s times this, in seconds on one core.
# Measured: 7 s for 20,000 x 187.
NEIGHBOUR_SECONDS = 1e-10


def original(*, random_state: int) -> None:
    """Return None: no resampling."""


def oversampled(*, random_state: int) -> "BaseSampler":
    """Return a resampler that repeats random rows of the smaller classes."""
    from imblearn.over_sampling import RandomOverSampler

    return RandomOverSampler(random_state=random_state)


def undersampled(*, random_state: int) -> "BaseSampler":
    """Return a resampler that draws, without replacement, as many rows of each class as the smallest class has."""
    from imblearn.under_sampling import RandomUnderSampler

    return RandomUnderSampler(random_state=random_state)


def smote(*, random_state: int, k_neighbors: int = 5) -> "BaseSampler":
    """Return SMOTE (Chawla et al. 2002): new rows between a row and one of its `k_neighbors` of the same class."""
    from imblearn.over_sampling import SMOTE

    return SMOTE(random_state=random_state, k_neighbors=k_neighbors)


def adasyn(*, random_state: int, n_neighbors: int = 5) -> "BaseSampler":
    """Return ADASYN: SMOTE with more new rows from rows whose neighbours have different classes (He et al. 2008).

    The numbers are rounded for each row, so each class becomes nearly, not exactly, as large as the largest class.
    ADASYN fails if no neighbour has a different class. `n_neighbors` is used in both searches for neighbours.
    """
    from imblearn.over_sampling import ADASYN

    return ADASYN(random_state=random_state, n_neighbors=n_neighbors)


def borderline_smote(
    *, random_state: int, k_neighbors: int = 5, m_neighbors: int = 10, kind: str = "borderline-1"
) -> "BaseSampler":
    """Return Borderline-SMOTE: SMOTE from rows in danger only.

    A row is in danger if at least half of its `m_neighbors`, but not all, have different classes. `kind` is from Han
    et al. 2005: `borderline-1` goes towards one of the `k_neighbors` of the same class; `borderline-2` towards one of
    any class, then at most half the way. A class without a row in danger gets no new rows.
    """
    from imblearn.over_sampling import BorderlineSMOTE

    return BorderlineSMOTE(random_state=random_state, k_neighbors=k_neighbors, m_neighbors=m_neighbors, kind=kind)


class SmoteTomek:
    """SMOTE, then removal of both rows of every Tomek link.

    A Tomek link is two rows of different classes, each the nearest neighbour of the other.
    """

    def __init__(self, random_state: int, k_neighbors: int, max_minutes: float) -> None:
        self.smote = smote(random_state=random_state, k_neighbors=k_neighbors)
        self.max_minutes = max_minutes

    def fit_resample(self, values: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> Any:
        from imblearn.combine import SMOTETomek

        self._check_time(labels, samples=values.shape[1])
        return SMOTETomek(smote=self.smote).fit_resample(values, labels)

    def _check_time(self, labels: npt.NDArray[np.int64], samples: int) -> None:
        counts = np.bincount(labels)
        rows = int(counts.max()) * int(np.count_nonzero(counts))
        minutes = rows * rows * samples * NEIGHBOUR_SECONDS / 60
        if minutes > self.max_minutes:
            whole = math.ceil(minutes)
            raise ResamplingError(
                f"smote-tomek compares every row with every other row; for the {rows:,} rows after smote this takes "
                f"about {whole:,} minute{'s' if whole > 1 else ''}: use fewer --rows, use --data smote, or allow the "
                f"time with --set data.max_minutes={whole}"
            )


def smote_tomek(*, random_state: int, k_neighbors: int = 5, max_minutes: float = 5.0) -> SmoteTomek:
    """Return SMOTE with removal of Tomek links (Batista, Prati and Monard 2004).

    Its time grows with the square of the number of rows after SMOTE. The time on one core is estimated from the shape
    of the data alone. If the estimate exceeds `max_minutes`, ResamplingError is raised before resampling starts.
    """
    return SmoteTomek(random_state, k_neighbors, max_minutes)


class BalancedBatches:
    """Leaves the rows unchanged, and weights them so that every class is drawn equally often."""

    def row_weights(self, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return, for each row, one over the number of rows of its class."""
        weights: npt.NDArray[np.float64] = 1 / np.bincount(labels)[labels]
        return weights


def balanced_batches(*, random_state: int) -> BalancedBatches:
    """Return a resampler for batches drawn with replacement: all classes are equally likely, and all rows of a class.

    This is class-balanced sampling as in Kang et al. 2020, arXiv:1910.09217, section 3 (q = 0).
    """
    return BalancedBatches()
