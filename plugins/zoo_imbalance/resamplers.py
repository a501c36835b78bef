"""Resamplers of imbalanced-learn, under the names the zoo knows them by.

Each gives an object with `fit_resample(X, y)`; `random_state` seeds it. imbalanced-learn takes two seconds to import,
which those who do not resample need not wait for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imblearn.base import BaseSampler


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
