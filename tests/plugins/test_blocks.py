"""The blocks against their definitions, written out."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from zoo import ModelError
from zoo.factories import load_factory
from zoo.inspection import count_parameters
from zoo.layers import BlockFactory, keep_valid, valid_mask
from zoo.registry import Registry
from zoo_blocks.bottleneck import BottleneckBlock
from zoo_blocks.cbam import CBAMBlock
from zoo_blocks.convnext import ConvNeXtBlock
from zoo_blocks.dilated import DilatedBlock
from zoo_blocks.eca import ECABlock
from zoo_blocks.none import NoBlock
from zoo_blocks.resnet import ResNetBlock
from zoo_blocks.se import SEBlock
from zoo_blocks.se_resnet import SEResNetBlock

DRAWS = torch.Generator().manual_seed(0)
ROWS = {1: torch.randn(3, 8, 20, generator=DRAWS), 2: torch.randn(3, 8, 6, 7, generator=DRAWS)}


@pytest.mark.parametrize(("dims", "channels", "parameters"), [(1, 64, 24_960), (2, 128, 295_680)])
def test_the_residual_block_has_the_studys_size(dims: int, channels: int, parameters: int) -> None:
    assert count_parameters(ResNetBlock(channels, dims=dims)) == parameters


def test_the_residual_block_in_one_dimension_written_out() -> None:
    block = ResNetBlock(8, dims=1)
    one, two = (layer for layer in block.branch if isinstance(layer, nn.Conv1d))
    norm_one, norm_two = (layer for layer in block.branch if isinstance(layer, nn.BatchNorm1d))
    x = ROWS[1]
    expected = x + norm_two(torch.relu(two(norm_one(torch.relu(one(x))))))
    torch.testing.assert_close(block(x), expected)


def test_the_residual_block_in_two_dimensions_written_out() -> None:
    block = ResNetBlock(8, dims=2)
    one, two = (layer for layer in block.branch if isinstance(layer, nn.Conv2d))
    norm_one, norm_two = (layer for layer in block.branch if isinstance(layer, nn.BatchNorm2d))
    x = ROWS[2]
    torch.testing.assert_close(block(x), x + norm_two(two(torch.relu(norm_one(one(x))))))


@pytest.mark.parametrize("dims", [1, 2])
def test_squeeze_and_excitation_written_out(dims: int) -> None:
    block, x = SEBlock(8, dims=dims, reduction=4), ROWS[dims]
    squeeze, _, excite, _ = block.gate
    assert (squeeze.out_features, excite.out_features) == (2, 8)
    gate = torch.sigmoid(excite(torch.relu(squeeze(x.flatten(2).mean(2)))))
    torch.testing.assert_close(block(x), x * gate.reshape(3, 8, *[1] * dims))
    assert SEBlock(8, dims=dims, reduction=16).gate[0].out_features == 1


@pytest.mark.parametrize("dilation", [1, 3])
def test_the_dilated_block_sees_as_far_as_it_says(dilation: int) -> None:
    block = DilatedBlock(1, dims=1, dilation=dilation).eval()
    for layer in block.branch:
        if isinstance(layer, nn.Conv1d):
            nn.init.ones_(layer.weight)
            nn.init.ones_(layer.bias)
    x = torch.ones(1, 1, 61, requires_grad=True)
    block(x)[0, 0, 30].backward()
    seen = torch.nonzero(x.grad[0, 0]).flatten()
    assert (int(seen.min()), int(seen.max())) == (30 - 3 * dilation, 30 + 3 * dilation)


@pytest.mark.parametrize("dims", [1, 2])
def test_every_block_keeps_the_shape(registry: Registry, dims: int) -> None:
    for entry in registry.of_kind("block"):
        block = load_factory(entry.spec.factory)(8, dims=dims)
        assert block(ROWS[dims]).shape == ROWS[dims].shape


def test_no_block_is_none() -> None:
    assert torch.equal(NoBlock(8, dims=1)(ROWS[1]), ROWS[1])


@pytest.mark.parametrize("dims", [1, 2])
def test_se_resnet_weighs_the_branch_before_the_sum(dims: int) -> None:
    block, x = SEResNetBlock(8, dims=dims, kernel_size=5, reduction=4).eval(), ROWS[dims]
    *branch, se = block.branch
    weighed = x
    for layer in branch:
        weighed = layer(weighed)
    squeeze, _, excite, _ = se.gate
    gate = torch.sigmoid(excite(torch.relu(squeeze(weighed.flatten(2).mean(2)))))
    torch.testing.assert_close(block(x), x + weighed * gate.reshape(3, 8, *[1] * dims))
    plain, attention = ResNetBlock(8, dims=dims, kernel_size=5), SEBlock(8, dims=dims, reduction=4)
    assert count_parameters(block) == count_parameters(plain) + count_parameters(attention)


@pytest.mark.parametrize("dims", [1, 2])
def test_the_bottleneck_written_out(dims: int) -> None:
    block, x = BottleneckBlock(8, dims=dims), ROWS[dims]
    one, norm_one, _, two, norm_two, _, three, norm_three = block.branch
    assert [layer.kernel_size[0] for layer in (one, two, three)] == [1, 3, 1]
    assert [layer.out_channels for layer in (one, two, three)] == [2, 2, 8]
    narrow = torch.relu(norm_two(two(torch.relu(norm_one(one(x))))))
    torch.testing.assert_close(block(x), x + norm_three(three(narrow)))
    assert BottleneckBlock(3, dims=dims, reduction=4).branch[0].out_channels == 1


@pytest.mark.parametrize("dims", [1, 2])
def test_convnext_written_out(dims: int) -> None:
    block, x = ConvNeXtBlock(8, dims=dims, layer_scale=0.5), ROWS[dims]
    norm, widen, _, narrow = block.pointwise
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    conv = {1: nn.functional.conv1d, 2: nn.functional.conv2d}[dims]
    weight, bias = block.depthwise.weight, block.depthwise.bias
    alone = [conv(x[:, [c]], weight[[c]], bias[[c]], padding=3) for c in range(8)]  # each channel by itself
    mixed = torch.cat(alone, 1).flatten(2)
    centred = mixed - mixed.mean(1, keepdim=True)
    normal = centred / (centred.square().mean(1, keepdim=True) + 1e-6).sqrt()
    normal = normal * norm.weight[:, None] + norm.bias[:, None]
    wide = widen.weight @ normal + widen.bias[:, None]
    wide = wide * 0.5 * (1 + torch.erf(wide / 2**0.5))
    change = 0.5 * (narrow.weight @ wide + narrow.bias[:, None])
    torch.testing.assert_close(block(x), x + change.reshape(x.shape), rtol=1e-4, atol=1e-5)


def test_a_new_convnext_block_passes_its_input_on() -> None:
    torch.testing.assert_close(ConvNeXtBlock(8, dims=1)(ROWS[1]), ROWS[1], rtol=0, atol=1e-4)
    # a block of ConvNeXt-T's first stage, by its layers: 7 x 7 depthwise, LayerNorm, 96 -> 384 -> 96, scale
    published = 96 * 49 + 96 + 2 * 96 + 96 * 384 + 384 + 384 * 96 + 96 + 96
    assert count_parameters(ConvNeXtBlock(96, dims=2)) == published == 79_296


@pytest.mark.parametrize("dims", [1, 2])
def test_efficient_channel_attention_written_out(dims: int) -> None:
    block, x = ECABlock(8, dims=dims, kernel_size=5), ROWS[dims]
    weight, means = block.convolution.weight.flatten(), x.flatten(2).mean(2)
    for channel in range(8):
        beside = [(tap, channel + tap - 2) for tap in range(5) if 0 <= channel + tap - 2 < 8]
        gate = torch.sigmoid(sum(weight[tap] * means[:, other] for tap, other in beside))
        torch.testing.assert_close(block(x)[:, channel], x[:, channel] * gate.reshape(3, *[1] * dims))


@pytest.mark.parametrize(("channels", "size"), [(1, 1), (8, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)])
def test_eca_takes_the_size_of_the_papers_formula(channels: int, size: int) -> None:
    # |log2(C) / 2 + 1 / 2| to the nearest odd number: 0.5, 2, 3.5, 4, 4.5, 5 and 6
    assert ECABlock(channels, dims=1).convolution.kernel_size == (size,)


@pytest.mark.parametrize("dims", [1, 2])
def test_cbam_written_out(dims: int) -> None:
    block, x = CBAMBlock(8, dims=dims, reduction=4), ROWS[dims]
    hidden, _, back = block.mlp
    assert hidden.out_features == 2
    positions = x.flatten(2)
    pooled = positions.mean(2), positions.max(2).values
    mean, largest = (torch.relu(rows @ hidden.weight.T + hidden.bias) @ back.weight.T + back.bias for rows in pooled)
    x = x * torch.sigmoid(mean + largest).reshape(3, 8, *[1] * dims)
    conv = {1: nn.functional.conv1d, 2: nn.functional.conv2d}[dims]
    maps = torch.stack([x.sum(1) / 8, x.max(1).values], 1)
    gate = torch.sigmoid(conv(maps, block.convolution.weight, block.convolution.bias, padding=3))
    torch.testing.assert_close(block(ROWS[dims]), x * gate)


def every(registry: Registry) -> Iterator[tuple[str, BlockFactory]]:
    """Each block of the plugin with its factory."""
    own = [entry for entry in registry.of_kind("block") if entry.spec.factory.startswith("zoo_blocks.")]
    assert len(own) >= 9
    for entry in own:
        yield entry.name, load_factory(entry.spec.factory)


@pytest.mark.parametrize("training", [False, True])
def test_nothing_beyond_the_mask_reaches_valid_positions(registry: Registry, training: bool) -> None:
    """Whatever stands there, and however much of it: outputs at valid positions and all gradients stay."""
    lengths = torch.tensor([20, 1, 13])
    for name, factory in every(registry):
        block = distinct(factory(6, dims=1)).double()  # what is left of a gradient that cancels out is then no noise
        rows = torch.randn(3, 6, 20, dtype=torch.float64)
        block(rows + 1, valid_mask(lengths, 20))  # batch normalisation has seen something
        block.train(training)
        expected = outcome(block, keep_valid(rows, valid_mask(lengths, 20)), lengths)
        for garbage in (0.0, 1e3, torch.nan, torch.inf):
            for n_times in (20, 33):
                x = torch.full((3, 6, n_times), garbage, dtype=torch.float64)
                x[:, :, :20] = torch.where(valid_mask(lengths, 20), rows, garbage)
                for one, other in zip(outcome(block, x, lengths), expected, strict=True):
                    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, msg=f"{name}, {garbage}")


def test_a_padded_row_is_as_if_alone(registry: Registry) -> None:
    lengths, x = torch.tensor([20, 1, 13]), torch.randn(3, 6, 20)
    for _, factory in every(registry):
        block = distinct(factory(6, dims=1))
        block(x + 1, None)
        block.eval()
        together = block(x, valid_mask(lengths, 20))
        for row, length, found in zip(x, lengths, together, strict=True):
            alone = block(row[None, :, :length])
            torch.testing.assert_close(found[None, :, :length], alone, rtol=1e-4, atol=1e-5)


def distinct(block: nn.Module) -> nn.Module:
    """The block with weights that are neither 0 nor 1, so that nothing drops out by chance."""
    for parameter in block.parameters():
        nn.init.normal_(parameter, 0.3, 0.5)
    return block


def outcome(block: nn.Module, x: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
    """The outputs at valid positions, and the gradient that their squares give each parameter."""
    found = block(x, valid_mask(lengths, x.shape[2]))
    valid = torch.cat([row[:, :length] for row, length in zip(found, lengths, strict=True)], 1)
    parameters = list(block.parameters())
    gradients = torch.autograd.grad(valid.square().sum(), parameters) if parameters else ()
    return [valid.detach(), *gradients]


@pytest.mark.parametrize(("dims", "shape"), [(1, (2, 1, 1)), (1, (2, 3, 2)), (2, (2, 1, 1, 1)), (2, (2, 5, 1, 9))])
def test_every_block_takes_any_channels_and_positions(registry: Registry, dims: int, shape: tuple[int, ...]) -> None:
    for _, factory in every(registry):
        block, x = factory(shape[1], dims=dims), torch.randn(shape)
        found = block(x)
        assert found.shape == x.shape
        assert torch.isfinite(found).all()
        if list(block.parameters()):
            found.square().sum().backward()
            assert all(parameter.grad is not None for parameter in block.parameters())


@pytest.mark.parametrize(
    ("block", "params"),
    [
        (ResNetBlock, {"kernel_size": 4}),
        (SEResNetBlock, {"kernel_size": 2}),
        (SEResNetBlock, {"reduction": 0}),
        (SEBlock, {"reduction": 0}),
        (DilatedBlock, {"dilation": 0}),
        (BottleneckBlock, {"kernel_size": 0}),
        (ConvNeXtBlock, {"kernel_size": 6}),
        (ConvNeXtBlock, {"expansion": 0}),
        (ECABlock, {"kernel_size": -3}),
        (CBAMBlock, {"kernel_size": 8}),
    ],
)
def test_what_cannot_be_is_one_line(block: type[nn.Module], params: dict[str, int]) -> None:
    (name,) = params
    with pytest.raises(ModelError, match=rf"^[^\n]*{name} must be [^\n]*$"):
        block(8, dims=1, **params)
