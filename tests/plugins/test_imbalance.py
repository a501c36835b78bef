"""The objectives against their formulas, the resamplers against imbalanced-learn itself.

What the harness makes of resamplers is in tests/data/test_resampling.py.
"""

import importlib
import math
from functools import partial
from typing import Any

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


CHANCES = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])  # of rows that are of class 0, 1 and 2
LN2, LN125, LN25 = math.log(2), math.log(1.25), math.log(2.5)  # their cross entropies
LN_CONTEXT = (math.log(1000 / 300), math.log(100))


@pytest.mark.parametrize(
    ("form", "counts", "expected"),
    [
        (cross_entropy, (60, 30, 10), (LN2 + LN125 + LN25) / 3),
        (weighted, (60, 30, 10), (5 / 9 * LN2 + 10 / 9 * LN125 + 10 / 3 * LN25) / 5),
        (weighted, (6, 3, 1), (5 / 9 * LN2 + 10 / 9 * LN125 + 10 / 3 * LN25) / 5),
        (focal, (60, 30, 10), (0.5**2 * LN2 + 0.2**2 * LN125 + 0.6**2 * LN25) / 3),
        (partial(focal, gamma=1.0), (60, 30, 10), (0.5 * LN2 + 0.2 * LN125 + 0.6 * LN25) / 3),
        (
            partial(focal, gamma=1.0, alpha="balanced"),
            (60, 30, 10),
            (5 / 9 * 0.5 * LN2 + 10 / 9 * 0.2 * LN125 + 10 / 3 * 0.6 * LN25) / 3,
        ),
        # The effective numbers are 1, 1 + 1/2 and 1 + 1/2 + 1/4, their inverses 1, 2/3 and 4/7, of the sum 47/21.
        (partial(class_balanced, beta=0.5), (1, 2, 3), (63 * LN2 + 42 * LN125 + 36 * LN25) / 47 / 3),
        (
            partial(class_balanced, beta=0.5, gamma=1.0),
            (1, 2, 3),
            (63 * 0.5 * LN2 + 42 * 0.2 * LN125 + 36 * 0.6 * LN25) / 47 / 3,
        ),
        # Each chance times the share of its class, brought to a sum of 1 again.
        (logit_adjusted, (60, 30, 10), -(math.log(0.30 / 0.40) + math.log(0.24 / 0.31) + math.log(0.04 / 0.31)) / 3),
        (
            partial(logit_adjusted, tau=2.0),
            (60, 30, 10),
            -(math.log(0.18 / 0.205) + math.log(0.072 / 0.109) + math.log(0.004 / 0.139)) / 3,
        ),
        (
            context_aware,
            (1000, 300, 10),
            (LN2 + LN_CONTEXT[0] * LN125 + LN_CONTEXT[1] * LN25) / (1 + sum(LN_CONTEXT)),
        ),
    ],
)
def test_losses_of_three_rows_by_hand(form: Any, counts: tuple[int, ...], expected: float) -> None:
    loss = form(class_counts=torch.tensor(counts))(CHANCES.log(), torch.arange(3))
    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("counts", [(70, 25), (5, 1), (72_471, 641)])
@pytest.mark.parametrize(
    "form",
    [weighted, partial(focal, alpha="balanced"), class_balanced, partial(class_balanced, beta=0.9), context_aware],
)
def test_a_class_without_rows_changes_no_weight_of_the_others(form: Any, counts: tuple[int, int]) -> None:
    two = form(class_counts=torch.tensor(counts)).weight
    three = form(class_counts=torch.tensor([counts[0], 0, counts[1]])).weight
    torch.testing.assert_close(three, torch.tensor([float(two[0]), 0.0, float(two[1])]))


def test_weights_of_classes_of_one_row_and_of_none() -> None:
    counts = torch.tensor([100, 0, 1])
    torch.testing.assert_close(weighted(class_counts=counts).weight, torch.tensor([101 / 200, 0, 101 / 2]))
    torch.testing.assert_close(context_aware(class_counts=counts).weight, torch.tensor([1, 0, math.log(100)]))
    effective = (1 - 0.9**100) / (1 - 0.9)
    expected = torch.tensor([2 / (1 + effective), 0, 2 * effective / (1 + effective)])
    torch.testing.assert_close(class_balanced(class_counts=counts, beta=0.9).weight, expected)


def test_weights_of_large_classes_keep_their_digits() -> None:
    """With beta = 0.9999, (1 - beta^n) / (1 - beta) of 72,471 and 641 rows."""
    effective = [(1 - (1 - 1e-4) ** count) / 1e-4 for count in (72_471, 641)]
    expected = [2 * effective[1] / sum(effective), 2 * effective[0] / sum(effective)]
    weight = class_balanced(class_counts=torch.tensor([72_471, 641])).weight
    np.testing.assert_allclose(weight, expected, rtol=1e-6)


