"""The fitted baselines: features against loops written out, the ridge head against scikit-learn."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import safetensors.torch
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import Ridge, RidgeClassifier, RidgeClassifierCV
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from zoo import build
from zoo.errors import ModelError
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo.training import fitting
from zoo.training.batches import Tensors
from zoo_rocket.fitted import FittedClassifier, random_rows
from zoo_rocket.hydra import SparseScaler, compete, draw_kernels
from zoo_rocket.kernels import MiniRocketKernels, channel_combinations, dilations, kernels
from zoo_rocket.multirocket import pooled
from zoo_rocket.ridge import ALPHAS, RidgeHead, choose, fit_temperatures

NAMES = ("minirocket", "multirocket", "hydra")
SMALL = {"minirocket": {"num_features": 168}, "multirocket": {"num_features": 672}, "hydra": {"groups": 4}}


@dataclass
class Rows:
    """What `fit` goes through: the form that the harness gives it."""

    values: Tensor
    labels: Tensor
    lengths: Tensor | None = None


class Batches(fitting.Batches):
    """Those of the harness, which count their passes. By default the rows are their own validation rows."""

    def __init__(
        self,
        values: Tensor,
        labels: Tensor,
        validation: tuple[Tensor, Tensor] | None = None,
        size: int = 32,
        monitor: str = "macro_recall",
    ):
        rows, chosen_by = Tensors(values, labels, None), Tensors(*(validation or (values, labels)), None)
        order = torch.Generator().manual_seed(0)
        super().__init__(rows, chosen_by, size, order, None, lambda done, count: None, monitor)
        self.all, self.size = Rows(values, labels), size
        self.order = torch.Generator().manual_seed(0)
        self.passes = 0

    def __len__(self) -> int:
        return -(-self.rows // self.size)

    def __iter__(self) -> Iterator[Rows]:
        self.passes += 1
        for index in torch.randperm(self.rows, generator=self.order).split(self.size):
            yield Rows(self.all.values[index], self.all.labels[index])


def table(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Rows of features, as series of one channel, in three classes of 6 : 3 : 1; the last feature is constant."""
    rng = np.random.default_rng(0)
    labels = rng.choice(3, size=rows, p=(0.6, 0.3, 0.1))
    values = rng.normal(size=(rows, columns)) * rng.uniform(0.01, 9, size=columns) + rng.uniform(-50, 50, size=columns)
    values[:, :3] += 5 * np.eye(3)[labels]
    values[:, -1] = 0.3
    return torch.from_numpy(values.astype(np.float32))[:, None], torch.from_numpy(labels)


def flat(x: Tensor) -> Tensor:
    return x[:, 0]


