"""The temporal convolutional network against its paper: causal, weight-normalised, as far-sighted as it says."""

import copy
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from zoo import ModelError, build
from zoo.inspection import count_parameters, on_meta
from zoo_tcn.network import CausalConv1d, TemporalLevel

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}


def test_the_published_size() -> None:
    # Table 1 of the paper compares models of about 70K on sequential MNIST. By the layers of the authors' code
    # (github.com/locuslab/TCN, mnist_pixel: 8 levels of 25 channels, kernel 7, one channel in, ten classes), gains and
    # all: level 0 is 225 + 4,425 + 50, each of the seven others 2 * 4,425, the last layer 260.
    model = on_meta(lambda: build("tcn.paper", n_channels=1, n_times=784, n_classes=10))
    assert count_parameters(model) == 4_700 + 7 * 8_850 + 260 == 66_910


def test_weight_normalisation_is_that_of_torch() -> None:
    conv = CausalConv1d(3, 4, 5, 2)
    plain = weight_norm(nn.Conv1d(3, 4, 5, dilation=2))
    nn.init.normal_(conv.gain)
    with torch.no_grad():
        plain.bias.copy_(conv.bias)
        plain.parametrizations.weight.original0.copy_(conv.gain)
        plain.parametrizations.weight.original1.copy_(conv.weight)
    x = torch.randn(2, 3, 30)
    torch.testing.assert_close(conv(x), plain(functional.pad(x, (8, 0))), rtol=1e-4, atol=1e-5)


def test_a_new_causal_convolution_is_the_loop_over_its_weights() -> None:
    conv, x = CausalConv1d(2, 3, 3, 4), torch.randn(2, 2, 10)
    for time in range(10):
        seen = [(tap, time - 4 * (2 - tap)) for tap in range(3) if time - 4 * (2 - tap) >= 0]
        expected = conv.bias + sum(x[:, :, source] @ conv.weight[:, :, tap].T for tap, source in seen)
        torch.testing.assert_close(conv(x)[:, :, time], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_in", [2, 4])
def test_a_level_written_out(n_in: int) -> None:
    level, x = TemporalLevel(n_in, 4, 3, 2, 0.5).eval(), torch.randn(2, n_in, 12)
    one, two = (layer for layer in level.branch if isinstance(layer, CausalConv1d))
    around = x if n_in == 4 else level.shortcut(x)
    torch.testing.assert_close(level(x), torch.relu(around + torch.relu(two(torch.relu(one(x))))))
    assert isinstance(level.shortcut, nn.Conv1d) == (n_in == 2)


def test_dropout_takes_whole_channels() -> None:
    level = TemporalLevel(4, 4, 3, 1, 0.5)
    dropped = level.branch[2](torch.ones(50, 4, 6))
    assert set(dropped.mean(2).unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(("levels", "kernel_size"), [(1, 3), (3, 2), (4, 5)])
def test_the_last_step_sees_as_far_as_it_says(levels: int, kernel_size: int) -> None:
    field = 1 + 2 * (kernel_size - 1) * (2**levels - 1)
    model = build("tcn", **BEAT, levels=levels, kernel_size=kernel_size, hidden=3).eval()
    for layer in model.modules():
        if isinstance(layer, nn.Conv1d):
            nn.init.ones_(layer.weight)  # nothing cancels out, and ReLU lets it all through
    x = torch.ones(1, 1, 187, requires_grad=True)
    model.levels(x)[0, :, -1].sum().backward()
    assert torch.nonzero(x.grad[0, 0]).flatten().tolist() == list(range(187 - field, 187))


def test_no_step_sees_a_later_one() -> None:
    model = build("tcn", **BEAT).eval()
    x = torch.randn(2, 1, 187)
    changed = x.clone()
    changed[:, :, 100:] = torch.randn(2, 1, 87)
    before, after = model.levels(x), model.levels(changed)
    torch.testing.assert_close(after[:, :, :100], before[:, :, :100])
    assert not torch.allclose(after[:, :, 100:], before[:, :, 100:])


@pytest.mark.parametrize("block", ["none", "resnet", "se", "convnext", "dilated+cbam"])
def test_more_padding_does_not_change_the_logits(block: str) -> None:
    torch.manual_seed(0)
    model = build("tcn", block=block, n_channels=2, n_times=60, n_classes=3, levels=3)
    lengths = torch.tensor([60, 31, 1, 45])
    rows = torch.randn(4, 2, 60) * (torch.arange(60) < lengths[:, None])[:, None]
    model(rows, lengths)  # batch normalisation has seen something
    model.eval()
    expected = model(rows, lengths)
    torch.testing.assert_close(model(functional.pad(rows, (0, 25)), lengths), expected, rtol=1e-4, atol=1e-5)
    for row, length, logits in zip(rows, lengths, expected, strict=True):
        torch.testing.assert_close(model(row[None, :, :length])[0], logits, rtol=1e-4, atol=1e-5)


def test_it_is_kept_and_copied_whole(tmp_path: Path) -> None:
    """Pickle, deepcopy and safetensors: what torch's own weight normalisation would refuse."""
    model, x = build("tcn", **BEAT).eval(), torch.randn(2, 1, 187)
    expected = model(x)
    assert torch.equal(pickle.loads(pickle.dumps(model))(x), expected)
    assert torch.equal(copy.deepcopy(model)(x), expected)
    safetensors.torch.save_file(model.state_dict(), tmp_path / "model.safetensors")
    other = build("tcn", **BEAT).eval()
    other.load_state_dict(safetensors.torch.load_file(tmp_path / "model.safetensors"))
    assert torch.equal(other(x), expected)


def test_one_sample_is_enough() -> None:
    model = build("tcn", n_channels=3, n_times=1, n_classes=2)
    assert torch.isfinite(model(torch.randn(2, 3, 1))).all()


@pytest.mark.parametrize(
    ("name", "value"), [("hidden", 0), ("levels", 0), ("kernel_size", -1), ("dropout", 1.0), ("dropout", -0.1)]
)
def test_what_cannot_be_is_one_line(name: str, value: float) -> None:
    with pytest.raises(ModelError, match=rf"^tcn's {name} must be [^\n]*, not {value}$"):
        build("tcn", **BEAT, **{name: value})