@pytest.mark.parametrize("counts", [(90, 0, 10), (90, 1, 10)])
def test_logit_adjusted_takes_a_class_without_rows_as_one_of_a_single_row(counts: tuple[int, ...]) -> None:
    powers = np.exp(LOGITS.numpy().astype(np.float64)) * [90, 1, 10]
    expected = np.mean([-math.log(row[target] / row.sum()) for row, target in zip(powers, PRESENT, strict=True)])
    found = logit_adjusted(class_counts=torch.tensor(counts))(LOGITS, PRESENT)
    assert float(found) == pytest.approx(expected, rel=1e-5)


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
    """The counts of the heartbeats' official training set."""
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
        (partial(focal, gamma=-1.0), "focal's gamma must be at least 0, not -1.0"),
        (partial(focal, alpha="inverse"), "focal's alpha must be none or balanced, not 'inverse'"),
        (partial(focal, gamma=-1e-9), "focal's gamma must be at least 0, not -1e-09"),
        (partial(class_balanced, beta=1.0), "class-balanced's beta must be at least 0 and below 1, not 1.0"),
        (partial(class_balanced, beta=-1e-9), "class-balanced's beta must be at least 0 and below 1, not -1e-09"),
        (partial(class_balanced, beta=math.nan), "class-balanced's beta must be at least 0 and below 1, not nan"),
        (partial(class_balanced, gamma=-1e-9), "class-balanced's gamma must be at least 0, not -1e-09"),
        (partial(logit_adjusted, tau=-1e-9), "logit-adjusted's tau must be at least 0, not -1e-09"),
    ],
)
def test_a_value_that_makes_no_sense_is_one_line(make, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(class_counts=COUNTS)


def test_what_is_there_with_its_parameters_and_what_they_are_where_no_one_sets_them(registry: Registry) -> None:
    found = {
        entry.spec.name: complete(entry.spec, {})
        for kind in ("resampler", "objective")
        for entry in registry.of_kind(kind)
        if entry.spec.factory.startswith("zoo_imbalance.")
    }
    assert found == {
        "original": {},
        "oversampled": {},
        "undersampled": {},
        "smote": {"k_neighbors": 5},
        "adasyn": {"n_neighbors": 5},
        "borderline-smote": {"k_neighbors": 5, "m_neighbors": 10, "kind": "borderline-1"},
        "smote-tomek": {"k_neighbors": 5, "max_minutes": 5.0},
        "balanced-batches": {},
        "cross-entropy": {},
        "weighted": {},
        "focal": {"gamma": 2.0, "alpha": "none"},
        "class-balanced": {"beta": 0.9999, "gamma": 0.0},
        "logit-adjusted": {"tau": 1.0},
        "context-aware": {},
    }


@pytest.mark.parametrize(
    ("name", "params", "theirs", "settings"),
    [
        ("oversampled", {}, "over_sampling.RandomOverSampler", {}),
        ("undersampled", {}, "under_sampling.RandomUnderSampler", {}),
        ("smote", {}, "over_sampling.SMOTE", {"k_neighbors": 5}),
        ("smote", {"k_neighbors": 2}, "over_sampling.SMOTE", {"k_neighbors": 2}),
        ("adasyn", {}, "over_sampling.ADASYN", {"n_neighbors": 5}),
        ("adasyn", {"n_neighbors": 3}, "over_sampling.ADASYN", {"n_neighbors": 3}),
        ("borderline-smote", {}, "over_sampling.BorderlineSMOTE", {"k_neighbors": 5, "m_neighbors": 10}),
        ("borderline-smote", {"k_neighbors": 3}, "over_sampling.BorderlineSMOTE", {"k_neighbors": 3}),
        ("borderline-smote", {"m_neighbors": 4}, "over_sampling.BorderlineSMOTE", {"m_neighbors": 4}),
        ("borderline-smote", {"kind": "borderline-2"}, "over_sampling.BorderlineSMOTE", {"kind": "borderline-2"}),
        ("smote-tomek", {}, "combine.SMOTETomek", {"smote": {"k_neighbors": 5}}),
        ("smote-tomek", {"k_neighbors": 2}, "combine.SMOTETomek", {"smote": {"k_neighbors": 2}}),
    ],
)
def test_the_rows_are_those_of_imbalanced_learn_by_seed_and_parameters(
    registry: Registry, name: str, params: dict[str, Any], theirs: str, settings: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1, 2], [120, 40, 15]))
    values = (rng.normal(size=(175, 4)) + labels[:, None]).astype(np.float32)
    module, _, sampler = theirs.partition(".")
    if inner := settings.get("smote"):
        from imblearn.over_sampling import SMOTE

        settings = {"smote": SMOTE(random_state=7, **inner)}
    made = getattr(importlib.import_module(f"imblearn.{module}"), sampler)(random_state=7, **settings)
    expected, of_class = made.fit_resample(values, labels)
    spec = registry.get("resampler", name).spec
    ours = load_factory(spec.factory)(random_state=7, **complete(spec, params))
    found, found_labels = ours.fit_resample(values, labels)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found_labels, of_class)
