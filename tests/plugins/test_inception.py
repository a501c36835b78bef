"""InceptionTime and LITE against their papers, and what padding must not change."""

import pytest
import torch
from conftest import seasoned
from torch import nn
from torch.nn import functional

from zoo import ModelError, build
from zoo.inspection import count_parameters, on_meta
from zoo.layers import valid_mask
from zoo.registry import Registry
from zoo.settings import Settings
from zoo_inception.filters import hand_crafted
from zoo_inception.inceptiontime import InceptionModule, Shortcut, max_pool
from zoo_inception.lite import DepthwiseConv1d, FixedFilters, SeparableConv1d
from zoo_inception.same import SameConv1d

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}


def without_head(model: nn.Module) -> int:
    return count_parameters(model) - count_parameters(model.head)


def test_sizes_are_the_published_ones() -> None:
    """The LITE paper compares the networks without their last layer, for one channel: Inception has 420,192
    parameters, LITE 9,814, its fixed filters (438 more) not among them."""
    assert without_head(on_meta(lambda: build("inceptiontime.network", **BEAT))) == 420_192
    lite = build("lite", **BEAT)
    assert without_head(lite) == 9_814
    assert int((lite.fixed.filters != 0).sum()) == 438


def test_the_papers_presets_are_ensembles_of_five(registry: Registry) -> None:
    for name in ("inceptiontime", "lite"):
        preset = registry.get("architecture", name).spec.presets["paper"]
        assert Settings.load().training({}, preset.training).members == 5
    assert without_head(on_meta(lambda: build("inceptiontime.paper", **BEAT))) == 420_192
    assert without_head(on_meta(lambda: build("lite.paper", **BEAT))) == 9_814


@pytest.mark.parametrize("kernel_size", [1, 2, 5, 10])
def test_a_convolution_keeps_times_and_leans_as_keras_does(kernel_size: int) -> None:
    convolution, x = SameConv1d(3, 4, kernel_size), torch.randn(2, 3, 7)
    before, after = (kernel_size - 1) // 2, kernel_size // 2
    padded = torch.cat([torch.zeros(2, 3, before), x, torch.zeros(2, 3, after)], 2)
    expected = torch.stack(
        [torch.einsum("bck,ock->bo", padded[:, :, t : t + kernel_size], convolution.weight) for t in range(7)], 2
    )
    torch.testing.assert_close(convolution(x), expected)


@pytest.mark.parametrize(("n_in", "bottleneck", "narrowed"), [(1, 8, False), (5, 8, True), (5, 0, False)])
def test_an_inception_module_written_out(n_in: int, bottleneck: int, narrowed: bool) -> None:
    module, x = InceptionModule(n_in, 4, 12, bottleneck), torch.randn(3, n_in, 20)
    assert isinstance(module.bottleneck, nn.Conv1d) == narrowed
    narrow = functional.conv1d(x, module.bottleneck.weight) if narrowed else x
    wide = nn.functional.pad(x, (1, 1), value=-torch.inf)
    pooled = torch.stack([wide[:, :, :-2], x, wide[:, :, 2:]]).amax(0)
    branches = [convolution(narrow) for convolution in module.convolutions]
    assert [convolution.kernel_size for convolution in module.convolutions] == [(12,), (6,), (3,)]
    joined = torch.cat([*branches, functional.conv1d(pooled, module.after_pooling.weight)], 1)
    expected = functional.batch_norm(joined, None, None, training=True).relu()
    torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-5)


def test_shortcuts_span_three_modules_each() -> None:
    model = seasoned(build("inceptiontime", **BEAT, depth=7, filters=2, kernel_size=8, bottleneck=2))
    assert [shortcut.convolution.in_channels for shortcut in model.shortcuts] == [1, 8]
    x = torch.randn(2, 1, 187)
    one, two, three, four, five, six, seven = model.inception
    first = (three(two(one(x))) + model.shortcuts[0].norm(model.shortcuts[0].convolution(x))).relu()
    second = (six(five(four(first))) + model.shortcuts[1].norm(model.shortcuts[1].convolution(first))).relu()
    torch.testing.assert_close(model(x), model.head(seven(second).mean(2)))
    assert len(build("inceptiontime", **BEAT, depth=7, residual=False).shortcuts) == 0
    assert len(build("inceptiontime", **BEAT, depth=2).shortcuts) == 0


