"""Label smoothing of any objective (Szegedy et al. 2016, arXiv:1512.00567, section 7)."""

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def smoothed(loss: Loss, share: float) -> Loss:
    """Return the loss with the labels smoothed by a share in [0, 1): the loss itself for 0.

    With the share e, classes k = 1 … K, logits z and labels y it is (1 - e) loss(z, y) + e / K * sum of
    loss(z with the logits of y and k exchanged, y) over k. For cross entropy this is torch's `label_smoothing`, and for
    every loss that treats all classes alike the expected loss if each label is replaced, with probability e, by a class
    drawn uniformly. A row always keeps its own label for the loss, and so the weight of its own class. With replaced
    labels, few rows with the label and the weight of a rare class would outweigh all rows of a frequent one.
    """
    return _Smoothed(loss, share) if share else loss


class _Smoothed:
    def __init__(self, loss: Loss, share: float) -> None:
        self.loss, self.share = loss, share

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        rows, classes = logits.shape
        value = (1 - self.share) * self.loss(logits, targets)
        order = torch.arange(classes, device=logits.device).repeat(rows, 1)
        for label in range(classes):
            exchanged = order.scatter(1, targets[:, None], label)
            exchanged[:, label] = targets
            value = value + self.share / classes * self.loss(logits.gather(1, exchanged), targets)
        return value
