"""The objectives against their formulas; the resamplers are in tests/data/test_resampling.py."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from zoo import UsageError
from zoo.factories import complete, load_factory
from zoo.registry import Registry
from zoo_imbalance.objectives import class_balanced, context_aware, cross_entropy, focal, logit_adjusted, weighted

LOGITS = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
TARGETS = torch.arange(40) % 3
COUNTS = torch.tensor([70, 25, 5])
ABSENT = torch.tensor([90, 0, 10])  # the second class has no rows to train on
PRESENT = torch.where(TARGETS == 1, 0, TARGETS)
OBJECTIVES = ["cross-entropy", "weighted", "focal", "class-balanced", "logit-adjusted", "context-aware"]
FORMS = [
    cross_entropy,
    weighted,
    focal,
    partial(focal, alpha="balanced", gamma=0.5),  # a power with an infinite slope at 0
    class_balanced,
    partial(class_balanced, gamma=2.0),
    logit_adjusted,
    context_aware,
]


def probabilities(logits: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    """The softmax of each row's own class, in float64."""
    powers = np.exp(logits.numpy().astype(np.float64))
    return powers[np.arange(len(targets)), targets.numpy()] / powers.sum(axis=1)


def test_cross_entropy_is_plain() -> None:
    expected = -torch.log_softmax(LOGITS, 1)[torch.arange(40), TARGETS].mean()
    torch.testing.assert_close(cross_entropy(class_counts=COUNTS)(LOGITS, TARGETS), expected)


def test_weights_are_the_balanced_ones() -> None:
    labels = np.repeat([0, 1, 2], COUNTS.numpy())
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(weighted(class_counts=COUNTS).weight, expected, rtol=1e-6)
    np.testing.assert_allclose(focal(class_counts=COUNTS, alpha="balanced").weight, expected, rtol=1e-6)


def test_a_class_without_rows_weighs_nothing_and_breaks_nothing() -> None:
    objective = weighted(class_counts=ABSENT)
    torch.testing.assert_close(objective.weight, torch.tensor([100 / 180, 0.0, 5.0]))
    assert torch.isfinite(objective(LOGITS, PRESENT))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_focal_is_its_equation(gamma: float) -> None:
    p = probabilities(LOGITS, TARGETS)
    plain = focal(class_counts=COUNTS, gamma=gamma)
    assert float(plain(LOGITS, TARGETS)) == pytest.approx(np.mean(-((1 - p) ** gamma) * np.log(p)), rel=1e-5)
    alpha = (100 / (3 * COUNTS.numpy()))[TARGETS.numpy()]
    balanced = focal(class_counts=COUNTS, gamma=gamma, alpha="balanced")
    assert float(balanced(LOGITS, TARGETS)) == pytest.approx(np.mean(-alpha * (1 - p) ** gamma * np.log(p)), rel=1e-5)


def test_focal_as_in_the_paper_costs_a_hundredth_at_nine_tenths() -> None:
    """Section 3.2: with gamma = 2, an example classified with p = 0.9 has 100 x lower loss than with cross entropy."""
    logits, target = torch.tensor([[math.log(0.9), math.log(0.1)]]), torch.tensor([0])
    counts = torch.tensor([1, 1])
    ratio = cross_entropy(class_counts=counts)(logits, target) / focal(class_counts=counts)(logits, target)
    assert float(ratio) == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize("beta", [0.9, 0.999, 0.9999])
def test_class_balanced_weighs_by_the_effective_number(beta: float) -> None:
    effective = np.array([sum(beta**power for power in range(count)) for count in COUNTS.tolist()])
    weights = 1 / effective * 3 / (1 / effective).sum()
    p = probabilities(LOGITS, TARGETS)
    objective = class_balanced(class_counts=COUNTS, beta=beta)
    np.testing.assert_allclose(objective.weight, weights, rtol=1e-5)
    expected = np.mean(-weights[TARGETS.numpy()] * np.log(p))
    assert float(objective(LOGITS, TARGETS)) == pytest.approx(expected, rel=1e-5)
    expected = np.mean(-weights[TARGETS.numpy()] * (1 - p) ** 2 * np.log(p))
    assert float(class_balanced(class_counts=COUNTS, beta=beta, gamma=2.0)(LOGITS, TARGETS)) == pytest.approx(
        expected, rel=1e-5
    )


def test_class_balanced_goes_from_no_weights_to_inverse_counts() -> None:
    inverse = 1 / COUNTS.double()
    nearly_one = class_balanced(class_counts=COUNTS, beta=1 - 1e-12)
    torch.testing.assert_close(nearly_one.weight, (inverse * 3 / inverse.sum()).float(), rtol=1e-4, atol=0)
    torch.testing.assert_close(class_balanced(class_counts=COUNTS, beta=0.0).weight, torch.ones(3))


