"""Resamplers of imbalanced-learn, under the names the zoo knows them by.

Each gives an object with `fit_resample(X, y)`; `random_state` seeds it.
"""

from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler


def original(*, random_state: int) -> None:
    """No resampling."""


def oversampled(*, random_state: int) -> BaseSampler:
    """Repeats rows of the smaller classes at random."""
    return RandomOverSampler(random_state=random_state)


def undersampled(*, random_state: int) -> BaseSampler:
    """Draws from the larger classes, without replacement, as many rows as the smallest has."""
    return RandomUnderSampler(random_state=random_state)


def smote(*, random_state: int, k_neighbors: int = 5) -> BaseSampler:
    """Makes rows between a row and one of its `k_neighbors` nearest of the same class (Chawla et al. 2002)."""
    return SMOTE(random_state=random_state, k_neighbors=k_neighbors)