def waves(rows: int = 90, times: int = 40, channels: int = 1) -> tuple[Tensor, Tensor]:
    """Three classes that differ in frequency."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(rows) % 3
    phase = 6.3 * torch.rand(rows, channels, 1, generator=generator)
    series = torch.sin((labels[:, None, None] + 1) * torch.linspace(0, 12, times) + phase)
    return series + 0.1 * torch.randn(rows, channels, times, generator=generator), labels


def fitted(name: str, values: Tensor, labels: Tensor, *, classes: int = 3, seed: int = 0, **params: int) -> nn.Module:
    torch.manual_seed(seed)
    sizes = {"n_channels": values.shape[1], "n_times": values.shape[2], "n_classes": classes}
    model = build(name, **sizes, **{**SMALL[name], **params}).eval()
    model.fit(Batches(values, labels), generator=torch.Generator().manual_seed(seed))
    return model


# The ridge head


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(400, 30), (50, 80)], ids=["from sums", "from rows"])
def test_the_head_has_the_weights_of_scikit_learn(rows: int, columns: int, balanced: bool) -> None:
    values, labels = table(rows, columns)
    head = RidgeHead(columns, 3, balanced=balanced)
    head.fit(flat, Batches(values, labels))
    counts = torch.bincount(labels)
    weight = (rows / (3 * counts))[labels].numpy() if balanced else np.ones(rows)
    x, y = flat(values).double().numpy(), 2 * functional.one_hot(labels).numpy() - 1
    scaler = StandardScaler().fit(x, sample_weight=weight)
    # alpha is for features of length 1, as the authors normalise them: the rows times that for standardised ones
    expected = Ridge(alpha=rows * float(head.alpha)).fit(scaler.transform(x), y, sample_weight=weight)
    np.testing.assert_allclose(head.weight, expected.coef_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(head.bias, expected.intercept_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(head.scores(flat(values)), expected.predict(scaler.transform(x)), rtol=1e-3, atol=1e-4)
    assert head.scale[-1] == 1
    assert head.weight[:, -1].abs().max() < 1e-12


def test_the_head_without_standardising_only_centres() -> None:
    values, labels = table(200, 20)
    head = RidgeHead(20, 3, standardise=False)
    head.fit(flat, Batches(values, labels))
    x, y = flat(values).double().numpy(), 2 * functional.one_hot(labels).numpy() - 1
    expected = Ridge(alpha=200 * float(head.alpha)).fit(x, y)
    np.testing.assert_allclose(head.weight, expected.coef_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(head.scores(flat(values)), expected.predict(x), rtol=1e-3, atol=1e-4)


def test_macro_recall_chooses_and_log_loss_decides_between_equals() -> None:
    labels = torch.tensor([0] * 8 + [1] * 2)
    majority = torch.tensor([[1.0, -1.0]] * 10)  # accuracy 0.8, macro recall 0.5
    minority = torch.where(labels[:, None] == 1, torch.tensor([-1.0, 1.0]), torch.tensor([1.0, -1.0]))
    minority[:4] *= -1  # accuracy 0.6, macro recall 0.75
    worse = minority.clone()
    worse[4:] *= 0.1  # right, and less sure of it than where it is wrong
    tables, score = torch.stack([majority, worse, minority, majority], 1).double(), Batches(*table(20, 5)).score
    assert choose(tables, labels, score)[0] == 2


@pytest.mark.parametrize(("squared", "best"), [(False, 0), (True, 1)])
def test_of_equal_penalties_log_loss_or_the_squared_error_decides(squared: bool, best: int) -> None:
    labels = torch.arange(20) % 2
    right = (2 * functional.one_hot(labels) - 1).double()
    small, off = 0.1 * right, 0.9 * right  # the scores of a large penalty are small: a temperature mends that
    off[0] = 0.01 * right[0]
    tables = torch.stack([small, off], 1)
    score = Batches(*table(20, 5)).score
    assert choose(tables, labels, score, squared=squared)[0] == best


@pytest.mark.parametrize(
    ("monitor", "best"),
    [("macro_recall", 1), ("macro_f1", 0), ("accuracy", 0), ("validation_loss", 0), ("balanced_loss", 1)],
)
def test_the_score_that_training_monitors_chooses(monitor: str, best: int) -> None:
    labels = torch.tensor([0] * 18 + [1] * 2)
    careful = torch.tensor([[1.0, -1.0]] * 19 + [[-1.0, 1.0]])  # accuracy 0.95, macro recall 0.75, macro F1 0.82
    eager = torch.where(labels[:, None] == 1, torch.tensor([-1.0, 1.0]), torch.tensor([1.0, -1.0]))
    eager[:3] *= -1  # accuracy 0.85, macro recall 0.92, macro F1 0.74
    batches = Batches(*table(20, 5), monitor=monitor)
    tables = torch.stack([careful, eager], 1).double()
    assert choose(tables, labels, batches.score, balanced=monitor == "balanced_loss")[0] == best


def test_the_temperature_of_a_balanced_loss_is_the_best_of_a_fine_grid() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(400, 2, generator=generator).double()
    scores[:, 0] += 1
    labels = (scores / 0.5).softmax(1).multinomial(1, generator=generator)[:, 0]
    counts = torch.bincount(labels)
    weights = (400 / (2 * counts.double()))[labels]
    grid = torch.logspace(-1, 1, 801, dtype=torch.float64)
    losses = [
        (weights * functional.cross_entropy(scores / t, labels, label_smoothing=2 / 402, reduction="none")).mean()
        for t in grid
    ]
    _, found = choose(scores[:, None], labels, lambda logits, true: 0.0, balanced=True)
    assert found == pytest.approx(float(grid[torch.stack(losses).argmin()]), rel=6e-3)


@pytest.mark.parametrize("place", [0, 6, 12])
@pytest.mark.parametrize(("rows", "columns"), [(300, 30), (40, 80)], ids=["from sums", "from rows"])
def test_leave_one_out_scores_are_those_of_scikit_learn(rows: int, columns: int, place: int) -> None:
    values, labels = table(rows, columns)
    scores = left_out(RidgeHead(columns, 3), values, labels, place)
    x, y = StandardScaler().fit_transform(flat(values)[:, :-1].double().numpy()), labels.numpy()
    model = RidgeClassifierCV(alphas=[rows * ALPHAS[place]], store_cv_results=True).fit(x, y)
    np.testing.assert_allclose((2 * np.eye(3)[y] - 1 - scores) ** 2, model.cv_results_[..., 0], rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(60, 12), (30, 50)], ids=["from sums", "from rows"])
def test_leave_one_out_scores_are_those_of_a_fit_without_the_row(rows: int, columns: int, balanced: bool) -> None:
    values, labels = table(rows, columns)
    head = RidgeHead(columns, 3, balanced=balanced)
    scores = left_out(head, values, labels, 7)
    weight = (rows / (3 * torch.bincount(labels)))[labels].numpy() if balanced else np.ones(rows)
    x, y = ((flat(values).double() - head.mean) / head.scale).numpy(), 2 * np.eye(3)[labels.numpy()] - 1
    for row in (0, rows // 2, rows - 1):
        others = np.arange(rows) != row
        model = Ridge(alpha=weight.sum() * ALPHAS[7]).fit(x[others], y[others], sample_weight=weight[others])
        np.testing.assert_allclose(scores[row], model.predict(x[row : row + 1])[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("place", "word"), [(0, "lowest"), (3, ""), (-1, "highest")])
def test_a_penalty_at_an_end_of_the_grid_is_noted(place: int, word: str) -> None:
    batches = Batches(*table(50, 5))
    batches.score = prefer(place)  # type: ignore[method-assign]
    RidgeHead(5, 3).fit(flat, batches)
    assert batches.notes == (
        [f"the ridge penalty chosen is the {word} tried, {ALPHAS[place]:g} of the rows"] if word else []
    )


def prefer(place: int) -> Callable[[Tensor, Tensor], float]:
    """The score of a harness that wants this penalty."""
    wanted = iter([number == place % len(ALPHAS) for number in range(len(ALPHAS))])
    return lambda logits, labels: float(next(wanted))


class InOrder(Batches):
    def __iter__(self) -> Iterator[Rows]:
        for values, labels in zip(*(each.split(self.size) for each in (self.all.values, self.all.labels)), strict=True):
            yield Rows(values, labels)


def left_out(head: RidgeHead, values: Tensor, labels: Tensor, place: int) -> np.ndarray:
    """Fit a head without validation rows, with this penalty; return the leave-one-out scores of the rows."""
    batches = InOrder(values, labels, (values[:0], labels[:0]))
    found: list[tuple[Tensor, Tensor]] = []
    batches.score = prefer(place)  # type: ignore[method-assign]
    batches.held_out = lambda *reported: found.append(reported)  # type: ignore[method-assign]
    head.fit(flat, batches)
    [(logits, true)] = found
    assert torch.equal(true, labels)
    assert float(head.alpha) == pytest.approx(ALPHAS[place])
    return (logits * float(head.temperature)).numpy()


def test_the_temperature_is_the_best_of_a_fine_grid() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(500, 4, generator=generator).double()
    labels = (scores / 0.3).softmax(1).multinomial(1, generator=generator)[:, 0]
    grid = torch.logspace(-1, 0, 501, dtype=torch.float64)
    losses = [functional.cross_entropy(scores / t, labels, label_smoothing=4 / 504) for t in grid]
    best = float(grid[torch.stack(losses).argmin()])
    found = fit_temperatures(torch.stack([scores, 5 * scores, -scores], 1), labels)
    assert found[:2].tolist() == pytest.approx([best, 5 * best], rel=3e-3)
    assert float(found[2]) == pytest.approx(1e3)  # scores that are wrong: the bound
    assert abs(best - 0.3) < 0.05


@pytest.mark.parametrize("rows", [4, 4_000])
def test_separated_rows_have_a_finite_temperature_and_are_as_sure_as_their_number_allows(rows: int) -> None:
    labels = torch.arange(rows) % 2
    scores = (2 * functional.one_hot(labels) - 1).double()
    temperature = fit_temperatures(scores[:, None], labels)
    probability = (scores[0] / temperature).softmax(0).max()
    assert math.isclose(float(probability), (rows + 1) / (rows + 2), rel_tol=1e-6)


# The kernels


def test_there_are_84_kernels_of_three_twos_and_six_minus_ones() -> None:
    found = kernels()
    assert found.shape == (84, 9)
    assert len({tuple(row) for row in found.tolist()}) == 84
    assert found.sum(1).abs().max() == 0
    assert ((found == 2).sum(1) == 3).all()


def dilations_by_the_paper(times: int, per_kernel: int, most: int) -> dict[int, int]:
    """As in the authors' code."""
    count = min(per_kernel, most)
    spread = np.logspace(0, np.log2((times - 1) / 8), count, base=2).astype(int)
    expected, shared = np.unique(spread, return_counts=True)
    number = (shared * (per_kernel / count)).astype(int)
    number[: per_kernel - number.sum()] += 1
    return dict(zip(expected.tolist(), number.tolist(), strict=True))


