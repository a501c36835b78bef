"""FCN and ResNet against their paper, and their promise on unequal lengths."""

import pytest
import torch
from conftest import seasoned
from torch import nn
from torch.nn import functional

from zoo import ModelError, build
from zoo.inspection import count_parameters, on_meta
from zoo_fcn.convolution import SameConv1d

NETWORKS = ["fcn", "resnet1d"]
BLOCKS = ["none", "se-resnet", "convnext", "cbam", "bottleneck+eca"]


@pytest.mark.parametrize(("name", "parameters"), [("fcn", 264_704), ("resnet1d", 504_000)])
def test_the_published_size(name: str, parameters: int) -> None:
    # Counted by hand from the layers of public Keras code: what is trained, one channel in, without the last layer.
    # FCN, Wang's own script: (8 * 1 + 1) * 128 + (5 * 128 + 1) * 256 + (3 * 256 + 1) * 128, and 2 a channel for each
    # normalisation. ResNet, github.com/hfawaz/dl-4-tsc: its stages in the same way, 34,112 + 206,336 + 263,552.
    model = on_meta(lambda: build(f"{name}.paper", n_channels=1, n_times=187, n_classes=5))
    assert count_parameters(model) - count_parameters(model.head) == parameters


@pytest.mark.parametrize(("size", "left"), [(8, 3), (5, 2), (3, 1), (1, 0)])
def test_the_odd_zero_of_an_even_kernel_goes_to_the_right(size: int, left: int) -> None:
    conv, x = SameConv1d(2, 3, size), torch.randn(2, 2, 11)
    padded = torch.cat([torch.zeros(2, 2, left), x, torch.zeros(2, 2, size - 1 - left)], 2)
    assert conv(x).shape == (2, 3, 11)
    torch.testing.assert_close(conv(x), functional.conv1d(padded, conv.weight, conv.bias))


@pytest.mark.parametrize("n_channels", [1, 3])
def test_the_fcn_written_out(n_channels: int) -> None:
    model, x = small("fcn", n_channels, filters=4), torch.randn(2, n_channels, 19)
    layers = [layer for layer in model.convolutions if isinstance(layer, nn.Conv1d | nn.BatchNorm1d)]
    assert [layer.kernel_size for layer in layers[::2]] == [(8,), (5,), (3,)]
    assert [layer.out_channels for layer in layers[::2]] == [4, 8, 4]
    found = x
    for conv, norm in zip(layers[::2], layers[1::2], strict=True):
        found = torch.relu(norm(conv(found)))
    torch.testing.assert_close(model(x), model.head(found.mean(2)))


@pytest.mark.parametrize("n_channels", [1, 3])
def test_the_resnet_written_out(n_channels: int) -> None:
    model, x = small("resnet1d", n_channels, filters=4), torch.randn(2, n_channels, 19)
    found = x
    for number, stage in enumerate(model.stages[::2]):
        conv_1, norm_1, _, conv_2, norm_2, _, conv_3, norm_3 = stage.branch
        inner = torch.relu(norm_2(conv_2(torch.relu(norm_1(conv_1(found))))))
        # the channels stay at the last stage alone: there the shortcut is a normalisation, with no convolution
        assert len(stage.shortcut) == (2 if number < 2 else 1)
        around = found
        for layer in stage.shortcut:
            around = layer(around)
        found = torch.relu(norm_3(conv_3(inner)) + around)
    assert found.shape[1] == 8
    torch.testing.assert_close(model(x), model.head(found.mean(2)))


def test_one_channel_too_many_for_a_plain_shortcut() -> None:
    same, other = (build("resnet1d", n_channels=n, n_times=9, n_classes=2, filters=4).stages[0] for n in (4, 5))
    assert (len(same.shortcut), len(other.shortcut)) == (1, 2)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("block", BLOCKS)
def test_more_padding_does_not_change_the_logits(name: str, block: str) -> None:
    torch.manual_seed(0)
    model = build(name, block=block, n_channels=2, n_times=40, n_classes=3, filters=8)
    lengths = torch.tensor([40, 1, 7, 26])
    rows = torch.randn(4, 2, 40) * (torch.arange(40) < lengths[:, None])[:, None]
    model(rows, lengths)  # batch normalisation has seen something
    model.eval()
    expected = model(rows, lengths)
    torch.testing.assert_close(model(functional.pad(rows, (0, 25)), lengths), expected, rtol=1e-4, atol=1e-5)
    for row, length, logits in zip(rows, lengths, expected, strict=True):
        torch.testing.assert_close(model(row[None, :, :length])[0], logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_too_counts_valid_positions_only(name: str) -> None:
    torch.manual_seed(0)
    model = build(name, n_channels=1, n_times=30, n_classes=2, filters=4)
    lengths = torch.tensor([30, 5, 12])
    rows = torch.randn(3, 1, 30) * (torch.arange(30) < lengths[:, None])[:, None]
    longer = functional.pad(rows, (0, 50))
    torch.testing.assert_close(model(longer, lengths), model(rows, lengths), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_block_stands_after_every_stage(name: str) -> None:
    bare, filled = (build(name, block=b, n_channels=1, n_times=9, n_classes=2, filters=4) for b in ("none", "eca"))
    assert count_parameters(filled) - count_parameters(bare) == (1 + 3 + 1 if name == "fcn" else 1 + 3 + 3)


@pytest.mark.parametrize("name", NETWORKS)
def test_one_sample_is_enough(name: str) -> None:
    model = build(name, n_channels=3, n_times=1, n_classes=2)
    assert torch.isfinite(model(torch.randn(2, 3, 1))).all()
    assert torch.isfinite(model.eval()(torch.randn(1, 3, 1))).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_no_filters_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match=rf"^{name}'s filters must be at least 1, not 0: the paper has \d+$"):
        build(name, n_channels=1, n_times=9, n_classes=2, filters=0)


def small(name: str, n_channels: int, **params: int) -> nn.Module:
    """A network for three classes of 19 samples, in eval mode, its batch normalisation no longer the identity."""
    return seasoned(build(name, n_channels=n_channels, n_times=19, n_classes=3, **params))
