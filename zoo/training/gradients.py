"""What an objective does: its gradients for random logits, by which two objectives can be found to train alike."""

import contextlib
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoo.store.alike import alike
from zoo.training.randomness import own_random, seed_all

Loss = Callable[[Tensor, Tensor], Tensor]
BATCHES, ROWS_OF_A_CLASS = 8, 4
SCALES = (0.5, 1.0, 2.0, 4.0)  # of the logits: from undecided to sure


def gradients_of(make: Callable[[Tensor], Loss], counts: Tensor) -> tuple[float, ...]:
    """Return how the loss for these class counts, int64 `(n_classes,)`, changes in fixed random directions.

    Each number is the derivative of the loss of a batch of random logits, with rows of every class that has some, in a
    random direction, computed on the device of the counts. Objectives with equal numbers have equal gradients, so they
    train alike. `make` builds the loss, of which training has another instance. Empty if the loss cannot be computed,
    or is not finite.
    """
    device, targets = counts.device, counts.nonzero().flatten().repeat(ROWS_OF_A_CLASS)
    drawn = torch.Generator().manual_seed(0)
    found = []
    with own_random(device), contextlib.suppress(Exception, SystemExit):
        seed_all(0)
        loss = make(counts)
        for batch in range(BATCHES):
            logits = torch.randn(len(targets), len(counts), generator=drawn) * SCALES[batch % len(SCALES)]
            direction = torch.randn(logits.shape, generator=drawn).to(device)
            logits = logits.to(device).requires_grad_()
            (gradient,) = torch.autograd.grad(loss(logits, targets), logits)
            found.append(float((gradient * direction).sum()))
        return tuple(found) if all(map(math.isfinite, found)) else ()
    return ()


def remark(name: str, make: Callable[[Tensor], Loss], counts: Tensor) -> str:
    """Return a line if an objective treats all classes alike for these class counts, though not for others; else "".

    `name` is the name of the objective, and `make` builds the loss for class counts.
    """
    there = counts > 0
    if int(there.sum()) < 2:
        return ""
    found = gradients_of(make, counts)
    powers = 10 ** (torch.arange(len(counts), device=counts.device) % 4)
    uneven, even = torch.where(there, powers, 0), torch.where(there, counts.max(), 0)
    if not found or alike(found, gradients_of(make, uneven)):
        return ""
    rows = f"{_range(counts[there])} training rows of each class"
    if alike(found, gradients_of(lambda _: nn.functional.cross_entropy, counts)):
        return f"with {rows}, loss {name} is plain cross-entropy"
    return f"with {rows}, loss {name} treats all classes alike" if alike(found, gradients_of(make, even)) else ""


def _range(counts: Tensor) -> str:
    least, most = int(counts.min()), int(counts.max())
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"