@pytest.mark.parametrize(
    ("times", "per_kernel", "most"), [(187, 12, 32), (187, 119, 32), (187, 2, 32), (150, 7, 3), (9, 5, 32)]
)
def test_dilations_are_those_of_the_paper(times: int, per_kernel: int, most: int) -> None:
    found = dilations(times, per_kernel, most)
    assert found == dilations_by_the_paper(times, per_kernel, most)
    assert sum(found.values()) == per_kernel
    assert 8 * max(found) < times


@pytest.mark.parametrize("times", [17, 25, 33, 41, 49, 97])
def test_the_longest_kernel_that_fits_whole_is_there(times: int) -> None:
    assert max(dilations(times, 20, 32)) == (times - 1) // 8


def test_channel_combinations() -> None:
    torch.manual_seed(0)
    assert (channel_combinations(5, 1) == 1).all()
    counts = channel_combinations(50, 12).sum(2)
    assert (counts.min(), counts.max()) == (1, 9)
    exponent = math.log2(10)  # 2 ** uniform(0, log2 10) is below 2 with probability 1 / log2 10
    assert abs(float((counts == 1).float().mean()) - 1 / exponent) < 0.02


def test_minirocket_written_out() -> None:
    torch.manual_seed(0)
    model = build("minirocket", n_channels=3, n_times=40, n_classes=2, num_features=84 * 5)
    bank = model.kernels
    bank.bias.copy_(torch.randint(-9, 9, bank.bias.shape) + 0.5)  # between integers, so that counts are exact
    rows = torch.randint(-5, 6, (1, 3, 40))
    found = iter(model.features(rows.float())[0].tolist())
    weights, start = kernels().numpy(), 0
    for number, (dilation, count) in enumerate(bank.dilations.items()):
        reach = 4 * dilation
        padded = np.pad(rows[0].numpy(), ((0, 0), (reach, reach)))
        for whole in (False, True):
            for kernel in range(84):
                if (number + kernel) % 2 != whole:
                    continue
                channels = np.flatnonzero(bank.weight[number, kernel].abs().sum(1).numpy())
                output = np.zeros(40)
                for time in range(40):
                    for tap in range(9):
                        output[time] += weights[kernel, tap] * padded[channels, time + tap * dilation].sum()
                if whole:
                    output = output[reach : 40 - reach]
                for bias in bank.bias[kernel, start : start + count].tolist():
                    assert math.isclose(next(found), (output > bias).mean(), abs_tol=1e-6)
        start += count
    assert start == 5
    assert next(found, None) is None


