"""What balances the training set: imbalanced-learn's resamplers, and batches drawn by class.

`random_state` seeds them. imbalanced-learn takes two seconds to import, which those who do not resample need not wait
for.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoo import ResamplingError

if TYPE_CHECKING:
    from imblearn.base import BaseSampler

# To find the nearest neighbour among n rows of s samples takes about n * n * s of these, in seconds, on one core:
# 20,000 x 187 took 7 s.
NEIGHBOUR_SECONDS = 1e-10


def original(*, random_state: int) -> None:
    """No resampling."""


def oversampled(*, random_state: int) -> "BaseSampler":
    """Repeats rows of the smaller classes at random."""
    from imblearn.over_sampling import RandomOverSampler

    return RandomOverSampler(random_state=random_state)


def undersampled(*, random_state: int) -> "BaseSampler":
    """Draws from the larger classes, without replacement, as many rows as the smallest has."""
    from imblearn.under_sampling import RandomUnderSampler

    return RandomUnderSampler(random_state=random_state)


def smote(*, random_state: int, k_neighbors: int = 5) -> "BaseSampler":
    """Makes rows between a row and one of its `k_neighbors` nearest of the same class (Chawla et al. 2002)."""
    from imblearn.over_sampling import SMOTE

    return SMOTE(random_state=random_state, k_neighbors=k_neighbors)


def adasyn(*, random_state: int, n_neighbors: int = 5) -> "BaseSampler":
    """SMOTE's rows, the more of them from a row the more of its neighbours are of other classes (He et al. 2008).

    The numbers are rounded row by row, so that each class comes near the largest, not up to it. Where no neighbour is
    of another class there is nothing to go by, and it fails. `n_neighbors` serves both searches.
    """
    from imblearn.over_sampling import ADASYN

    return ADASYN(random_state=random_state, n_neighbors=n_neighbors)


def borderline_smote(
    *, random_state: int, k_neighbors: int = 5, m_neighbors: int = 10, kind: str = "borderline-1"
) -> "BaseSampler":
    """SMOTE's rows, from rows in danger alone: of whose `m_neighbors` half or more, not all, are of other classes.

    `kind` is that of Han et al. 2005: `borderline-1` draws one of the `k_neighbors` of the same class, `borderline-2`
    of any class, and then goes at most half the way. A class with no row in danger gains none.
    """
    from imblearn.over_sampling import BorderlineSMOTE

    return BorderlineSMOTE(random_state=random_state, k_neighbors=k_neighbors, m_neighbors=m_neighbors, kind=kind)


class SmoteTomek:
    """SMOTE, then less both rows of every Tomek link: two rows of different classes, each the other's nearest."""

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
                f"smote-tomek compares every row with every other, which for the {rows:,} rows after smote takes about "
                f"{whole:,} minute{'s' if whole > 1 else ''}: use fewer --rows, --data smote, or wait "
                f"with --set data.max_minutes={whole}"
            )


def smote_tomek(*, random_state: int, k_neighbors: int = 5, max_minutes: float = 5.0) -> SmoteTomek:
    """SMOTE, then less the rows of Tomek links (Batista, Prati and Monard 2004).

    Its time grows with the square of the rows after SMOTE. What would take longer than `max_minutes` on one core, by
    an estimate that depends on the shape of the data alone, raises ResamplingError before it begins.
    """
    return SmoteTomek(random_state, k_neighbors, max_minutes)


class BalancedBatches:
    """Leaves the rows as they are, and has each class drawn as often as any other."""

    def row_weights(self, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """One over the rows of its class, for each row."""
        weights: npt.NDArray[np.float64] = 1 / np.bincount(labels)[labels]
        return weights


def balanced_batches(*, random_state: int) -> BalancedBatches:
    """Draws batches with replacement, each class as likely as any other, each row of a class too.

    (Class-balanced sampling as Kang et al. 2020, arXiv:1910.09217, section 3, define it: q = 0.)
    """
    return BalancedBatches()