def test_the_blocks_follow_their_modules() -> None:
    model, handed = build("inceptiontime", block="resnet+se", **BEAT), []
    for module, block in zip(model.inception, model.blocks, strict=True):
        module.register_forward_hook(lambda _module, _inputs, output: handed.append(output))
        block.register_forward_pre_hook(lambda _block, inputs: handed.append(inputs[0]))
    model(torch.randn(2, 1, 187)).sum().backward()
    assert len(model.blocks) == 3
    assert all(out is taken for out, taken in zip(handed[::2], handed[1::2], strict=True))
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_pooling_takes_no_zeros_of_the_padding_for_samples() -> None:
    x = torch.tensor([[[-3.0, -2.0, -5.0, -4.0, 0.0, 0.0]]], requires_grad=True)
    pooled = max_pool(x, valid_mask(torch.tensor([4]), 6))
    assert pooled.tolist() == [[[-2, -2, -2, -4, 0, 0]]]
    pooled.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[0, 3, 0, 1, 0, 0]]]


def test_a_module_in_training_counts_valid_positions_only() -> None:
    module, shortcut = InceptionModule(2, 4, 12, 3), Shortcut(2, 16)
    rows, lengths = torch.randn(3, 2, 20), torch.tensor([20, 20, 20])
    mask = valid_mask(lengths, 30)
    padded = functional.pad(rows, (0, 10), value=7.0)  # not zeros: nothing that stands there may matter
    torch.testing.assert_close(module(padded, mask)[..., :20], module(rows))
    expected = shortcut(rows, module(rows))
    torch.testing.assert_close(shortcut(padded, module(padded, mask), mask)[..., :20], expected)


def test_the_fixed_filters_are_those_of_the_paper() -> None:
    filters = hand_crafted()
    assert filters.shape == (17, 1, 96)
    sizes = [(2, 4, 8, 16, 32, 64), (2, 4, 8, 16, 32, 64), (6, 12, 24, 48, 96)]
    taps = [kernel[0][kernel[0] != 0] for kernel in filters]
    assert [len(kernel) for kernel in taps] == [size for kind in sizes for size in kind]
    assert taps[1].tolist() == [-1, 1, -1, 1]
    assert taps[7].tolist() == [1, -1, 1, -1]
    assert taps[12].tolist() == [-1, -1, 2, 2, -1, -1]
    assert taps[13].tolist() == [-0.25, -1, -1, -0.25, 0.5, 2, 2, 0.5, -0.25, -1, -1, -0.25]


def test_one_convolution_of_all_fixed_filters_is_each_by_itself() -> None:
    fixed, x = FixedFilters(), torch.randn(2, 3, 50)
    found = fixed(x).reshape(2, 3, 17, 50)
    for number, filters in enumerate(hand_crafted()):
        alone = SameConv1d(1, 1, int((filters != 0).sum()))
        alone.weight = nn.Parameter(filters[filters != 0][None, None])
        for channel in range(3):
            expected = alone(x[:, channel, None])[:, 0].relu()
            torch.testing.assert_close(found[:, channel, number], expected, rtol=1e-4, atol=1e-5)
    assert count_parameters(fixed) == 0
    assert set(fixed.state_dict()) == {"filters"}


def test_a_rise_excites_the_rising_filter() -> None:
    ramp = torch.arange(20.0)[None, None]
    rising, falling = FixedFilters()(ramp)[0, 0], FixedFilters()(ramp)[0, 6]
    assert (rising[:-1] == 1).all()
    assert (falling[:-1] == 0).all()