def test_biases_are_quantiles_of_outputs_at_multiples_of_the_golden_ratio() -> None:
    bank = MiniRocketKernels(n_channels=1, n_times=40, per_kernel=5, max_dilations=32)
    row = waves()[0][:1]
    bank.fit(row, torch.Generator())
    start, place = 0, 0
    for number, (dilation, count) in enumerate(bank.dilations.items()):
        outputs = functional.conv1d(row, bank.weight[number], padding=4 * dilation, dilation=dilation)[0]
        for kernel in range(84):
            wanted = [(place + i + 1) * (1 + 5**0.5) / 2 % 1 for i in range(count)]
            expected = np.quantile(outputs[kernel], wanted)
            np.testing.assert_allclose(bank.bias[kernel, start : start + count], expected, rtol=1e-4, atol=1e-4)
            place += count
        start += count


def test_the_numbers_of_multirocket_written_out() -> None:
    torch.manual_seed(0)
    outputs = torch.randn(3, 4, 30).round(decimals=1)
    outputs[0, 0], outputs[0, 1] = -1, 1
    bias = torch.tensor([0.0, 0.2, -0.5, 0.1])
    found = pooled(outputs, bias).view(3, 4, 4)
    for row in range(3):
        for kernel in range(4):
            z = [value - float(bias[kernel]) for value in outputs[row, kernel].tolist()]
            places = [i for i, value in enumerate(z) if value > 0]
            longest = max(map(len, "".join("x" if value > 0 else " " for value in z).split()), default=0)
            expected = [
                len(places) / 30,
                sum(z[i] for i in places) / max(1, len(places)),
                sum(places) / len(places) if places else -1,
                longest,
            ]
            np.testing.assert_allclose(found[row, :, kernel], expected, rtol=1e-5, atol=1e-6)


# Hydra


def test_kernels_compete_written_out() -> None:
    torch.manual_seed(0)
    outputs = torch.randint(-3, 4, (2, 3, 4, 25)).float()  # with many equal ones
    found = compete(outputs).view(2, 3, 2, 4)
    expected = torch.zeros(2, 3, 2, 4)
    for row, group, time in np.ndindex(2, 3, 25):
        column = outputs[row, group, :, time].tolist()
        expected[row, group, 0, column.index(max(column))] += max(column)
        expected[row, group, 1, column.index(min(column))] += 1
    torch.testing.assert_close(found.transpose(1, 2), expected.transpose(1, 2).reshape(found.transpose(1, 2).shape))


def test_hydra_kernels_have_mean_zero_length_one_and_share_channels_within_a_group() -> None:
    torch.manual_seed(0)
    weight = draw_kernels(2, 3, 4, 12).unflatten(2, (3, 4))
    used = weight.abs().sum(-1) > 0
    assert (used == used[:, :, :, :1]).all()
    assert (used.sum(-1) == 6).all()
    per_channel = weight[used]
    torch.testing.assert_close(per_channel.mean(-1), torch.zeros(len(per_channel)), rtol=0, atol=1e-6)
    torch.testing.assert_close(per_channel.abs().sum(-1), torch.ones(len(per_channel)))


def test_the_sparse_scaler_written_out() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.7, size=(80, 6)) * rng.normal(1, 1, size=(80, 6))
    scaler = SparseScaler(6)
    values = torch.from_numpy(counts.astype(np.float32))[:, None]
    scaler.fit(flat, Batches(values, torch.zeros(80, dtype=torch.int64)))
    roots = np.sqrt(np.maximum(counts, 0))
    expected = (roots - roots.mean(0)) * (roots != 0) / (roots.std(0, ddof=1) + (roots == 0).mean(0) ** 4 + 1e-8)
    np.testing.assert_allclose(scaler(flat(values)), expected, rtol=1e-4, atol=1e-5)


# All three


@pytest.mark.parametrize(
    ("reference", "features"),
    [
        ("minirocket.paper", 9_996),  # the paper's 10,000, rounded down to a multiple of 84
        ("multirocket.paper", 49_728),  # 6,216 kernels x 4 x 2: the paper's "50k"
        ("hydra.paper", 5 * 1_024),  # 64 groups x 8 kernels x 2, at dilations 1, 2, 4, 8, 16 of 187 samples
    ],
)
def test_the_published_sizes(reference: str, features: int) -> None:
    model = on_meta(lambda: build(reference, n_channels=1, n_times=187, n_classes=5))
    assert count_parameters(model) == 5 * features + 5
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_multiplications_are_those_of_the_kernels_and_the_head() -> None:
    model = on_meta(lambda: build("minirocket", n_channels=1, n_times=187, n_classes=5))
    outputs = sum(42 * 187 + 42 * (187 - 8 * dilation) for dilation in model.kernels.dilations)
    assert count_macs(model, n_channels=1, n_times=187) == 9 * outputs + 5 * 1_008


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_fitted_it_tells_frequencies_apart(name: str, channels: int) -> None:
    values, labels = waves(240, channels=channels)
    model = fitted(name, values[:180], labels[:180])
    logits = model(values[180:])
    assert (logits.argmax(1) == labels[180:]).float().mean() > 0.9
    assert functional.cross_entropy(logits, labels[180:]) < 0.4


