"""Checks of every objective (the contract: `zoo.specs.Objective`)."""

from typing import Any

import torch
from torch import Tensor, nn

from zoo.factories import complete, load_factory
from zoo.registry import Entry, Registry
from zoo.specs import Objective
from zoo.testing.check import expect

COUNTS = (700, 250, 50)


def scalar(registry: Registry, entry: Entry[Objective]) -> None:
    """For logits `(batch, n_classes)` and targets `(batch,)`: a finite float32 scalar with a finite gradient."""
    for rows, counts in ((1, COUNTS), (2, COUNTS), (40, COUNTS), (40, COUNTS[:2]), (40, COUNTS * 3)):
        logits, targets = _batch(rows, len(counts))
        loss, what = _objective(entry, counts)(logits, targets), f"the loss of {rows} rows of {len(counts)} classes"
        expect(loss.ndim == 0, f"{what} has the shape {tuple(loss.shape)}, not ()")
        expect(loss.dtype == torch.float32, f"{what} is {loss.dtype}")
        loss.backward()
        expect(bool(torch.isfinite(loss)), f"{what} is {loss.item()}")
        expect(_finite(logits.grad), f"the gradient of {rows} rows of {len(counts)} classes is not finite")


def leaves_its_input(registry: Registry, entry: Entry[Objective]) -> None:
    """It does not change the logits, the targets and the class counts."""
    given = (*_batch(12), torch.tensor((90, 0, 10)))
    logits, targets, counts = (value.detach().clone() for value in given)
    load_factory(entry.spec.factory)(class_counts=counts, **complete(entry.spec, {}))(logits, targets)
    pairs = zip(("logits", "targets", "class counts"), given, (logits, targets, counts), strict=True)
    changed = [name for name, before, after in pairs if not torch.equal(before, after)]
    expect(not changed, f"it changes its input: {', '.join(changed)}")


def extremes(registry: Registry, entry: Entry[Objective]) -> None:
    """For logits of ten thousand, correct or wrong, the loss and its gradient are finite."""
    for sign in (1.0, -1.0):
        logits = (sign * 1e4 * nn.functional.one_hot(_batch(6)[1], 3).float()).requires_grad_()
        loss = _objective(entry)(logits, _batch(6)[1])
        loss.backward()
        found = f"for logits of {sign * 1e4:,.0f} the loss is {loss.item()}; it and its gradient must be finite"
        expect(bool(torch.isfinite(loss)) and _finite(logits.grad), found)


def absent_class(registry: Registry, entry: Entry[Objective]) -> None:
    """A class without rows causes no NaN and no infinity."""
    logits, _ = _batch(8)
    loss = _objective(entry, (90, 0, 10))(logits, torch.tensor([0, 2] * 4))
    loss.backward()
    found = f"with a class without rows the loss is {loss.item()}; it and its gradient must be finite"
    expect(bool(torch.isfinite(loss)) and _finite(logits.grad), found)


def descends(registry: Registry, entry: Entry[Objective]) -> None:
    """Steps along its gradient reduce the loss and classify all rows correctly."""
    logits, targets = _batch(30)
    objective = _objective(entry)
    first = objective(logits, targets).item()
    optimiser = torch.optim.Adam([logits], lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        loss = objective(logits, targets)
        loss.backward()
        optimiser.step()
    expect(loss.item() < first, f"its gradient does not reduce the loss: from {first:.4f} to {loss.item():.4f}")
    hits = int((logits.argmax(1) == targets).sum())
    expect(hits == 30, f"steps along its gradient classify only {hits} of 30 rows correctly")


CHECKS = (scalar, leaves_its_input, extremes, absent_class, descends)


def use(registry: Registry, entry: Entry[Objective]) -> None:
    """Compute one gradient."""
    logits, targets = _batch(6)
    _objective(entry)(logits, targets).backward()


def _objective(entry: Entry[Objective], counts: tuple[int, ...] = COUNTS) -> Any:
    return load_factory(entry.spec.factory)(class_counts=torch.tensor(counts))


def _batch(rows: int, classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, classes, generator=generator).requires_grad_(), torch.arange(rows) % classes


def _finite(gradient: Tensor | None) -> bool:
    return gradient is not None and bool(torch.isfinite(gradient).all())
