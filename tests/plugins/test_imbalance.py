"""The objectives against their formulas; the resamplers are in tests/data/test_resampling.py."""

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight

from zoo_imbalance.objectives import cross_entropy, weighted

LOGITS = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
TARGETS = torch.arange(40) % 3
COUNTS = torch.tensor([70, 25, 5])


def test_cross_entropy_is_plain() -> None:
    expected = -torch.log_softmax(LOGITS, 1)[torch.arange(40), TARGETS].mean()
    torch.testing.assert_close(cross_entropy(class_counts=COUNTS)(LOGITS, TARGETS), expected)


def test_weights_are_the_balanced_ones() -> None:
    labels = np.repeat([0, 1, 2], COUNTS.numpy())
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(weighted(class_counts=COUNTS).weight, expected, rtol=1e-6)


def test_a_class_without_rows_weighs_nothing_and_breaks_nothing() -> None:
    objective = weighted(class_counts=torch.tensor([90, 0, 10]))
    torch.testing.assert_close(objective.weight, torch.tensor([100 / 180, 0.0, 5.0]))
    assert torch.isfinite(objective(LOGITS, torch.where(TARGETS == 1, 0, TARGETS)))
