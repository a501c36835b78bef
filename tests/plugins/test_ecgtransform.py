"""ECGTransForm against the authors' layers and its formulas, written out."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from zoo import ModelError, build
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo_ecgtransform.network import pooled_times
from zoo_ecgtransform.recalibration import RecalibrationBlock
from zoo_ecgtransform.transformer import EncoderLayer


@pytest.mark.parametrize("times", [186, 187])
def test_the_size_of_the_authors_network(times: int) -> None:
    # No count is published. The authors' models.py, configured for MIT-BIH, has 637,689 parameters; 107,173 of them are
    # a transformer layer that is only the pattern for the three in use, and is itself never called.
    model = build("ecgtransform.paper", n_channels=1, n_times=times, n_classes=5)
    assert count_parameters(model) == 637_689 - 107_173
    convolutions = (5 + 9 + 11) * 32 + 2 * 32 + 8 * 32 * 64 + 2 * 64 + 8 * 64 * 128 + 2 * 128
    recalibration = 2 * (128 + 1) * 128 + 2 * 2 * 128 + 2 * 128 * 32
    layer = 4 * (25 + 1) * 25 + (25 + 1) * 2048 + (2048 + 1) * 25 + 2 * 2 * 25
    assert count_parameters(model) == convolutions + 3 * recalibration + 3 * layer + (128 + 1) * 5


def test_it_is_counted_on_the_meta_device() -> None:
    model = on_meta(lambda: build("ecgtransform.paper", n_channels=1, n_times=187, n_classes=5))
    convolutions = 187 * 25 * 32 + 95 * 8 * 32 * 64 + 49 * 8 * 64 * 128
    recalibration = 3 * (25 * 2 * 128 * 128 + 2 * 128 * 32)
    token = 3 * (4 * 25 * 25 + 2 * 25 * 2048 + 2 * 25 * 128)
    assert count_macs(model, n_channels=1, n_times=187) == convolutions + recalibration + 2 * 128 * token + 128 * 5


@pytest.mark.parametrize("times", [*range(1, 20), 186, 187, 1000])
def test_the_width_is_the_length_after_pooling(times: int) -> None:
    model = build("ecgtransform", n_channels=1, n_times=times, n_classes=2, filters=2, heads=3)
    features = model.convolutions(model.first(model.scales[0](torch.randn(2, 1, times))))
    assert features.shape[2] == pooled_times(times)
    width = model.transformer[0].norm.normalized_shape[0]
    assert pooled_times(times) <= width < pooled_times(times) + 3
    assert width % 3 == 0


def test_the_first_stage_averages_three_scales() -> None:
    model = build("ecgtransform", n_channels=2, n_times=31, n_classes=2, dropout=0.5).eval()
    norm = model.first[0]
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(3, 2, 31)
    convolved = [
        functional.conv1d(x, scale.weight, padding=half) for scale, half in zip(model.scales, (2, 4, 5), strict=True)
    ]
    expected = functional.max_pool1d(norm(sum(convolved) / 3).relu(), 2, padding=1)
    seen: list[torch.Tensor] = []
    model.first.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    model(x)
    torch.testing.assert_close(seen[0], expected, rtol=1e-4, atol=1e-5)


def test_the_recalibration_block_written_out() -> None:
    block = RecalibrationBlock(8, reduction=4)
    one, norm_one, _, two, norm_two = block.branch
    squeeze, _, excite, _ = block.gate
    assert (squeeze.out_features, squeeze.bias, excite.bias) == (2, None, None)
    x = torch.randn(3, 8, 11)
    branch = norm_two(two(torch.relu(norm_one(one(x)))))
    gate = torch.sigmoid(torch.relu(branch.mean(2) @ squeeze.weight.T) @ excite.weight.T)
    torch.testing.assert_close(block(x), torch.relu(x + branch * gate[:, :, None]))
    assert RecalibrationBlock(2, reduction=4).gate[0].out_features == 1


def test_the_transformer_is_torchs() -> None:
    own = EncoderLayer(width=10, heads=5, feed_forward=12, dropout=0.1)
    torchs = nn.TransformerEncoderLayer(10, 5, dim_feedforward=12, dropout=0.1, batch_first=True)
    with torch.no_grad():
        torchs.self_attn.in_proj_weight.copy_(own.projections.weight)
        torchs.self_attn.in_proj_bias.copy_(own.projections.bias)
    for mine, theirs in [
        (own.mix_heads, torchs.self_attn.out_proj),
        (own.feed_forward[0], torchs.linear1),
        (own.feed_forward[3], torchs.linear2),
        (own.norm, torchs.norm1),
        (own.feed_forward_norm, torchs.norm2),
    ]:
        theirs.load_state_dict(mine.state_dict())
    x = torch.randn(3, 7, 10)
    torch.testing.assert_close(own.eval()(x), torchs.eval()(x), rtol=1e-4, atol=1e-5)


def test_it_reads_both_ways_with_the_same_layers() -> None:
    model = build("ecgtransform", n_channels=1, n_times=60, n_classes=3, heads=4).eval()
    nn.init.normal_(model.transformer[-1].feed_forward_norm.weight)
    x = torch.randn(2, 1, 60)
    averaged = sum(scale(x) for scale in model.scales) / 3
    features = model.recalibration(model.convolutions(model.first(averaged)))
    features = functional.pad(features, (0, 2))  # ten times, filled up to twelve for the four heads
    both = model.transformer(features) + model.transformer(features.flip(2))
    torch.testing.assert_close(model(x), model.head(both.mean(2)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("channels", "times"), [(1, 1), (3, 2), (12, 9)])
def test_any_length_and_any_channels(channels: int, times: int) -> None:
    model = build("ecgtransform", n_channels=channels, n_times=times, n_classes=4)
    logits = model(torch.randn(2, channels, times))
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.eval()(torch.randn(1, channels, times)).shape == (1, 4)


def test_a_new_network_knows_nothing_and_one_step_later_it_does() -> None:
    torch.manual_seed(0)
    model = build("ecgtransform", n_channels=1, n_times=60, n_classes=2)
    rows, labels = torch.randn(16, 1, 60), torch.arange(16) % 2
    torch.testing.assert_close(model(rows).std(0), torch.zeros(2), rtol=0, atol=1e-5)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    functional.cross_entropy(model(rows), labels).backward()
    optimiser.step()
    assert (model(rows).std(0) > 1e-5).all()


@pytest.mark.parametrize("params", [{"heads": 0}, {"filters": 0}, {"num_blocks": -1}])
def test_bad_parameters_are_one_line(params: dict[str, int]) -> None:
    message = "filters, reduction, heads, num_layers and feed_forward must be at least 1, num_blocks at least 0"
    with pytest.raises(ModelError, match=message):
        build("ecgtransform", n_channels=1, n_times=20, n_classes=2, **params)