@pytest.mark.parametrize("name", NAMES)
def test_weights_go_into_a_fresh_net_and_seeds_repeat(name: str) -> None:
    values, labels = waves()
    model, twin, other = (fitted(name, values, labels, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(model(values), twin(values))
    assert not torch.equal(model(values), other(values))
    torch.manual_seed(9)
    fresh = build(name, n_channels=1, n_times=40, n_classes=3, **SMALL[name]).eval()
    assert torch.equal(fresh(values), torch.zeros(90, 3))
    fresh.load_state_dict(safetensors.torch.load(safetensors.torch.save(model.state_dict())))
    assert torch.equal(fresh(values), model(values))


@pytest.mark.parametrize("name", NAMES)
def test_autocast_and_the_other_rows_of_a_batch_change_nothing(name: str) -> None:
    values, labels = waves()
    model = fitted(name, values, labels)
    logits = model(values)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model(values), logits)
    torch.testing.assert_close(torch.cat([model(row[None]) for row in values]), logits, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("rows", [5, 700], ids=["fewer rows than features", "more"])
@pytest.mark.parametrize("name", NAMES)
def test_the_shortest_series_and_a_class_without_rows(name: str, rows: int) -> None:
    values, labels = waves(rows, times={"multirocket": 10}.get(name, 9))
    model = fitted(name, values, labels.clamp(max=1), classes=4)
    assert torch.isfinite(model(values)).all()
    assert (model(values).argmax(1) < 2).all()


def test_hydra_is_scaled_in_one_pass_and_solved_in_another() -> None:
    values, labels = waves()
    batches = Batches(values, labels)
    model = build("hydra", n_channels=1, n_times=40, n_classes=3, groups=4)
    model.fit(batches, generator=torch.Generator())
    assert batches.passes == 3  # and the first batch once more


def test_a_balanced_head_finds_more_of_a_small_class() -> None:
    generator = torch.Generator().manual_seed(0)
    values, labels = waves(600)
    values += 1.5 * torch.randn(values.shape, generator=generator)
    keep = (labels != 2) | (torch.rand(600, generator=generator) < 0.15)
    values, labels = values[keep], labels[keep]
    train, test = slice(0, 300), slice(300, None)
    found = [
        (fitted("minirocket", values[train], labels[train], balanced=balanced)(values[test]).argmax(1) == 2)
        for balanced in (False, True)
    ]
    small = labels[test] == 2
    assert found[1][small].sum() > found[0][small].sum()


def test_the_penalties_are_those_of_the_papers() -> None:
    np.testing.assert_allclose(ALPHAS[-10:], np.logspace(-3, 3, 10))
    np.testing.assert_allclose(ALPHAS, np.logspace(-7, 3, 16))


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("minirocket", {"num_features": 83}, "num_features must be at least 84 and max_dilations at least 1"),
        ("multirocket", {"num_features": 671}, "num_features must be at least 672 and max_dilations at least 1"),
        ("minirocket", {"max_dilations": 0}, "num_features must be at least 84 and max_dilations at least 1"),
        ("multirocket", {"max_dilations": 0}, "num_features must be at least 672 and max_dilations at least 1"),
        ("hydra", {"groups": 3}, "groups must be even and at least 2, kernels at least 2, not groups=3, kernels=8"),
        ("hydra", {"groups": 0}, "groups must be even and at least 2, kernels at least 2, not groups=0, kernels=8"),
        ("hydra", {"kernels": 1}, "groups must be even and at least 2, kernels at least 2, not groups=16, kernels=1"),
    ],
)
def test_parameters_that_cannot_be(name: str, params: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=f"^{message}$"):
        build(name, n_channels=1, n_times=40, n_classes=3, **params)


# Written out in numpy


def convolved(series: np.ndarray, weight: np.ndarray, dilation: int, *, padded: bool = True) -> np.ndarray:
    """One kernel `(channels, 9)` over a series `(channels, times)`."""
    reach = 4 * dilation if padded else 0
    wide = np.pad(series, ((0, 0), (reach, reach)))
    times = wide.shape[1] - 8 * dilation
    return sum(weight[:, tap] @ wide[:, tap * dilation : tap * dilation + times] for tap in range(9))


def four_numbers(output: np.ndarray) -> list[float]:
    """MultiRocket's: the proportion of positive values, their mean, the mean of their places, their longest stretch."""
    places = np.flatnonzero(output > 0)
    longest = max(map(len, "".join("x" if value > 0 else " " for value in output).split()), default=0)
    if not len(places):
        return [0, 0, -1, 0]
    return [len(places) / len(output), output[places].mean(), places.mean(), longest]


