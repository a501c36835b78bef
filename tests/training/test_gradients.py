"""Which objectives train alike: those with equal gradients for the class counts, whatever their names."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.store.alike import alike
from zoo.training.gradients import gradients_of, remark
from zoo_imbalance import objectives

EVEN, UNEVEN, NEARLY = (torch.tensor(counts) for counts in ((30, 30, 30), (90, 10, 40), (30, 30, 31)))
ABSENT, CLOSE = torch.tensor((30, 0, 30)), torch.tensor((50, 30, 20))
PLAIN = objectives.cross_entropy
MAKERS: dict[str, Callable[..., Callable[[Tensor, Tensor], Tensor]]] = {
    "weighted": objectives.weighted,
    "class-balanced": objectives.class_balanced,
    "logit-adjusted": objectives.logit_adjusted,
    "context-aware": objectives.context_aware,
    "third-party": lambda *, class_counts: (
        lambda logits, targets: functional.cross_entropy(
            logits - 0.25 * class_counts.clamp(min=1).float().log(), targets
        )
    ),
}
FOCAL = partial(objectives.focal, alpha="balanced")


def same(make: Callable[..., object], other: Callable[..., object], counts: Tensor) -> bool:
    both = [gradients_of(lambda counts, make=make: make(class_counts=counts), counts) for make in (make, other)]
    assert all(len(each) == 8 for each in both)
    return alike(*both)


@pytest.mark.parametrize("name", MAKERS)
def test_class_weights_on_balanced_rows_are_plain_cross_entropy_and_noted(name: str) -> None:
    make = MAKERS[name]
    found = {str(counts.tolist()): same(make, PLAIN, counts) for counts in (EVEN, ABSENT, UNEVEN, NEARLY, CLOSE)}
    close = name == "context-aware"  # no class is e times as large as another
    adjusted = name in ("logit-adjusted", "third-party")  # whose logit of a class without rows is adjusted, too
    assert [*found.values()] == [True, not adjusted, False, close, close]
    noted = [remark(name, lambda counts: make(class_counts=counts), counts) for counts in (EVEN, UNEVEN, CLOSE)]
    assert noted[0] == f"with 30 training rows of each class, loss {name} is plain cross-entropy"
    assert noted[1] == ""
    assert noted[2] == (
        "with 20 to 50 training rows of each class, loss context-aware is plain cross-entropy" if close else ""
    )


def test_focal_with_balanced_weights_on_balanced_rows_is_focal_without_and_noted() -> None:
    assert same(FOCAL, objectives.focal, EVEN)
    assert not same(FOCAL, objectives.focal, UNEVEN)
    assert not same(FOCAL, PLAIN, EVEN)
    assert remark("focal", lambda counts: FOCAL(class_counts=counts), EVEN) == (
        "with 30 training rows of each class, loss focal treats all classes alike"
    )


def test_a_loss_that_never_looks_at_the_class_counts_is_not_noted() -> None:
    for make in (PLAIN, objectives.focal, partial(objectives.focal, gamma=0.0)):
        assert remark("loss", lambda counts, make=make: make(class_counts=counts), EVEN) == ""
    assert same(partial(objectives.focal, gamma=0.0), PLAIN, UNEVEN)
    assert not same(objectives.focal, partial(objectives.focal, gamma=1.9), EVEN)


def test_the_random_states_stay_and_a_loss_that_fails_has_no_gradients() -> None:
    before = torch.get_rng_state()

    class Failing(nn.Module):
        def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
            torch.rand(3)
            raise ValueError("it is broken")

    assert gradients_of(lambda counts: Failing(), EVEN) == ()
    assert gradients_of(lambda counts: lambda logits, targets: logits.sum() * float("nan"), EVEN) == ()
    assert torch.equal(torch.get_rng_state(), before)
    assert not alike((), ())