@pytest.mark.parametrize("dilation", [1, 2, 4])
@pytest.mark.parametrize("kernel_size", [5, 10])
@pytest.mark.parametrize("times", [1, 21, 24])
def test_a_folded_convolution_is_the_dilated_one(dilation: int, kernel_size: int, times: int) -> None:
    folded, x = DepthwiseConv1d(3, kernel_size, dilation), torch.randn(2, 3, times)
    total = dilation * (kernel_size - 1)
    padded = functional.pad(x, (total // 2, total - total // 2))
    expected = functional.conv1d(padded, folded.weight[..., 0], dilation=dilation, groups=3)
    torch.testing.assert_close(folded(x), expected)


def test_lite_written_out() -> None:
    model, x = seasoned(build("lite", **BEAT)), torch.randn(2, 1, 187)
    first = torch.cat([*(convolution(x) for convolution in model.convolutions), model.fixed(x)], 1)
    features = model.norm(first).relu()
    for (depthwise, pointwise), norm in zip(model.separable, model.norms, strict=True):
        features = norm(pointwise(depthwise(features))).relu()
    torch.testing.assert_close(model(x), model.head(features.mean(2)))
    assert [convolution.kernel_size[0] for convolution in model.convolutions] == [40, 20, 10]
    assert [(pair[0].kernel_size[0], pair[0].row) for pair in model.separable] == [(20, 2), (10, 4)]


def test_several_channels_are_those_of_litemv() -> None:
    """Depthwise-separable convolutions in the first layer too, and 17 fixed filters over each channel."""
    model = build("lite", n_channels=6, n_times=100, n_classes=2)
    assert all(isinstance(convolution, SeparableConv1d) for convolution in model.convolutions)
    first = 6 * (40 + 20 + 10) + 3 * 6 * 32
    width = 3 * 32 + 17 * 6
    second, third = width * 20 + width * 32, 32 * 10 + 32 * 32
    assert without_head(model) == first + 2 * width + second + 2 * 32 + third + 2 * 32


PARAMS = {"inceptiontime": {"depth": 4}, "lite": {}}


@pytest.mark.parametrize("name", PARAMS)
def test_more_padding_does_not_change_the_logits(name: str) -> None:
    torch.manual_seed(0)
    model = build(name, n_channels=2, n_times=60, n_classes=3, **PARAMS[name])
    lengths = torch.tensor([60, 31, 1, 45])
    rows = (torch.randn(4, 2, 60) - 2) * (torch.arange(60) < lengths[:, None])[:, None]
    model(rows, lengths).sum().backward()  # batch normalisation has seen something
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())
    model.eval()
    expected = model(rows, lengths)
    torch.testing.assert_close(model(functional.pad(rows, (0, 25)), lengths), expected, rtol=1e-4, atol=1e-5)
    for number, length in enumerate(lengths):
        alone = model(rows[number, None, :, :length])
        torch.testing.assert_close(alone[0], expected[number], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("block", ["resnet", "se", "dilated", "resnet+se"])
def test_blocks_get_the_mask(block: str) -> None:
    model = build("inceptiontime", block=block, n_channels=1, n_times=40, n_classes=3)
    lengths = torch.tensor([40, 9])
    rows = torch.randn(2, 1, 40) * (torch.arange(40) < lengths[:, None])[:, None]
    model(rows, lengths)
    model.eval()
    alone = model(rows[1:, :, :9])
    torch.testing.assert_close(model(rows, lengths)[1:], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PARAMS)
def test_one_sample_is_enough(name: str) -> None:
    model = build(name, n_channels=3, n_times=1, n_classes=2)
    assert model(torch.randn(2, 3, 1)).shape == (2, 2)
    assert model.eval()(torch.randn(1, 3, 1)).shape == (1, 2)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("inceptiontime", {"depth": 0}, "inceptiontime: depth must be at least 1, not 0"),
        ("inceptiontime", {"bottleneck": -1}, "inceptiontime: bottleneck must be at least 1, or 0 for none, not -1"),
        ("lite", {"filters": 0}, "lite: filters must be at least 1, not 0"),
        (
            "lite",
            {"kernel_size": 3},
            "lite: kernel_size must be at least 4, not 3: the smallest kernel is a quarter of it",
        ),
    ],
)
def test_what_cannot_be_is_one_line(name: str, params: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError) as error:
        build(name, **BEAT, **params)
    assert str(error.value) == message