def test_the_kernels_stand_in_the_order_of_combinations() -> None:
    found = [tuple(np.flatnonzero(kernel == 2)) for kernel in kernels().numpy()]
    assert found[:3] == [(0, 1, 2), (0, 1, 3), (0, 1, 4)]
    assert found[28] == (1, 2, 3)
    assert found[-2:] == [(5, 7, 8), (6, 7, 8)]


def test_multirocket_written_out() -> None:
    torch.manual_seed(0)
    model = build("multirocket", n_channels=2, n_times=30, n_classes=2, num_features=2 * 672)
    rows = torch.randint(-5, 6, (2, 2, 30))
    expected: list[list[float]] = [[], []]
    for bank, series in ((model.series, rows), (model.difference, rows.diff(dim=2))):
        bank.bias.copy_(torch.randint(-9, 9, bank.bias.shape) + 0.5)  # between integers, so that counts are exact
        start = 0
        for number, (dilation, count) in enumerate(bank.dilations.items()):
            for padded in (True, False):
                alternate = range((number + (not padded)) % 2, 84, 2)
                for column in range(start, start + count):
                    for one, of_row in zip(series.numpy(), expected, strict=True):
                        outputs = [
                            convolved(one, bank.weight[number, kernel].numpy(), dilation, padded=padded)
                            for kernel in alternate
                        ]
                        numbers = [
                            four_numbers(output - float(bank.bias[kernel, column]))
                            for kernel, output in zip(alternate, outputs, strict=True)
                        ]
                        of_row += np.array(numbers).T.flatten().tolist()
            start += count
        assert start == 2
    np.testing.assert_allclose(model.features(rows.float()), expected, rtol=1e-5, atol=1e-6)


def test_each_kernel_and_dilation_takes_its_biases_from_a_row_drawn_for_it() -> None:
    torch.manual_seed(0)
    bank, rows = MiniRocketKernels(n_channels=2, n_times=40, per_kernel=4, max_dilations=32), waves(7, channels=2)[0]
    bank.fit(rows, torch.Generator().manual_seed(3))
    draws, start, place = torch.Generator().manual_seed(3), 0, 0
    for number, (dilation, count) in enumerate(bank.dilations.items()):
        drawn = torch.randint(7, (84,), generator=draws)
        assert len(set(drawn.tolist())) == 7
        for kernel in range(84):
            output = convolved(rows[drawn[kernel]].numpy(), bank.weight[number, kernel].numpy(), dilation)
            wanted = [(place + i + 1) * (1 + 5**0.5) / 2 % 1 for i in range(count)]
            found = bank.bias[kernel, start : start + count]
            np.testing.assert_allclose(found, np.quantile(output, wanted), rtol=1e-3, atol=1e-3)
            place += count
        start += count


def bias_of(bank: MiniRocketKernels, rows: Tensor, generator: torch.Generator) -> Tensor:
    """The biases that a bank with the same channels takes from rows."""
    other = copy.deepcopy(bank)
    other.fit(rows, generator)
    return other.bias


@pytest.mark.parametrize("name", ["minirocket", "multirocket"])
def test_biases_come_from_a_sample_of_the_training_rows_not_of_validation(name: str) -> None:
    values, labels = waves(300)
    torch.manual_seed(0)
    model = build(name, n_channels=1, n_times=40, n_classes=3, **SMALL[name])
    model.fit(Batches(values, labels, waves(90, channels=1)), generator=torch.Generator().manual_seed(4))
    banks = [model.kernels] if name == "minirocket" else [model.series, model.difference]
    count = 84 * len(banks[0].dilations)
    assert count < 300
    sample = values[torch.randperm(300, generator=torch.Generator().manual_seed(0))[:count]]
    draws = torch.Generator().manual_seed(4)
    assert torch.equal(banks[0].bias, bias_of(banks[0], sample, draws))
    if name == "multirocket":
        assert torch.equal(banks[1].bias, bias_of(banks[1], sample.diff(dim=2), draws))


@pytest.mark.parametrize(("count", "batches"), [(1, 1), (4, 1), (5, 2), (8, 2), (99, 3)])
def test_a_sample_of_rows_takes_no_more_batches_than_it_needs(count: int, batches: int) -> None:
    values = torch.arange(10.0)[:, None, None]
    taken: list[int] = []

    def in_turn() -> Iterator[Rows]:
        for start in (0, 4, 8):
            taken.append(start)
            yield Rows(values[start : start + 4], torch.zeros(0))

    assert random_rows(in_turn(), count)[:, 0, 0].tolist() == list(range(min(count, 10)))  # type: ignore[arg-type]
    assert len(taken) == batches