def test_class_balanced_weights_sum_to_the_classes_that_have_rows() -> None:
    weight = class_balanced(class_counts=ABSENT).weight
    assert weight[1] == 0
    assert float(weight.sum()) == pytest.approx(2)


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
def test_logit_adjusted_is_its_equation(tau: float) -> None:
    prior = COUNTS.numpy() / 100
    powers = np.exp(LOGITS.numpy().astype(np.float64)) * prior**tau
    expected = np.mean([-math.log(row[target] / row.sum()) for row, target in zip(powers, TARGETS, strict=True)])
    assert float(logit_adjusted(class_counts=COUNTS, tau=tau)(LOGITS, TARGETS)) == pytest.approx(expected, rel=1e-5)


def test_logit_adjusted_is_least_where_the_balanced_posterior_is() -> None:
    """Rows all alike, of classes 70 : 25 : 5: the best logits, without the adjustment, are equal ones."""
    logits = nn.Parameter(torch.tensor([1.0, -1.0, 0.5]))
    targets = torch.repeat_interleave(torch.arange(3), COUNTS)
    optimiser = torch.optim.LBFGS([logits], max_iter=50)
    objective = logit_adjusted(class_counts=COUNTS)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = objective(logits.expand(100, 3), targets)
        loss.backward()
        return loss

    optimiser.step(closure)
    torch.testing.assert_close(logits - logits.mean(), torch.zeros(3), rtol=0, atol=1e-3)


def test_context_aware_weighs_by_the_logarithm_and_never_below_one() -> None:
    """The counts of the heartbeats' official training part."""
    counts = [72471, 2223, 5788, 641, 6431]
    mu = max(counts) / sum(counts)
    expected = [max(1.0, math.log(mu * sum(counts) / count)) for count in counts]
    assert expected[0] == 1.0
    assert expected[3] == pytest.approx(4.728, abs=1e-3)
    objective = context_aware(class_counts=torch.tensor(counts))
    np.testing.assert_allclose(objective.weight, expected, rtol=1e-6)
    weights = np.array(expected)[:3]
    entropy = -np.log(probabilities(LOGITS, TARGETS))
    mean = (weights[TARGETS.numpy()] * entropy).sum() / weights[TARGETS.numpy()].sum()
    three = context_aware(class_counts=torch.tensor(counts[:3]))
    assert float(three(LOGITS, TARGETS)) == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize(
    "objective",
    [
        focal(class_counts=COUNTS, gamma=0.0),
        class_balanced(class_counts=COUNTS, beta=0.0),
        logit_adjusted(class_counts=COUNTS, tau=0.0),
        context_aware(class_counts=torch.tensor([30, 25, 12])),  # within a factor e of one another
    ],
)
def test_the_limit_is_cross_entropy(objective: nn.Module) -> None:
    torch.testing.assert_close(objective(LOGITS, TARGETS), nn.functional.cross_entropy(LOGITS, TARGETS))


@pytest.mark.parametrize("counts", [COUNTS, ABSENT, torch.tensor([0, 0, 7]), torch.tensor([1, 10**9, 1])])
@pytest.mark.parametrize("form", FORMS)
def test_no_count_and_no_logit_gives_nan(form, counts: torch.Tensor) -> None:
    objective = form(class_counts=counts)
    present = torch.arange(3)[counts > 0]
    targets = present[torch.arange(40) % len(present)]
    for scale in (0.0, 1.0, 1e2, 1e4):
        logits = (scale * LOGITS.sign()).requires_grad_()
        loss = objective(logits, targets)
        loss.backward()
        assert loss.shape == ()
        assert torch.isfinite(loss)
        assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_are_modules_that_move_with_their_weights(registry: Registry, name: str) -> None:
    spec = registry.get("objective", name).spec
    objective = load_factory(spec.factory)(class_counts=COUNTS, **complete(spec, {}))
    assert isinstance(objective, nn.Module)
    assert not list(objective.parameters())
    moved = objective.to("meta")
    assert moved(LOGITS.to("meta"), TARGETS.to("meta")).device.type == "meta"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(focal, gamma=-1.0), "focal's gamma is at least 0, not -1.0"),
        (partial(focal, alpha="inverse"), "focal's alpha is none or balanced, not 'inverse'"),
        (partial(class_balanced, beta=1.0), "class-balanced's beta is at least 0 and below 1, not 1.0"),
        (partial(class_balanced, gamma=-1.0), "class-balanced's gamma is at least 0"),
        (partial(logit_adjusted, tau=-1.0), "logit-adjusted's tau is at least 0"),
    ],
)
def test_a_value_that_makes_no_sense_is_one_line(make, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(class_counts=COUNTS)
