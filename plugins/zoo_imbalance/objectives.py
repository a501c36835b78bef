"""Training losses: each maps logits `(batch, n_classes)` and targets `(batch,)` to a scalar.

Weights per class come from `class_counts`, the rows each class has to train on. A class without rows gets weight 0 and
is no part of what weights are normalised by, so that its presence in the class list changes nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo import UsageError


def cross_entropy(*, class_counts: Tensor) -> nn.Module:
    """Cross entropy, every row alike."""
    return nn.CrossEntropyLoss()


def weighted(*, class_counts: Tensor) -> nn.Module:
    """Cross entropy with weight rows / (classes * count): each class counts as much as any other.

    A class without rows gets weight 0. (The weighting of King and Zeng 2001, as scikit-learn's
    `class_weight="balanced"` has it.)
    """
    return nn.CrossEntropyLoss(weight=_balanced(class_counts))


def focal(*, class_counts: Tensor, gamma: float = 2.0, alpha: str = "none") -> nn.Module:
    """The focal loss of Lin et al. 2017, arXiv:1708.02002, on the softmax: -alpha_t (1 - p_t)^gamma log p_t (eq. 5).

    gamma  how much rows that are classified well already are held back; 0 is cross entropy
    alpha  `none`: 1 for every class (eq. 4); `balanced`: rows / (classes * count), the inverse frequency of section 3.1

    The paper found that the larger gamma is, the less the rare class should weigh, hence no weights by default. The
    mean is over rows, whatever they weigh. Raises UsageError for a gamma below 0 or another alpha.
    """
    if alpha not in ("none", "balanced"):
        raise UsageError(f"focal's alpha is none or balanced, not {alpha!r}")
    weights = _balanced(class_counts) if alpha == "balanced" else torch.ones(len(class_counts))
    return FocalLoss(weights, _at_least_zero("focal's gamma", gamma))


def class_balanced(*, class_counts: Tensor, beta: float = 0.9999, gamma: float = 0.0) -> nn.Module:
    """Each class weighted by the inverse of its effective number of rows: Cui et al. 2019, arXiv:1901.05555, section 4.

    A class of n rows has the weight (1 - beta) / (1 - beta^n), times what makes the weights of all classes with rows
    sum to how many they are. beta = 0 weighs all alike, beta towards 1 by the inverse of n. The loss is cross entropy
    or, where gamma is above 0, the paper's focal form. The mean is over rows, whatever they weigh. Raises UsageError
    for a beta outside [0, 1) or a gamma below 0.
    """
    if not 0 <= beta < 1:
        raise UsageError(f"class-balanced's beta is at least 0 and below 1, not {beta!r}")
    counts = _on_cpu(class_counts)
    # 1 - beta^n by expm1: the difference itself has few digits left where beta^n is near 1.
    effective = -torch.expm1(counts.clamp(min=1) * torch.tensor(beta, dtype=torch.float64).log())
    weights = torch.where(counts > 0, (1 - beta) / effective, 0.0)
    weights *= (counts > 0).sum() / weights.sum()
    return FocalLoss(weights.float(), _at_least_zero("class-balanced's gamma", gamma))


def logit_adjusted(*, class_counts: Tensor, tau: float = 1.0) -> nn.Module:
    """Cross entropy of logits + tau * log prior: Menon et al. 2021, arXiv:2007.07314, eq. 10.

    The prior of a class is its share of the rows. The network's own logits, without the adjustment, are then those of
    balanced classes, which is what it is scored by. tau = 0 is cross entropy. A class without rows is adjusted as one
    with a single row, since log 0 would let its logit grow unseen. Raises UsageError for a tau below 0.
    """
    prior = _on_cpu(class_counts).clamp(min=1)
    return LogitAdjustedLoss((_at_least_zero("logit-adjusted's tau", tau) * (prior / prior.sum()).log()).float())


def context_aware(*, class_counts: Tensor) -> nn.Module:
    """ECGTransForm's context-aware loss: cross entropy with weight max(1, ln(largest count / count)) for each class.

    El-Ghaish and Eldele 2024, doi:10.1016/j.bspc.2023.105714, as the authors' published code computes it: there a
    class weighs ln(mu * rows / count), but no less than 1, with mu = largest count / rows, so that the number of rows
    cancels. No class weighs more than another unless the largest is more than e times its size. As there, a batch's
    mean is over the weights of its rows. A class without rows, which the paper does not have, gets weight 0.
    """
    counts = _on_cpu(class_counts)
    weights = torch.where(counts > 0, (counts.max() / counts.clamp(min=1)).log().clamp(min=1), 0.0)
    return nn.CrossEntropyLoss(weight=weights.float())


class FocalLoss(nn.Module):
    """The mean over rows of -weight (1 - p)^gamma log p, where p is the softmax of the row's own class."""

    weight: Tensor

    def __init__(self, weight: Tensor, gamma: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        entropy = functional.cross_entropy(logits, targets, reduction="none")  # -log p
        loss = self.weight[targets] * entropy
        if self.gamma:
            # At p = 1 a power below 1 has an infinite slope, and times a loss of 0 that is NaN: stay just off it.
            rest = (-torch.expm1(-entropy)).clamp(min=torch.finfo(entropy.dtype).tiny)
            loss = rest.pow(self.gamma) * loss
        return loss.mean()


class LogitAdjustedLoss(nn.Module):
    """Cross entropy of logits with an adjustment `(n_classes,)` added."""

    adjustment: Tensor

    def __init__(self, adjustment: Tensor) -> None:
        super().__init__()
        self.register_buffer("adjustment", adjustment)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(logits + self.adjustment, targets)


def _balanced(class_counts: Tensor) -> Tensor:
    """rows / (classes * count), over the classes that have rows."""
    counts = class_counts.to(torch.float32)
    return torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts.clamp(min=1)), 0.0)


def _on_cpu(class_counts: Tensor) -> Tensor:
    """Counts to compute with; not every device has float64."""
    return class_counts.to("cpu", torch.float64)


def _at_least_zero(what: str, value: float) -> float:
    if value < 0:
        raise UsageError(f"{what} is at least 0, not {value!r}")
    return value