def test_hydra_written_out() -> None:
    torch.manual_seed(0)
    model = build("hydra", n_channels=2, n_times=40, n_classes=2, groups=4, kernels=3)
    values = torch.randn(2, 2, 40)
    raw = torch.zeros(2, 0)
    for number in range(3):  # dilations 1, 2, 4: eight times the next is more than 39
        for half, series in enumerate((values, values.diff(dim=2))):
            for group in range(2):
                weights = model.weight[number, half, 3 * group : 3 * group + 3].numpy()
                outputs = np.array(
                    [[convolved(row, weight, 2**number) for weight in weights] for row in series.numpy()]
                )
                largest, smallest = outputs.argmax(1), outputs.argmin(1)
                won = [(outputs.max(1) * (largest == kernel)).sum(1) for kernel in range(3)]
                counted = [(smallest == kernel).sum(1) for kernel in range(3)]
                raw = torch.cat([raw, torch.tensor(np.array([*won, *counted]).T)], 1)
    torch.testing.assert_close(model.transform(values), raw.float(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.features(values), raw.clamp(min=0).sqrt().float(), rtol=1e-3, atol=1e-3)
    model.scaler.mean.fill_(0.5)
    model.scaler.scale.fill_(2.0)
    scaled = torch.where(raw > 0, (raw.clamp(min=0).sqrt() - 0.5) / 2, 0.0)
    torch.testing.assert_close(model.features(values), scaled.float(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("times", "count"), [(9, 1), (16, 1), (17, 2), (32, 2), (33, 3), (187, 5)])
def test_hydra_has_the_dilations_that_fit(times: int, count: int) -> None:
    model = on_meta(lambda: build("hydra", n_channels=1, n_times=times, n_classes=2))
    assert model.weight.shape == (count, 2, 8 * 8, 1, 9)


@pytest.mark.parametrize(("channels", "summed"), [(1, 1), (2, 2), (3, 2), (5, 2), (6, 3), (16, 8), (40, 8)])
def test_a_group_of_hydra_sums_half_of_the_channels_two_to_eight(channels: int, summed: int) -> None:
    weight = draw_kernels(3, 4, 2, channels)
    used = (weight.abs().sum(-1) > 0).unflatten(2, (4, 2))
    assert (used.sum(-1) == summed).all()
    if summed < channels:
        assert len({tuple(row) for row in used.flatten(0, 3).tolist()}) > 1, "not the same in all groups"


# The ridge head, once more


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("columns", [30, 150], ids=["from sums", "from rows"])
def test_the_penalty_is_that_of_the_best_macro_recall_on_validation_rows(columns: int, balanced: bool) -> None:
    rng = np.random.default_rng(6)
    labels = rng.choice(3, size=520, p=(0.7, 0.2, 0.1))
    values = rng.normal(size=(520, columns)) * rng.uniform(0.1, 5, size=columns)
    values[:, :3] += np.eye(3)[labels]
    train, other = (values[:120], labels[:120]), (values[120:], labels[120:])
    head = RidgeHead(columns, 3, balanced=balanced)
    as_rows = [(torch.from_numpy(x).float()[:, None], torch.from_numpy(y)) for x, y in (train, other)]
    head.fit(flat, Batches(*as_rows[0], validation=as_rows[1], size=4))
    weight = 120 / (3 * np.bincount(train[1])) if balanced else np.ones(3)
    scaler = StandardScaler().fit(train[0], sample_weight=weight[train[1]])
    recalls, accuracies, chosen = [], [], []
    for alpha in ALPHAS:
        model = RidgeClassifier(alpha=120 * alpha, class_weight="balanced" if balanced else None)
        model.fit(scaler.transform(train[0]), train[1])
        chosen.append(model.predict(scaler.transform(other[0])))
        recalls.append(balanced_accuracy_score(other[1], chosen[-1]))
        accuracies.append(accuracy_score(other[1], chosen[-1]))
    best = int(np.argmax(recalls))
    assert sorted(recalls)[-2] < recalls[best]
    assert balanced or np.argmax(accuracies) != best
    assert float(head.alpha) == pytest.approx(ALPHAS[best])
    scores = head.scores(flat(as_rows[1][0]))
    np.testing.assert_array_equal(scores.argmax(1), chosen[best])
    torch.testing.assert_close(head(flat(as_rows[1][0])), scores / head.temperature)
    targets = (np.eye(3)[other[1]] * 400 + 1) / 403  # one more row, spread over the classes

    def loss(sharpness: float) -> float:
        return float(-(targets * log_softmax(scores.double().numpy() * np.exp(sharpness), axis=1)).sum())

    found = minimize_scalar(loss, bounds=(-7, 7), method="bounded", options={"xatol": 1e-9})
    assert float(head.temperature) == pytest.approx(np.exp(-found.x), rel=1e-4)


@pytest.mark.parametrize("columns", [20, 400], ids=["from sums", "from rows"])
@pytest.mark.parametrize("balanced", [False, True])
def test_many_batches_give_the_solution_of_one(columns: int, balanced: bool) -> None:
    values, labels = table(300, columns)
    heads = [RidgeHead(columns, 3, balanced=balanced) for _ in range(2)]
    for head, size in zip(heads, (7, 300), strict=True):
        head.fit(flat, Batches(values, labels, size=size))
    for name, value in heads[0].state_dict().items():
        torch.testing.assert_close(value, heads[1].state_dict()[name], rtol=1e-4, atol=1e-6)


def test_a_feature_counts_as_constant_when_its_spread_is_rounding() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 2
    spread = torch.tensor([1e-4, 1e-2, 1.0]) * torch.randn(200, 3, generator=generator)
    head = RidgeHead(3, 2)
    head.fit(flat, Batches((1000 + spread)[:, None], labels))
    assert head.scale.tolist() == pytest.approx([1.0, 1e-2, 1.0], rel=0.2)


def test_a_balanced_head_weighs_a_class_of_one_row_like_others_and_takes_one_of_none() -> None:
    values, labels = table(100, 10)
    values = values[:, :, :9]  # without the constant one
    labels[labels == 2] = 0
    labels[17] = 2
    head = RidgeHead(9, 5, balanced=True)
    head.fit(flat, Batches(values, labels))
    weight = (100 / (5 * torch.bincount(labels)))[labels].numpy()
    x, y = flat(values).double().numpy(), 2 * functional.one_hot(labels, 5).numpy() - 1
    scaler = StandardScaler().fit(x, sample_weight=weight)
    expected = Ridge(alpha=weight.sum() * float(head.alpha)).fit(scaler.transform(x), y, sample_weight=weight)
    np.testing.assert_allclose(head.scores(flat(values)), expected.predict(scaler.transform(x)), rtol=1e-3, atol=1e-4)
    assert (head(flat(values)).argmax(1) < 3).all()


@pytest.mark.parametrize("columns", [30, 600], ids=["from sums", "from rows"])
def test_sums_are_exact_enough_for_features_that_hardly_differ(columns: int) -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(size=(400, columns))
    values = torch.from_numpy(rng.normal(size=(400, 1)) + 0.03 * own).float()
    labels = torch.from_numpy(own[:, :3].argmax(1))
    head, batches = RidgeHead(columns, 3), Batches(values[:, None], labels)
    batches.score = prefer(ALPHAS.index(1e-3))  # type: ignore[method-assign]
    head.fit(flat, batches)
    assert float(head.alpha) == pytest.approx(1e-3)
    x, y = values.double().numpy(), 2 * functional.one_hot(labels).numpy() - 1
    scaled = StandardScaler().fit_transform(x)
    expected = Ridge(alpha=0.4, solver="svd").fit(scaled, y)
    np.testing.assert_allclose(head.weight, expected.coef_, rtol=0, atol=1e-5 * np.abs(expected.coef_).max())


def test_scores_that_are_far_too_small_have_the_lowest_temperature() -> None:
    labels = torch.arange(100) % 2
    scores = 1e-6 * (2 * functional.one_hot(labels) - 1).double()
    assert float(fit_temperatures(scores[:, None], labels)[0]) == pytest.approx(1e-3)


# Rows at a time, sizes and presets


@pytest.mark.parametrize(("width", "parts"), [(2**18, [2, 2, 1]), (2**19, [1] * 5), (2**30, [1] * 5), (1, [5])])
def test_features_are_computed_for_as_many_rows_as_a_cache_holds(width: int, parts: list[int]) -> None:
    seen: list[int] = []

    class Model(FittedClassifier):
        def transform(self, x: Tensor) -> Tensor:
            seen.append(len(x))
            return x[:, 0]

    x = torch.arange(15, dtype=torch.float64).view(5, 1, 3)
    found = Model(RidgeHead(3, 2), width=width).features(x)
    assert torch.equal(found, x[:, 0].float())
    assert (found.dtype, seen) == (torch.float32, parts)


@pytest.mark.parametrize(("name", "features"), [("minirocket", 1_008), ("multirocket", 2_016), ("hydra", 5 * 256)])
def test_the_sizes_where_nothing_is_asked_for(name: str, features: int) -> None:
    model = on_meta(lambda: build(name, n_channels=1, n_times=187, n_classes=5))
    assert count_parameters(model) == 5 * features + 5
    assert model.head.balanced is False
    assert on_meta(lambda: build(f"{name}.balanced", n_channels=1, n_times=187, n_classes=5)).head.balanced is True


@pytest.mark.parametrize(("name", "per_kernel"), [("minirocket", 119), ("multirocket", 74)])
def test_the_published_sizes_have_32_dilations_of_which_some_are_the_same(name: str, per_kernel: int) -> None:
    model = on_meta(lambda: build(f"{name}.paper", n_channels=1, n_times=187, n_classes=5))
    banks = {187: model.kernels} if name == "minirocket" else {187: model.series, 186: model.difference}
    for times, bank in banks.items():
        assert bank.dilations == dilations_by_the_paper(times, per_kernel, 32)


def test_multirocket_has_the_dilations_of_each_of_its_two_series() -> None:
    model = on_meta(lambda: build("multirocket", n_channels=1, n_times=17, n_classes=5))
    assert (model.series.dilations, model.difference.dilations) == ({1: 2, 2: 1}, {1: 3})


@pytest.mark.parametrize(("name", "shortest"), [("minirocket", 9), ("multirocket", 10), ("hydra", 9)])
def test_series_shorter_than_a_kernel_are_refused(name: str, shortest: int) -> None:
    with pytest.raises(ModelError, match=f"^{name} takes series of at least {shortest} samples, not {shortest - 1}$"):
        build(name, n_channels=1, n_times=shortest - 1, n_classes=3)


@pytest.mark.parametrize(
    ("name", "params", "features"),
    [
        ("minirocket", {"num_features": 84, "max_dilations": 1}, 84),
        ("minirocket", {"num_features": 251}, 168),
        ("multirocket", {"num_features": 672, "max_dilations": 1}, 672),
        ("hydra", {"groups": 2, "kernels": 2}, 3 * 2 * 2 * 2),
    ],
)
def test_the_smallest_that_can_be(name: str, params: dict[str, int], features: int) -> None:
    model = build(name, n_channels=1, n_times=40, n_classes=3, **params)
    assert model.features(torch.randn(2, 1, 40)).shape == (2, features)
