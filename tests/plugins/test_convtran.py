"""ConvTran against its layer table and its formulas, written out."""

import math

import pytest
import torch

from zoo import ModelError, build
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo_convtran.attention import RelativeAttention
from zoo_convtran.network import time_positions


@pytest.mark.parametrize(("channels", "times", "classes"), [(1, 187, 5), (9, 144, 25)])
def test_the_published_size(channels: int, times: int, classes: int) -> None:
    # No count is published; this is the authors' layer table by hand: embedding 16, 8 heads, feed-forward 256.
    convolutions = (8 + 1) * 64 + 2 * 64 + (64 * channels + 1) * 16 + 2 * 16
    attention = 3 * 16 * 16 + 8 * (2 * times - 1) + 2 * 16
    feed_forward = (16 + 1) * 256 + (256 + 1) * 16
    expected = convolutions + attention + feed_forward + 2 * 2 * 16 + (16 + 1) * classes
    model = build("convtran.paper", n_channels=channels, n_times=times, n_classes=classes)
    assert count_parameters(model) == expected


def test_it_is_counted_on_the_meta_device() -> None:
    model = on_meta(lambda: build("convtran.paper", n_channels=1, n_times=187, n_classes=5))
    steps = 8 * 64 + 64 * 16 + 3 * 16 * 16 + 3 * 16 * 187 + 2 * 16 * 256  # attention: q k, softmax v, distances v
    assert count_macs(model, n_channels=1, n_times=187) == 187 * steps + 16 * 5


def test_relative_attention_written_out() -> None:
    times, width, heads = 6, 4, 2
    layer = RelativeAttention(width=width, heads=heads, n_times=times)
    torch.nn.init.normal_(layer.distances)
    torch.nn.init.normal_(layer.norm.weight)
    x = torch.randn(3, times, width)
    query, key, value = (x @ part.T for part in layer.projections.weight.chunk(3))
    expected = torch.empty(3, times, width)
    for head in range(heads):
        own = slice(head * 2, head * 2 + 2)
        for i in range(times):
            scores = torch.stack([(query[:, i, own] * key[:, j, own]).sum(1) for j in range(times)], 1)
            weights = (scores / math.sqrt(width)).softmax(1)
            weights = weights + torch.stack([layer.distances[head, i - j + times - 1] for j in range(times)])
            expected[:, i, own] = sum(weights[:, [j]] * value[:, j, own] for j in range(times))
    torch.testing.assert_close(layer(x), layer.norm(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", [8, 5, 1])
def test_time_positions_written_out(width: int) -> None:
    times = 11
    table = time_positions(times, width)
    assert table.shape == (times, width)
    for time in range(times):
        for column in range(width):
            frequency = 10_000 ** (-(column - column % 2) / width) * width / times
            wave = math.cos if column % 2 else math.sin
            assert float(table[time, column]) == pytest.approx(wave(time * frequency), abs=1e-5)


def test_the_even_kernel_sees_three_samples_before_and_four_after() -> None:
    model = build("convtran", n_channels=2, n_times=40, n_classes=2).eval()
    seen = []
    hook = model.spatial.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    x = torch.randn(1, 2, 40, requires_grad=True)
    model(x)
    hook.remove()
    seen[0][0, :, 0, 20].sum().backward()
    touched = torch.nonzero(x.grad.abs().sum(1)[0]).flatten()
    assert touched.tolist() == list(range(17, 25))


def test_it_knows_the_order_of_the_samples() -> None:
    model = build("convtran", n_channels=1, n_times=30, n_classes=3, kernel_size=1).eval()
    rows = torch.randn(2, 1, 30)
    assert not torch.allclose(model(rows), model(rows.flip(2)), atol=1e-4)


@pytest.mark.parametrize(("channels", "times"), [(1, 1), (3, 2), (12, 7)])
def test_any_length_and_any_channels(channels: int, times: int) -> None:
    model = build("convtran", n_channels=channels, n_times=times, n_classes=4)
    logits = model(torch.randn(2, channels, times))
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.eval()(torch.randn(1, channels, times)).shape == (1, 4)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"width": 16, "heads": 3}, "width 16 is not a multiple of 3 heads: use a multiple, such as 24"),
        ({"heads": 0}, "width, heads, feed_forward and kernel_size must be at least 1"),
        ({"kernel_size": 0}, "width, heads, feed_forward and kernel_size must be at least 1"),
    ],
)
def test_bad_parameters_are_one_line(params: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build("convtran", n_channels=1, n_times=20, n_classes=2, **params)
