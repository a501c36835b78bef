"""Training losses: each maps logits `(batch, n_classes)` and targets `(batch,)` to a scalar."""

import torch
from torch import Tensor, nn


def cross_entropy(*, class_counts: Tensor) -> nn.Module:
    """Cross entropy, every row alike."""
    return nn.CrossEntropyLoss()


def weighted(*, class_counts: Tensor) -> nn.Module:
    """Cross entropy with weight rows / (classes * count): each class counts as much as any other.

    A class without rows gets weight 0. (The weighting of King and Zeng 2001, as scikit-learn's
    `class_weight="balanced"` has it.)
    """
    counts = class_counts.to(torch.float32)
    weights = torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts.clamp(min=1)), 0.0)
    return nn.CrossEntropyLoss(weight=weights)
