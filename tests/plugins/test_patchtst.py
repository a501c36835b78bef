"""PatchTST against its layer table and its formulas, written out."""

import math

import pytest
import torch
from torch.nn import functional

from zoo import ModelError, build
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo.space import Value
from zoo_patchtst.encoder import EncoderLayer
from zoo_patchtst.network import normalised


@pytest.mark.parametrize(("channels", "times", "patches"), [(1, 187, 23), (21, 336, 42)])
def test_the_published_size(channels: int, times: int, patches: int) -> None:
    # The paper names its nets by their patches: 42 of the 336 samples. No count is published for a classifier; this is
    # the authors' layer table by hand: width 128, feed-forward 256, three layers, two batch normalisations in each.
    layer = 4 * (128 + 1) * 128 + (128 + 1) * 256 + (256 + 1) * 128 + 2 * 2 * 128
    expected = (16 + 1) * 128 + patches * 128 + 3 * layer + (channels * 128 + 1) * 5
    model = build("patchtst.paper", n_channels=channels, n_times=times, n_classes=5)
    assert count_parameters(model) == expected


def test_it_is_counted_on_the_meta_device() -> None:
    model = on_meta(lambda: build("patchtst.paper", n_channels=1, n_times=187, n_classes=5))
    token = 16 * 128 + 3 * (4 * 128 * 128 + 2 * 128 * 256 + 2 * 23 * 128)
    assert count_macs(model, n_channels=1, n_times=187) == 23 * token + 128 * 5


def test_the_encoder_layer_written_out() -> None:
    layer = EncoderLayer(width=6, heads=2, feed_forward=10, dropout=0.5).eval()
    for norm in (layer.norm, layer.feed_forward_norm):
        torch.nn.init.normal_(norm.weight)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    x, earlier = torch.randn(3, 4, 6), torch.randn(3, 2, 4, 4)
    query, key, value = layer.projections(x).chunk(3, 2)
    mixed = torch.zeros(3, 4, 6)
    for head in range(2):
        own = slice(3 * head, 3 * head + 3)
        scores = query[..., own] @ key[..., own].transpose(1, 2) / math.sqrt(3) + earlier[:, head]
        mixed[..., own] = scores.softmax(2) @ value[..., own]
    between = _batch_norm(layer.norm, x + layer.mix_heads(mixed))
    widen, _, _, narrow = layer.feed_forward
    expected = _batch_norm(layer.feed_forward_norm, between + narrow(functional.gelu(widen(between))))
    torch.testing.assert_close(layer(x, earlier)[0], expected, rtol=1e-4, atol=1e-5)


def _batch_norm(norm: torch.nn.BatchNorm1d, x: torch.Tensor) -> torch.Tensor:
    return (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def test_batch_normalisation_is_over_all_tokens_of_all_rows() -> None:
    layer = EncoderLayer(width=6, heads=2, feed_forward=10, dropout=0.0)
    out, _ = layer(torch.randn(5, 7, 6))
    torch.testing.assert_close(out.mean((0, 1)), torch.zeros(6), rtol=0, atol=1e-5)
    torch.testing.assert_close(out.var((0, 1), correction=0), torch.ones(6), rtol=1e-3, atol=0)


def test_scores_are_handed_from_layer_to_layer() -> None:
    shape = {"n_channels": 1, "n_times": 40, "n_classes": 2}
    model = build("patchtst", **shape, num_layers=2).eval()
    plain = build("patchtst", **shape, num_layers=2, residual_attention=False).eval()
    plain.load_state_dict(model.state_dict())
    x = torch.randn(2, 1, 40)
    tokens = (model.embed(model.patches(normalised(x))) + model.positions)[:, 0]
    first, scores = model.layers[0](tokens)
    second = {True: model.layers[1](first, scores)[0], False: model.layers[1](first)[0]}
    torch.testing.assert_close(model(x), model.head(second[True].mean(1)))
    torch.testing.assert_close(plain(x), model.head(second[False].mean(1)))
    assert not torch.allclose(model(x), plain(x), atol=1e-5)


@pytest.mark.parametrize("times", [2, 9, 16, 23, 24, 187])
def test_no_sample_is_left_out_and_the_end_repeats_the_last_value(times: int) -> None:
    model = build("patchtst", n_channels=1, n_times=times, n_classes=2)
    row = torch.arange(times, dtype=torch.float32)
    patches = model.patches(row[None, None])[0, 0]
    assert len(patches) == len(model.positions)
    assert set(patches.flatten().tolist()) == set(row.tolist())
    for number, patch in enumerate(patches):
        expected = (8 * number + torch.arange(16)).clamp(max=times - 1)
        assert torch.equal(patch, expected.float())


def test_channels_are_read_one_by_one() -> None:
    model = build("patchtst", n_channels=2, n_times=50, n_classes=3, width=8).eval()
    with torch.no_grad():
        model.head.weight[:, 8:] = 0  # what the second channel says
    x = torch.randn(4, 2, 50)
    other = torch.stack([x[:, 0], torch.randn(4, 50)], 1)
    torch.testing.assert_close(model(x), model(other))


def test_channels_are_normalised() -> None:
    x = torch.randn(3, 2, 50)
    expected = (x - x.mean(2, keepdim=True)) / (x.std(2, keepdim=True, correction=0) ** 2 + 1e-5).sqrt()
    torch.testing.assert_close(normalised(x), expected)
    model = build("patchtst", n_channels=2, n_times=50, n_classes=3).eval()
    torch.testing.assert_close(model(x), model(5 * x + 3), rtol=1e-3, atol=1e-3)


def test_constant_rows_are_finite() -> None:
    assert torch.equal(normalised(torch.full((2, 1, 50), 7.0)), torch.zeros(2, 1, 50))
    model = build("patchtst", n_channels=1, n_times=50, n_classes=3)
    logits = model(torch.zeros(2, 1, 50))
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


@pytest.mark.parametrize("pool", ["mean", "max", "last"])
@pytest.mark.parametrize(("channels", "times"), [(1, 2), (5, 11)])
def test_short_series_and_any_channels(pool: str, channels: int, times: int) -> None:
    model = build("patchtst", n_channels=channels, n_times=times, n_classes=4, pool=pool)
    logits = model(torch.randn(2, channels, times))
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.eval()(torch.randn(1, channels, times)).shape == (1, 4)


@pytest.mark.parametrize("pool", ["mean", "max", "last"])
def test_pools_are_what_they_are_called(pool: str) -> None:
    model, seen = build("patchtst", n_channels=2, n_times=50, n_classes=4, pool=pool).eval(), []
    model.layers[-1].register_forward_hook(lambda _layer, _inputs, output: seen.append(output[0]))
    logits = model(torch.randn(3, 2, 50))
    tokens = seen[0].reshape(3, 2, 6, 64)
    pooled = {"mean": tokens.sum(2) / 6, "max": tokens.max(2).values, "last": tokens[:, :, 5]}[pool]
    torch.testing.assert_close(logits, model.head(pooled.reshape(3, 128)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"width": 64, "heads": 5}, "width 64 is not a multiple of 5 heads: use a multiple, such as 40"),
        ({"patch_length": 4}, "stride 8 leaves gaps between patches of 4: use a smaller stride"),
        ({"stride": 0}, "stride, width, heads, num_layers and feed_forward must be at least 1"),
        ({"pool": "median"}, "pool must be one of mean, max, last, not 'median'"),
    ],
)
def test_bad_parameters_are_one_line(params: dict[str, Value], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build("patchtst", n_channels=1, n_times=20, n_classes=2, **params)
