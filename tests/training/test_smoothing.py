"""Label smoothing: torch's own for cross entropy, and for every other loss the mean over exchanged logits."""

import math
from collections.abc import Callable
from dataclasses import replace

import lessons
import numpy as np
import pytest
import torch
from lessons import CPU, cell_of
from torch import Tensor, nn
from torch.nn import functional

from zoo.harness.reporter import SilentReporter
from zoo.harness.training_run import TrainingRun
from zoo.training.loop import train
from zoo.training.smoothing import smoothed
from zoo_imbalance import objectives

COUNTS = torch.tensor((90, 10, 0, 40))  # a class without rows, too
LABELS = torch.tensor((0, 1, 3, 0, 0, 3, 1))


def logits_of(rows: int = 7, classes: int = 4) -> Tensor:
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(0)).mul(3).requires_grad_()


def margin(logits: Tensor, targets: Tensor) -> Tensor:
    """A loss of a third party, which adds up its rows."""
    return functional.multi_margin_loss(logits, targets, reduction="sum")


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": objectives.cross_entropy(class_counts=COUNTS),
    "weighted": objectives.weighted(class_counts=COUNTS),
    "focal": objectives.focal(class_counts=COUNTS, gamma=1.5),
    "focal, balanced": objectives.focal(class_counts=COUNTS, alpha="balanced"),
    "class-balanced": objectives.class_balanced(class_counts=COUNTS, gamma=0.5),
    "logit-adjusted": objectives.logit_adjusted(class_counts=COUNTS),
    "context-aware": objectives.context_aware(class_counts=COUNTS),
    "margin": margin,
}


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("classes", [2, 4, 50])
def test_cross_entropy_is_smoothed_as_torch_does(share: float, classes: int) -> None:
    logits, labels = logits_of(64, classes), torch.arange(64) % classes
    found = smoothed(nn.CrossEntropyLoss(), share)(logits, labels)
    expected = functional.cross_entropy(logits, labels, label_smoothing=share)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
    both = [torch.autograd.grad(value, logits)[0] for value in (found, expected)]
    torch.testing.assert_close(*both, rtol=1e-4, atol=1e-7)


def one_row(name: str, logits: np.ndarray, label: int) -> tuple[float, float]:
    """The loss of one row by the formula of its paper, and the weight of the row in the mean of a batch."""
    counts = COUNTS.numpy().astype(float)
    there = counts > 0
    balanced = np.where(there, counts.sum() / (there.sum() * np.maximum(counts, 1)), 0.0)
    if name == "logit-adjusted":
        prior = np.maximum(counts, 1)
        logits = logits + np.log(prior / prior.sum())
    p = math.exp(logits[label]) / np.exp(logits).sum()
    if name in ("cross-entropy", "logit-adjusted"):
        return -math.log(p), 1.0
    if name == "weighted":
        return -math.log(p), balanced[label]
    if name == "context-aware":
        return -math.log(p), max(1.0, math.log(counts.max() / counts[label]))
    if name == "focal":
        return -((1 - p) ** 1.5) * math.log(p), 1.0
    if name == "focal, balanced":
        return -balanced[label] * (1 - p) ** 2 * math.log(p), 1.0
    if name == "class-balanced":
        weights = np.where(there, (1 - 0.9999) / (1 - 0.9999 ** np.maximum(counts, 1)), 0.0)
        weights *= there.sum() / weights.sum()
        return -weights[label] * (1 - p) ** 0.5 * math.log(p), 1.0
    others = [other for other in range(len(logits)) if other != label]
    return sum(max(0.0, 1 - logits[label] + logits[other]) for other in others) / len(logits), 1.0


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_smoothed_row_by_row_with_the_weight_of_the_rows_own_class(name: str) -> None:
    share, logits = 0.2, logits_of()
    found = smoothed(LOSSES[name], share)(logits, LABELS)
    total, weights = 0.0, 0.0
    for row, label in zip(logits.detach().double().numpy(), LABELS.tolist(), strict=True):
        own, weight = one_row(name, row, label)
        exchanged = []
        for other in range(4):
            turned = row.copy()
            turned[[label, other]] = row[[other, label]]
            exchanged.append(one_row(name, turned, label)[0])
        total += weight * ((1 - share) * own + share * sum(exchanged) / 4)
        weights += weight
    assert found.item() == pytest.approx(total if name == "margin" else total / weights, rel=1e-4)
    found.backward()
    assert bool(torch.isfinite(logits.grad).all()), "a class without rows is no division by 0"


@pytest.mark.parametrize("name", ["cross-entropy", "focal", "margin"])
def test_for_a_loss_that_treats_all_classes_alike_it_is_the_loss_that_replaced_labels_are_expected_to_have(
    name: str,
) -> None:
    logits, loss = logits_of(), LOSSES[name]
    replaced = [loss(logits, torch.full_like(LABELS, label)) for label in range(4)]
    expected = 0.8 * loss(logits, LABELS) + 0.2 * sum(replaced) / 4
    torch.testing.assert_close(smoothed(loss, 0.2)(logits, LABELS), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", ["weighted", "class-balanced", "logit-adjusted"])
def test_rows_of_a_frequent_class_still_learn_their_own_class(name: str) -> None:
    """The best constant logits of a class of 99 rows beside one of 1 row predict the class of 99 rows."""
    loss = getattr(objectives, name.replace("-", "_"))(class_counts=torch.tensor((9900, 100)))
    free, labels = torch.zeros(2, 2, requires_grad=True), torch.tensor([0] * 99 + [1])
    optimiser = torch.optim.LBFGS([free], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = smoothed(loss, 0.1)(free[labels], labels)
        value.backward()
        return value

    optimiser.step(closure)
    assert free.argmax(1).tolist() == [0, 1]


def test_without_smoothing_the_loss_is_the_objective_itself_and_with_it_a_run_trains_by_it() -> None:
    of = lessons.parts()
    cell = cell_of("turning", **{"training.label_smoothing": 0.1})
    run, loss = TrainingRun.of(cell, of, of.train, CPU), nn.CrossEntropyLoss()
    assert smoothed(loss, 0.0) is loss
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
    expected = train(run.learner(1), of.train, of.validation, smooth, reporter=SilentReporter())
    losses = [epoch.train_loss for epoch in expected]
    assert [epoch.train_loss for epoch in run.epochs(run.learner(1), SilentReporter())] == pytest.approx(losses)
    without = replace(cell, training=replace(cell.training, label_smoothing=0.0))
    assert "label_smoothing" not in without.config()["training"]
    assert without.config() == cell_of("turning").config()
    assert cell.config()["training"]["label_smoothing"] == 0.1
