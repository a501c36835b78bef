"""The blocks against their definitions, written out."""

import pytest
import torch
from torch import nn

from zoo.networks import count_parameters
from zoo.registry import Registry
from zoo_blocks.dilated import DilatedBlock
from zoo_blocks.none import NoBlock
from zoo_blocks.resnet import ResNetBlock
from zoo_blocks.se import SEBlock

ROWS = {1: torch.randn(3, 8, 20), 2: torch.randn(3, 8, 6, 7)}


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
    from zoo.factories import load_factory

    for entry in registry.of_kind("block"):
        block = load_factory(entry.spec.factory)(8, dims=dims)
        assert block(ROWS[dims]).shape == ROWS[dims].shape


def test_no_block_is_none() -> None:
    assert torch.equal(NoBlock(8, dims=1)(ROWS[1]), ROWS[1])
