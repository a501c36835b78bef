"""Training losses: each maps logits `(batch, n_classes)` and targets `(batch,)` to a scalar.

Class weights are computed from `class_counts`, the number of training rows of each class. A class without rows gets
weight 0 and does not enter the normalisation of the weights, so its presence in the class list changes nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo import UsageError


def cross_entropy(*, class_counts: Tensor) -> nn.Module:
    """Return cross entropy without weights."""
    return nn.CrossEntropyLoss()


def weighted(*, class_counts: Tensor) -> nn.Module:
    """Return cross entropy with class weights rows / (classes * count), so that every class counts the same.

    A class without rows gets weight 0. This is the weighting of King and Zeng 2001, in the form of scikit-learn's
    `class_weight="balanced"`.
    """
    return nn.CrossEntropyLoss(weight=_balanced(class_counts))


def focal(*, class_counts: Tensor, gamma: float = 2.0, alpha: str = "none") -> nn.Module:
    """Return the focal loss of Lin et al. 2017, arXiv:1708.02002: -alpha_t (1 - p_t)^gamma log p_t (eq. 5).

    p_t is the softmax probability of the row's class.

    gamma  how strongly the loss of well-classified rows is reduced; 0 is cross entropy
    alpha  `none`: 1 for every class (eq. 4); `balanced`: rows / (classes * count), the inverse frequency of section 3.1

    In the paper, the best weight of the rare class decreases as gamma increases. There are therefore no weights by
    default. The mean divides by the number of rows, not by the sum of their weights. Raises UsageError for a gamma
    below 0 or an unknown alpha.
    """
    if alpha not in ("none", "balanced"):
        raise UsageError(f"focal's alpha must be none or balanced, not {alpha!r}")
    weights = _balanced(class_counts) if alpha == "balanced" else torch.ones(len(class_counts))
    return FocalLoss(weights, _at_least_zero("focal's gamma", gamma))


def class_balanced(*, class_counts: Tensor, beta: float = 0.9999, gamma: float = 0.0) -> nn.Module:
    """Return the class-balanced loss of Cui et al. 2019, arXiv:1901.05555, section 4.

    Each class is weighted by the inverse of its effective number of rows. A class of n rows has the weight
    (1 - beta) / (1 - beta^n). The weights are then scaled so that their sum is the number of classes with rows. With
    beta = 0 all weights are equal; as beta approaches 1, a weight becomes proportional to 1 / n. The loss is cross
    entropy or, for gamma above 0, the paper's focal form. The mean divides by the number of rows, not by the sum of
    their weights. Raises UsageError for a beta outside [0, 1) or a gamma below 0.
    """
    if not 0 <= beta < 1:
        raise UsageError(f"class-balanced's beta must be at least 0 and below 1, not {beta!r}")
    counts = _on_cpu(class_counts)
    # expm1 computes 1 - beta^n accurately; the plain difference loses digits if beta^n is near 1.
    effective = -torch.expm1(counts.clamp(min=1) * torch.tensor(beta, dtype=torch.float64).log())
    weights = torch.where(counts > 0, (1 - beta) / effective, 0.0)
    weights *= (counts > 0).sum() / weights.sum()
    return FocalLoss(weights.float(), _at_least_zero("class-balanced's gamma", gamma))


def logit_adjusted(*, class_counts: Tensor, tau: float = 1.0) -> nn.Module:
    """Return cross entropy of logits + tau * log prior: Menon et al. 2021, arXiv:2007.07314, eq. 10.

    The prior of a class is its share of the rows. The network's own logits, without the adjustment, then correspond to
    balanced classes; these logits are scored. tau = 0 is cross entropy. A class without rows is adjusted like a class
    with one row: with log 0, the loss would ignore its logit, which could then grow without limit. Raises UsageError
    for a tau below 0.
    """
    prior = _on_cpu(class_counts).clamp(min=1)
    return LogitAdjustedLoss((_at_least_zero("logit-adjusted's tau", tau) * (prior / prior.sum()).log()).float())


def context_aware(*, class_counts: Tensor) -> nn.Module:
    """Return ECGTransForm's context-aware loss: cross entropy with class weights max(1, ln(largest count / count)).

    El-Ghaish and Eldele 2024, doi:10.1016/j.bspc.2023.105714. The formula is from the authors' published code: the
    weight of a class is ln(mu * rows / count), but at least 1, with mu = largest count / rows. The number of rows
    cancels. A class has a weight above 1 only if the largest class is more than e times its size. As in the code, the
    mean over a batch divides by the sum of its row weights. A class without rows does not occur in the paper; here it
    gets weight 0.
    """
    counts = _on_cpu(class_counts)
    weights = torch.where(counts > 0, (counts.max() / counts.clamp(min=1)).log().clamp(min=1), 0.0)
    return nn.CrossEntropyLoss(weight=weights.float())


class FocalLoss(nn.Module):
    """The mean over rows of -weight (1 - p)^gamma log p, where p is the softmax probability of the row's class."""

    weight: Tensor

    def __init__(self, weight: Tensor, gamma: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        entropy = functional.cross_entropy(logits, targets, reduction="none")  # -log p
        loss = self.weight[targets] * entropy
        if self.gamma:
            # At p = 1 a power below 1 has an infinite gradient; times a loss of 0 it is NaN. So stay just below p = 1.
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
    """Return rows / (classes * count), over the classes that have rows."""
    counts = class_counts.to(torch.float32)
    return torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts.clamp(min=1)), 0.0)


def _on_cpu(class_counts: Tensor) -> Tensor:
    """Return the counts as float64 on the CPU: not every device has float64."""
    return class_counts.to("cpu", torch.float64)


def _at_least_zero(what: str, value: float) -> float:
    if value < 0:
        raise UsageError(f"{what} must be at least 0, not {value!r}")
    return value
