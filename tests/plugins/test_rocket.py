"""The fitted baselines: features against loops written out, the ridge head against scikit-learn."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import safetensors.torch
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from zoo import build
from zoo.cost import count_macs
from zoo.errors import ModelError
from zoo.networks import count_parameters, on_meta
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


class Batches:
    def __init__(self, values: Tensor, labels: Tensor, validation: tuple[Tensor, Tensor] | None = None, size: int = 32):
        self.all, self.size, self.rows = Rows(values, labels), size, len(labels)
        self.validation = [Rows(*(validation or (values, labels)))]
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


def test_batches_do_not_change_the_solution() -> None:
    values, labels = table(300, 20)
    heads = [RidgeHead(20, 3) for _ in range(2)]
    for head, size in zip(heads, (70, 300), strict=True):
        head.fit(flat, Batches(values, labels, size=size))
    torch.testing.assert_close(heads[0].weight, heads[1].weight, rtol=1e-5, atol=1e-7)


def test_macro_recall_chooses_and_log_loss_decides_between_equals() -> None:
    labels = torch.tensor([0] * 8 + [1] * 2)
    majority = torch.tensor([[1.0, -1.0]] * 10)  # accuracy 0.8, macro recall 0.5
    minority = torch.where(labels[:, None] == 1, torch.tensor([-1.0, 1.0]), torch.tensor([1.0, -1.0]))
    minority[:4] *= -1  # accuracy 0.6, macro recall 0.75
    worse = minority.clone()
    worse[4:] *= 0.1  # right, and less sure of it than where it is wrong
    best, _ = choose(torch.stack([majority, worse, minority, majority], 1).double(), labels)
    assert best == 2


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


@pytest.mark.parametrize(("times", "per_kernel", "most"), [(187, 12, 32), (187, 119, 32), (150, 7, 3), (9, 5, 32)])
def test_dilations_are_those_of_the_paper(times: int, per_kernel: int, most: int) -> None:
    count = min(per_kernel, most)
    spread = np.logspace(0, np.log2((times - 1) / 8), count, base=2).astype(int)
    expected, shared = np.unique(spread, return_counts=True)
    number = (shared * (per_kernel / count)).astype(int)
    rest = per_kernel - number.sum()
    number[:rest] += 1
    assert dilations(times, per_kernel, most) == dict(zip(expected.tolist(), number.tolist(), strict=True))
    assert 8 * max(dilations(times, per_kernel, most)) < times


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
    expected = (roots - roots.mean(0)) * (roots != 0) / (roots.std(0) + (roots == 0).mean(0) ** 4 + 1e-8)
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
    np.testing.assert_allclose(ALPHAS, np.logspace(-3, 3, 10))


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("minirocket", {"num_features": 83}, "num_features is at least 84 and max_dilations at least 1"),
        ("multirocket", {"num_features": 671}, "num_features is at least 672 and max_dilations at least 1"),
        ("hydra", {"groups": 3}, "groups is even and kernels at least 2, so not groups=3, kernels=8"),
    ],
)
def test_parameters_that_cannot_be(name: str, params: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=f"^{message}$"):
        build(name, n_channels=1, n_times=40, n_classes=3, **params)
