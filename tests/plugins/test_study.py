"""The study's architectures against their definitions, and what their parameters change."""

import math
from typing import Any

import pytest
import torch
from conftest import seasoned
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from zoo import ModelError, build
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo.layers import trailing_lengths, valid_mask
from zoo.registry import Registry
from zoo_cnn1d.norm import MaskedLayerNorm1d
from zoo_transformer.encoder import EncoderLayer, sinusoids

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}
LENGTHS = torch.tensor([60, 31, 1, 45])


def padded_rows(n_times: int = 60) -> Tensor:
    """Four series of two channels, of the lengths above, zeros behind them."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 2, n_times, generator=generator) * valid_mask(LENGTHS, n_times)


def of_two_channels(architecture: str, **params: Any) -> nn.Module:
    torch.manual_seed(0)
    return build(architecture, n_channels=2, n_times=60, n_classes=3, **params)


# Sizes, by hand for 1 x 187 samples and 5 classes.
# gru: gates 3 x (64 x 1 + 64 x 64 + 2 x 64), head 64 x 64 + 64 and 64 x 5 + 5.
# cnn1d: stem (3 x 32 + 32 + 64) and (3 x 32 x 32 + 32 + 64), block 2 x (3,104 + 64), head (93 x 32) x 32 + 32 and 165;
# its gap has 32 x 32 + 32 and 165 there.
# transformer1d: tokens 4 x 32 + 32, two layers of 4 x 1,024 + 128 (attention) + 2 x 2,048 + 96 (feed-forward) +
# 128 (norms), last norm 64, head 165.
# transformer2d: stem (9 x 32 + 32 + 64) and (9 x 1,024 + 32 + 64), the same encoder and head.
@pytest.mark.parametrize(
    ("reference", "parameters"),
    [
        ("gru", 12_864 + 4_160 + 325),
        ("gru.layernorm", 12_864 + 4_160 + 325 + 128),
        ("cnn1d", 192 + 3_168 + 6_336 + 95_264 + 165),
        ("cnn1d.gap", 192 + 3_168 + 6_336 + 1_056 + 165),
        ("cnngru.gap", 37_221),
        ("cnngru.packed", 37_221),
        ("cnngru.layernorm", 37_221 + 64 + 128),
        ("transformer1d", 160 + 2 * 8_544 + 64 + 165),
        ("transformer2d", 384 + 9_312 + 2 * 8_544 + 64 + 165),
    ],
)
def test_sizes_are_those_of_the_layers(reference: str, parameters: int) -> None:
    model = on_meta(lambda: build(reference, **BEAT))
    assert count_parameters(model) == parameters


@pytest.mark.parametrize("reference", ["gru.packed", "cnngru.packed"])
def test_packed_networks_can_be_measured(reference: str) -> None:
    model = on_meta(lambda: build(reference, n_channels=1, n_times=8, n_classes=2))
    assert count_macs(model, n_channels=1, n_times=8) > 0


def test_attention_counts_in_the_cost() -> None:
    model = on_meta(lambda: build("transformer1d", **BEAT))
    tokens = 47
    layer = (4 + 2 * 2) * 32 * 32 * tokens + 2 * tokens * tokens * 32
    assert count_macs(model, n_channels=1, n_times=187) == 4 * 32 * tokens + 2 * layer + 32 * 5


@pytest.mark.parametrize(
    ("architecture", "variants"),
    [
        ("cnngru", [{"norm": "layer"}, {"pool": "gap"}, {"packed": True}, {"dilation": 2}]),
        ("cnn2d", [{"norm": "layer"}, {"norm": "none"}, {"dilation": 2}]),
        ("cnn1d", [{"norm": "layer"}, {"norm": "none"}, {"dilation": 2}]),
        ("gru", [{"norm": "layer"}, {"pool": "gap"}, {"packed": True}]),
    ],
)
def test_variants_start_from_the_weights_of_the_default(architecture: str, variants: list[dict[str, Any]]) -> None:
    default = {name: weight for name, weight in of_two_channels(architecture).named_parameters() if weight.dim() > 1}
    for params in variants:
        variant = dict(of_two_channels(architecture, **params).named_parameters())
        assert all(torch.equal(weight, variant[name]) for name, weight in default.items())


def test_presets_of_variants_change_one_thing(registry: Registry) -> None:
    for name in ("cnngru", "cnn1d", "cnn2d", "gru", "transformer1d", "transformer2d"):
        presets = registry.get("architecture", name).spec.presets
        variants = [preset for preset_name, preset in presets.items() if preset_name not in ("study", "table")]
        assert len(variants) >= 3
        for preset in variants:
            assert len(preset.params) + (preset.block is not None) == 1
            assert not preset.training
            assert preset.data is None


@pytest.mark.parametrize(
    ("architecture", "params", "line"),
    [
        ("cnngru", {"norm": "batch"}, "norm must be one of none, layer, not 'batch'"),
        ("cnngru", {"pool": "mean"}, "pool must be one of max, gap, not 'mean'"),
        ("cnngru", {"dilation": 0}, "dilation must be at least 1, not 0"),
        ("cnngru", {"num_layers": 0}, "gru_hidden and num_layers must be at least 1, not 64 and 0"),
        ("cnngru", {"num_blocks": -1}, "hidden must be at least 1 and num_blocks at least 0, not 32 and -1"),
        ("cnngru", {"dropout": 2.0}, "dropout must be between 0 and 1, not 2.0"),
        ("cnn1d", {"norm": "group"}, "norm must be one of batch, layer, none, not 'group'"),
        ("cnn1d", {"pool": "last"}, "pool must be one of max, gap, not 'last'"),
        ("cnn1d", {"num_layers": 0}, "num_layers and dilation must be at least 1, not 0 and 1"),
        ("cnn1d", {"hidden": 0}, "hidden must be at least 1 and num_blocks at least 0, not 0 and 1"),
        ("cnn1d", {"num_blocks": -1}, "hidden must be at least 1 and num_blocks at least 0, not 32 and -1"),
        ("cnn2d", {"norm": "group"}, "norm must be one of batch, layer, none, not 'group'"),
        ("cnn2d", {"pool": "last"}, "pool must be one of max, gap, not 'last'"),
        ("cnn2d", {"dilation": 0}, "num_layers and dilation must be at least 1, not 2 and 0"),
        ("cnn2d", {"hidden": 0}, "hidden must be at least 1 and num_blocks at least 0, not 0 and 1"),
        ("cnn2d", {"num_blocks": -1}, "hidden must be at least 1 and num_blocks at least 0, not 32 and -1"),
        ("gru", {"norm": "batch"}, "norm must be one of none, layer, not 'batch'"),
        ("gru", {"pool": "max"}, "pool must be one of last, gap, not 'max'"),
        ("gru", {"num_layers": 0}, "hidden and num_layers must be at least 1, not 64 and 0"),
        ("gru", {"dropout": 2.0}, "dropout must be between 0 and 1, not 2.0"),
        ("transformer1d", {"heads": 3}, "heads must divide width, not 3 and 64 with width 32"),
        ("transformer1d", {"patch_length": 0}, "patch_length and num_layers must be at least 1, not 0 and 2"),
        ("transformer1d", {"width": 0}, "width must be at least 1, not 0"),
        ("transformer2d", {"num_convolutions": 0}, "num_convolutions and num_layers must be at least 1, not 0 and 2"),
        ("transformer2d", {"width": 0}, "width must be at least 1 and num_blocks at least 0, not 0 and 1"),
        ("transformer2d", {"num_blocks": -1}, "width must be at least 1 and num_blocks at least 0, not 32 and -1"),
    ],
)
def test_what_cannot_be_built_is_said_in_a_line(architecture: str, params: dict[str, Any], line: str) -> None:
    with pytest.raises(ModelError, match=f"{line}$"):
        build(architecture, **BEAT, **params)


@pytest.mark.parametrize(
    ("architecture", "n_times"), [("gru", 1), ("cnn1d", 2), ("cnngru", 2), ("transformer1d", 1), ("transformer2d", 13)]
)
def test_the_shortest_series_there_are(architecture: str, n_times: int) -> None:
    model = build(architecture, n_channels=3, n_times=n_times, n_classes=2)
    rows = torch.randn(2, 3, n_times)
    assert model(rows).shape == (2, 2)
    assert model.eval()(rows[:1]).shape == (1, 2)


# Lengths


@pytest.mark.parametrize(
    ("architecture", "params"),
    [
        ("cnngru", {"norm": "layer"}),
        ("cnngru", {"pool": "gap", "dilation": 2}),
        ("cnngru", {"packed": True}),
        ("gru", {}),
        ("gru", {"num_layers": 2, "norm": "layer"}),
        ("gru", {"pool": "gap"}),
        ("cnn1d", {}),
        ("cnn1d", {"norm": "layer", "dilation": 3}),
        ("cnn1d", {"norm": "none", "pool": "gap"}),
        ("cnn1d", {"block": "se+dilated"}),
        ("transformer1d", {}),
        ("transformer1d", {"patch_length": 1, "num_layers": 1}),
        ("transformer1d", {"block": "resnet+se", "patch_length": 8}),
    ],
)
def test_neither_more_padding_nor_what_stands_in_it_changes_the_logits(
    architecture: str, params: dict[str, Any]
) -> None:
    model, rows = of_two_channels(architecture, **params), padded_rows()
    model(rows, LENGTHS)  # batch normalisation has seen something
    model.eval()
    expected = model(rows, LENGTHS)
    assert expected.unique(dim=0).shape[0] == 4
    for other in (functional.pad(rows, (0, 25)), rows.masked_fill(~valid_mask(LENGTHS, 60), 7.0)):
        torch.testing.assert_close(model(other, LENGTHS), expected, rtol=1e-4, atol=1e-5)
    for row, length, logits in zip(rows, LENGTHS, expected, strict=True):
        if length > 1:
            torch.testing.assert_close(model(row[None, :, :length], length[None])[0], logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("params", [{}, {"pool": "gap"}, {"norm": "layer"}])
@pytest.mark.parametrize("architecture", ["gru", "cnngru"])
def test_packed_takes_the_last_sample_that_is_not_zero_as_the_end(architecture: str, params: dict[str, Any]) -> None:
    model, rows = of_two_channels(architecture, packed=True, **params).eval(), padded_rows()
    declared = of_two_channels(architecture, **params).eval()
    assert torch.equal(trailing_lengths(rows), LENGTHS)
    torch.testing.assert_close(model(rows), declared(rows, LENGTHS))
    torch.testing.assert_close(model(functional.pad(rows, (0, 9))), model(rows), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(model(rows), declared(rows))
    assert torch.equal(model(rows, torch.full((4,), 60)), declared(rows, torch.full((4,), 60)))


def test_the_gru_answers_as_one_on_packed_sequences() -> None:
    model, rows = of_two_channels("gru", packed=True), padded_rows()
    packed = pack_padded_sequence(rows.transpose(1, 2), LENGTHS, batch_first=True, enforce_sorted=False)
    _, state = model.layers[0](packed)
    torch.testing.assert_close(model(rows), model.head(state[0]))


def test_layer_normalisation_counts_valid_samples_only() -> None:
    rows, norm = padded_rows(), MaskedLayerNorm1d(2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    normal = norm(rows, valid_mask(LENGTHS, 60))
    for row, length, found in zip(rows, LENGTHS, normal, strict=True):
        torch.testing.assert_close(found[:, :length], norm(row[None, :, :length])[0], rtol=1e-4, atol=1e-5)
        assert (found[:, length:] == 0).all()


# Layers written out


def test_the_gru_with_layer_normalisation_written_out() -> None:
    model, rows = of_two_channels("gru", num_layers=2, norm="layer").eval(), padded_rows()
    steps = rows.transpose(1, 2)
    for layer in model.layers:
        hidden, outputs = torch.zeros(4, 64), []
        for step in steps.unbind(1):
            reset_x, update_x, new_x = functional.linear(step, layer.weight_ih_l0, layer.bias_ih_l0).chunk(3, 1)
            reset_h, update_h, new_h = functional.linear(hidden, layer.weight_hh_l0, layer.bias_hh_l0).chunk(3, 1)
            update = torch.sigmoid(update_x + update_h)
            proposal = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
            hidden = update * hidden + (1 - update) * proposal
            outputs.append(functional.layer_norm(hidden, (64,)))
        steps = torch.stack(outputs, 1)
    torch.testing.assert_close(model(rows), model.head(steps[:, -1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_cnngru_with_the_mean_of_all_steps_written_out(norm: str) -> None:
    model, rows = seasoned(of_two_channels("cnngru", block="none", norm=norm, pool="gap")), padded_rows()
    convolution, _, batch_norm = model.convolutions[:3]
    features = model.linear(batch_norm(torch.relu(convolution(rows))).transpose(1, 2))
    normalise = (lambda x: functional.layer_norm(x, x.shape[2:])) if norm == "layer" else (lambda x: x)
    steps = normalise(model.gru(normalise(features))[0])
    assert steps.shape == (4, 60, 64)
    torch.testing.assert_close(model(rows), model.head(steps.mean(1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("architecture", "n_times", "dims"), [("cnngru", 60, 1), ("cnn1d", 60, 1), ("cnn2d", 240, 2)])
def test_dilation_spreads_the_first_convolutions(architecture: str, n_times: int, dims: int) -> None:
    model = build(architecture, block="none", dilation=3, n_channels=1, n_times=n_times, n_classes=2)
    convolutions = [layer for layer in model.convolutions if isinstance(layer, nn.Conv1d | nn.Conv2d)]
    rows = torch.ones(1, 1, *([20] * dims), requires_grad=True)
    convolutions[0](rows)[(0, 0, *[10] * dims)].backward()
    assert {layer.dilation for layer in convolutions} == {(3,) * dims}
    assert rows.grad is not None
    assert {int(index) for index in rows.grad.nonzero()[:, -1]} == {7, 10, 13}
    assert model(torch.randn(2, 1, n_times)).shape == (2, 2)


@pytest.mark.parametrize(("norm", "kind"), [("layer", nn.GroupNorm), ("none", nn.Identity), ("batch", nn.BatchNorm2d)])
def test_norms_of_cnn2d(norm: str, kind: type[nn.Module]) -> None:
    model = build("cnn2d", block="none", norm=norm, **BEAT)
    assert sum(type(layer) is kind for layer in model.modules()) == 2
    assert model(torch.randn(2, 1, 187)).shape == (2, 5)


def test_global_average_pooling_of_cnn2d_is_the_mean_of_the_picture() -> None:
    model, rows = build("cnn2d.gap", **BEAT).eval(), torch.randn(3, 1, 187)
    features = model.convolutions[:-1](functional.pad(rows, (0, 5)).reshape(3, 1, 16, 12))
    torch.testing.assert_close(model(rows), model.head(features.mean((2, 3))), rtol=1e-4, atol=1e-5)
    assert count_parameters(model) == count_parameters(build("cnn2d.gap", n_channels=1, n_times=40, n_classes=5))


def test_cnn1d_written_out() -> None:
    model, rows = seasoned(of_two_channels("cnn1d", block="none")), padded_rows()
    one, _, norm_one, two, _, norm_two = model.convolutions[:6]
    features = norm_two(torch.relu(two(norm_one(torch.relu(one(rows))))))
    halved = features.unflatten(2, (30, 2)).amax(3)
    torch.testing.assert_close(model(rows), model.head(halved.reshape(4, 32 * 30)), rtol=1e-4, atol=1e-5)


# The transformers


def test_an_encoder_layer_is_torchs_with_the_norm_first() -> None:
    own = EncoderLayer(24, heads=3, feed_forward=48, dropout=0.1).eval()
    theirs = nn.TransformerEncoderLayer(24, 3, 48, batch_first=True, norm_first=True).eval()
    pairs = [
        (
            theirs.self_attn,
            {"in_proj_weight": own.queries_keys_values.weight, "in_proj_bias": own.queries_keys_values.bias},
        ),
        *[
            (mine, {"weight": source.weight, "bias": source.bias})
            for mine, source in [
                (theirs.self_attn.out_proj, own.output),
                (theirs.linear1, own.feed_forward[0]),
                (theirs.linear2, own.feed_forward[2]),
                (theirs.norm1, own.norm_attention),
                (theirs.norm2, own.norm_feed_forward),
            ]
        ],
    ]
    for module, weights in pairs:
        for name, weight in weights.items():
            getattr(module, name).data = weight.data
    tokens, mask = torch.randn(4, 60, 24), valid_mask(LENGTHS, 60)
    expected = theirs(tokens, src_key_padding_mask=~mask[:, 0])
    valid = mask[:, 0]
    torch.testing.assert_close(own(tokens, mask)[valid], expected[valid], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(own(tokens), theirs(tokens), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", [8, 7, 1])
def test_sinusoids_written_out(width: int) -> None:
    half = math.ceil(width / 2)
    found = sinusoids(torch.arange(30), width)
    assert found.shape == (30, width)
    for position in range(30):
        for feature in range(width):
            angle = position / 10_000 ** (feature % half / half)
            wave = math.sin(angle) if feature < half else math.cos(angle)
            assert found[position, feature].item() == pytest.approx(wave, abs=1e-5)


@pytest.mark.parametrize(("architecture", "patch"), [("transformer1d", 4), ("transformer2d", 24)])
def test_transformers_know_where_a_token_is(architecture: str, patch: int) -> None:
    model = build(architecture, block="none", n_channels=1, n_times=192, n_classes=2).eval()
    rows = torch.randn(2, 1, 192 // patch, patch)
    shuffled = rows[:, :, torch.randperm(192 // patch)]
    assert not torch.allclose(model(rows.flatten(2)), model(shuffled.flatten(2)), atol=1e-4)


def test_transformer2d_knows_the_row_and_the_column_of_a_token() -> None:
    model, seen = build("transformer2d", block="none", n_channels=1, n_times=192, n_classes=2).eval(), []
    model.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(torch.ones(1, 1, 192))
    tokens = seen[0][0].unflatten(0, (8, 6))[1:-1, 1:-1]  # of one colour, away from the edges: only places differ
    rows, columns = sinusoids(torch.arange(1, 7), 16)[:, None], sinusoids(torch.arange(1, 5), 16)[None]
    places = torch.cat([rows.expand(6, 4, 16), columns.expand(6, 4, 16)], 2)
    torch.testing.assert_close(tokens - tokens[0, 0], places - places[0, 0], rtol=1e-4, atol=1e-5)


def test_a_patch_is_valid_if_any_of_its_samples_is() -> None:
    model = of_two_channels("transformer1d", patch_length=8).eval()
    rows = torch.randn(2, 2, 60)
    logits = model(rows, torch.tensor([33, 32]))
    for row, length, tokens, found in zip(rows, (33, 32), (5, 4), logits, strict=True):
        cut = functional.pad(row[None, :, :length], (0, 8 * tokens - length))
        assert model.embed(cut).shape[1] == tokens
        torch.testing.assert_close(found, model(cut)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("blocks", ["resnet", "se"])
def test_blocks_stand_behind_every_layer_of_the_transformer(blocks: str) -> None:
    model, rows = of_two_channels("transformer1d", block=blocks, num_layers=3).eval(), torch.randn(2, 2, 60)
    tokens = model.embed(rows)
    for layer, block in zip(model.encoder, model.blocks, strict=True):
        tokens = block(layer(tokens).transpose(1, 2)).transpose(1, 2)
    assert len(model.blocks) == 3
    torch.testing.assert_close(model(rows), model.head(model.norm(tokens).mean(1)), rtol=1e-4, atol=1e-5)


def test_transformer2d_reads_a_token_at_each_position_of_the_halved_picture() -> None:
    model, seen = build("transformer2d", block="resnet", **BEAT), []
    model.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
    model(torch.randn(2, 1, 187))
    assert seen == [(2, 8 * 6, 32)]
