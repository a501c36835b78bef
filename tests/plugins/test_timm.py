"""timm's models on signals: the index, the pictures, pretrained weights, and torchvision as it comes."""

import ast
import copy
import inspect
import math
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import huggingface_hub
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

import zoo
import zoo_timm
from zoo import ModelError, build
from zoo.inspection import count_parameters, on_meta
from zoo.registry import Registry
from zoo_timm import catalogue, network, scaling
from zoo_timm.conformance import CONFORMANCE
from zoo_timm.frontends import Fold, GramianField, Spectrogram
from zoo_timm.library import timm
from zoo_timm.papers import paper_of
from zoo_timm.torchvision_schemas import import_torchvision
from zoo_timm.weights import PATIENCE

ROOT = Path(__file__).parents[2]
BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}
FRONT_ENDS = ("fold", "spectrogram", "gasf")


def make(name: str, **params: Any) -> nn.Module:
    """timm's model of that name from its factory, for heartbeats unless `params` say other shapes."""
    return cast(nn.Module, getattr(network, name)(**BEAT | params))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub to reach, and an empty cache."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.file_download, "HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("NO_PROXY", "*")


# The index


def test_listing_the_names_imports_neither_timm_nor_torch() -> None:
    code = (
        "import sys, zoo_timm; specs = zoo_timm.zoo_components(); print(len(specs)); "
        "sys.exit(', '.join({'timm', 'torch', 'numpy', 'torchvision'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1300


def test_the_index_is_that_of_the_installed_timm() -> None:
    if timm.__version__ != catalogue.version():
        pytest.skip(f"the index is of timm {catalogue.version()}, and {timm.__version__} is installed")
    index = catalogue.read_catalogue()
    assert list(index) == timm.list_models()
    pretrained = [f"{entry.name}.{tag}" for entry in index.values() for tag in entry.tags]
    assert sorted(pretrained) == sorted(timm.list_models(pretrained=True))
    modules = {name: module for module in timm.list_modules() for name in timm.list_models(module=module)}
    for entry in index.values():
        number = paper_of(entry.name, modules[entry.name])
        assert entry.paper.endswith(f"arXiv:{number}") if number else entry.paper == catalogue.TIMM


@pytest.mark.parametrize(
    ("names", "title", "number"),
    [
        ("beit_base_patch16_224", "BEiT: BERT Pre-Training of Image Transformers", "2106.08254"),
        ("botnet26t_256 eca_botnext26ts_256", "Bottleneck Transformers for Visual Recognition", "2101.11605"),
        ("convmixer_768_32", "Patches Are All You Need?", "2201.09792"),
        ("convnext_atto convnext_xxlarge", "A ConvNet for the 2020s", "2201.03545"),
        ("cait_s24_224", "Going deeper with Image Transformers", "2103.17239"),
        ("deit3_small_patch16_224", "DeiT III: Revenge of the ViT", "2204.07118"),
        ("densenet121", "Densely Connected Convolutional Networks", "1608.06993"),
        ("dla60_res2net dla60_res2next res2net50d", "Res2Net: A New Multi-scale Backbone Architecture", "1904.01169"),
        ("dpn68", "Dual Path Networks", "1707.01629"),
        ("ecaresnet50d", "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks", "1910.03151"),
        (
            "efficientnet_b0 tf_efficientnet_b7",
            "EfficientNet: Rethinking Model Scaling",
            "1905.11946",
        ),
        ("tf_efficientnetv2_s efficientnetv2_rw_t", "EfficientNetV2: Smaller Models and Faster Training", "2104.00298"),
        ("tf_efficientnet_l2", "Self-training with Noisy Student improves ImageNet classification", "1911.04252"),
        ("eva02_tiny_patch14_224", "EVA-02: A Visual Representation for Neon Genesis", "2303.11331"),
        ("ghostnetv2_100", "GhostNetV2: Enhance Cheap Operation with Long-Range Attention", "2211.12905"),
        ("inception_v3", "Rethinking the Inception Architecture for Computer Vision", "1512.00567"),
        ("lcnet_035", "PP-LCNet: A Lightweight CPU Convolutional Neural Network", "2109.15099"),
        ("maxvit_tiny_tf_224", "MaxViT: Multi-Axis Vision Transformer", "2204.01697"),
        ("mixer_b16_224", "MLP-Mixer: An all-MLP Architecture for Vision", "2105.01601"),
        ("mnasnet_100 semnasnet_075", "MnasNet: Platform-Aware Neural Architecture Search for Mobile", "1807.11626"),
        ("mobilenetv2_100", "MobileNetV2: Inverted Residuals and Linear Bottlenecks", "1801.04381"),
        ("tf_mobilenetv3_small_100", "Searching for MobileNetV3", "1905.02244"),
        ("nf_resnet50", "Characterizing signal propagation to close the performance gap", "2101.08692"),
        ("poolformer_s12", "MetaFormer Is Actually What You Need for Vision", "2111.11418"),
        ("regnety_004 regnetx_002", "Designing Network Design Spaces", "2003.13678"),
        ("repvgg_a0", "RepVGG: Making VGG-style ConvNets Great Again", "2101.03697"),
        ("resnet18 resnet152 resnet10t", "Deep Residual Learning for Image Recognition", "1512.03385"),
        ("resnet50d resnet101c", "Bag of Tricks for Image Classification", "1812.01187"),
        ("resnetv2_50", "Identity Mappings in Deep Residual Networks", "1603.05027"),
        ("resnetv2_50x1_bit", "Big Transfer (BiT): General Visual Representation Learning", "1912.11370"),
        ("resnext50_32x4d", "Aggregated Residual Transformations for Deep Neural Networks", "1611.05431"),
        ("seresnet50 legacy_seresnet18 senet154", "Squeeze-and-Excitation Networks", "1709.01507"),
        ("swin_tiny_patch4_window7_224", "Swin Transformer: Hierarchical Vision Transformer", "2103.14030"),
        ("swin_s3_tiny_224", "Searching the Search Space of Vision Transformer", "2111.14725"),
        ("vgg16_bn", "Very Deep Convolutional Networks for Large-Scale Image Recognition", "1409.1556"),
        ("vit_base_patch16_224 vit_huge_patch14_224", "An Image is Worth 16x16 Words", "2010.11929"),
        ("vit_small_patch14_dinov2", "DINOv2: Learning Robust Visual Features without Supervision", "2304.07193"),
        ("wide_resnet50_2", "Wide Residual Networks", "1605.07146"),
        ("xcit_tiny_12_p8_224", "XCiT: Cross-Covariance Image Transformers", "2106.09681"),
    ],
)
def test_papers_are_the_right_ones(names: str, title: str, number: str) -> None:
    for name in names.split():
        paper = catalogue.read_catalogue()[name].paper
        assert paper.startswith(title)
        assert paper.endswith(f", arXiv:{number}")


@pytest.mark.parametrize(
    "name", ["csatv2", "hgnetv2_b0", "maxxvit_rmlp_nano_rw_256", "gmixer_12_224", "resnet33ts", "test_vit"]
)
def test_models_without_a_paper_of_their_own_cite_timm(name: str) -> None:
    assert catalogue.read_catalogue()[name].paper == catalogue.TIMM


def test_every_pretrained_tag_is_a_preset(registry: Registry) -> None:
    entry, _, preset = registry.architecture("timm/resnet18.a1_in1k")
    assert preset.params == {"pretrained": True, "tag": "a1_in1k"}
    assert set(entry.spec.presets) == set(catalogue.read_catalogue()["resnet18"].tags)


def test_every_name_has_a_factory_of_its_own() -> None:
    assert not set(catalogue.read_catalogue()) & set(vars(network))
    factory = network.resnet18
    assert factory.args == ("resnet18",)
    harness = {"n_channels", "n_times", "n_classes"}
    others = {name: value.default for name, value in inspect.signature(factory).parameters.items()}
    assert harness <= others.keys()
    assert all(isinstance(others[name], bool | int | float | str) for name in others.keys() - harness)
    with pytest.raises(AttributeError, match="resnet19"):
        _ = network.resnet19


# Pictures


def test_the_fold_is_that_of_cnn2d() -> None:
    series = torch.randn(3, 2, 140)
    picture = Fold(n_times=140, size=12)(series)
    rows = torch.zeros(3, 2, 12, 12)
    for time_ in range(140):
        rows[:, :, time_ // 12, time_ % 12] = series[:, :, time_]
    torch.testing.assert_close(picture, rows)
    folded = functional.pad(series, (0, 4)).unflatten(2, (12, 12))
    larger = functional.interpolate(folded, size=(64, 64), mode="bilinear")
    torch.testing.assert_close(Fold(n_times=140, size=64)(series), larger)


def test_a_fold_of_no_width_is_a_square() -> None:
    assert [Fold(n_times, 64, width=0).width for n_times in (1, 2, 187, 196, 197)] == [1, 2, 14, 14, 15]


def test_the_spectrogram_written_out() -> None:
    series = torch.randn(2, 1, 64)
    front_end = Spectrogram(n_times=64, size=17, window=32)
    hann = 0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(32) / 32)
    padded = functional.pad(series[:, 0], (16, 16), mode="reflect")  # windows are centred on the samples they stand for
    frames = torch.stack([padded[:, start : start + 32] for start in range(0, 65, 4)])
    angles = 2 * math.pi * torch.arange(17)[:, None] * torch.arange(32) / 32
    windowed = (frames * hann)[:, :, None, :]
    power = (windowed * angles.cos()).sum(3) ** 2 + (windowed * angles.sin()).sum(3) ** 2
    expected = 1 + torch.log10(power / hann.square().sum() + 1e-6) / 6
    torch.testing.assert_close(front_end(series)[:, 0], expected.permute(1, 2, 0), rtol=1e-4, atol=1e-4)


def test_the_gramian_field_is_the_cosine_of_the_sum_of_angles() -> None:
    series = 5 + 3 * torch.randn(2, 3, 24, dtype=torch.float64)
    low, high = series.amin(2, keepdim=True), series.amax(2, keepdim=True)
    scaled = ((series - high) + (series - low)) / (high - low)
    angle = torch.arccos(scaled.clamp(-1, 1))
    expected = torch.cos(angle[..., :, None] + angle[..., None, :])
    close = {"rtol": 0.0, "atol": 1e-3}  # in float32 the sine of an angle near 0 is known to the root of its precision
    torch.testing.assert_close(GramianField(n_times=24, size=24)(series), expected.float(), **close)
    pieces = torch.arccos(scaled.unflatten(2, (8, 3)).mean(3))
    smaller = torch.cos(pieces[..., :, None] + pieces[..., None, :])
    torch.testing.assert_close(GramianField(n_times=24, size=8)(series), smaller.float(), **close)


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize(("channels", "times"), [(1, 2), (2, 3), (3, 13), (1, 2000)])
def test_every_front_end_takes_any_series(front_end: str, channels: int, times: int) -> None:
    shape = {"n_channels": channels, "n_times": times, "n_classes": 3}
    model = make("test_convnext", front_end=front_end, **shape).eval()
    rows = torch.randn(4, channels, times)
    rows[2] = 0.25  # a dead channel
    together = model(rows)
    assert torch.isfinite(together).all()
    torch.testing.assert_close(torch.cat([model(row[None]) for row in rows]), together, rtol=1e-4, atol=1e-5)
    on_meta_device = on_meta(lambda: make("test_convnext", front_end=front_end, **shape))
    assert on_meta_device(torch.empty(2, channels, times, device="meta")).shape == (2, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(model(rows)).all()


# Networks


def test_the_network_is_timms_own() -> None:
    model = make("resnet10t")
    alone = timm.create_model("resnet10t", in_chans=1, num_classes=5)
    assert count_parameters(model) == count_parameters(alone)
    alone.load_state_dict(model.backbone.state_dict())
    rows = torch.randn(2, 1, 187)
    picture = functional.interpolate(functional.pad(rows, (0, 5)).unflatten(2, (16, 12)), (64, 64), mode="bilinear")
    torch.testing.assert_close(model.eval()(rows), alone.eval()(picture))
    assert make("resnet10t", drop_rate=0.3).backbone.drop_rate == 0.3


@pytest.mark.parametrize(
    ("name", "size"),
    [("resnet18", 64), ("inception_v3", 84), ("vit_small_patch14_dinov2", 70), ("crossvit_9_240", 120)],
)
def test_the_size_is_one_that_the_model_takes(name: str, size: int) -> None:
    model = on_meta(lambda: make(name))
    assert model.front_end.size == size
    assert model(torch.empty(2, 1, 187, device="meta")).shape == (2, 5)


def test_another_size_goes_through_timms_own_arguments() -> None:
    model = on_meta(lambda: make("vit_tiny_patch16_224", size=96))
    assert model.backbone.patch_embed.img_size == (96, 96)
    assert model(torch.empty(2, 1, 187, device="meta")).shape == (2, 5)


@pytest.mark.parametrize("name", ["csatv2", "efficientvim_m1_dist", "gemma4_vit_167m_enc", "mobilenetv5_300m_enc"])
def test_models_of_other_interfaces_are_fitted_to_the_zoos(name: str) -> None:
    """Three channels and no other number; two heads in training; features in place of logits."""
    model = on_meta(lambda: make(name, drop_rate=0.1, n_channels=2))
    for mode in (True, False):
        assert model.train(mode)(torch.empty(2, 2, 187, device="meta")).shape == (2, 5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"front_end": "wavelet"}, "no front end named 'wavelet'. Available: fold, spectrogram, gasf"),
        ({"front_end": "spectrogram", "window": 1}, "the spectrogram's window must be at least 2 samples, not 1"),
        ({"width": -1}, "the fold's width must be a number of samples, or 0 for a square, not -1"),
        ({"size": -64}, "size must be a number of pixels, or 0 for the default, not -64"),
        ({"size": 32}, r"timm/inception_v3 does not accept pictures of 32 x 32 \(.*\): use size=0, which is 84"),
        ({"drop_rate": 1.0}, "drop_rate must be at least 0 and below 1, not 1.0"),
        ({"tag": "a9"}, "timm/inception_v3 has no pretrained tag 'a9'. Available: gluon_in1k, tf_adv_in1k, .*"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(params: dict[str, zoo.space.Value], message: str) -> None:
    with pytest.raises(ModelError, match=f"^{message}$") as caught:
        make("inception_v3", **params)
    assert "\n" not in str(caught.value)


# Pretrained weights


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("reference", ["timm/resnet18.a1_in1k", "timm/vit_tiny_patch16_224.augreg_in21k"])
def test_without_a_network_pretrained_weights_fail_soon_and_in_one_line(registry: Registry, reference: str) -> None:
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        build(reference, registry=registry, **BEAT)
    assert time.monotonic() - started < PATIENCE + 5
    assert str(caught.value) == (
        f"timm's weights {reference.removeprefix('timm/')} are not in the cache, and there is no network to download "
        "them: connect to a network, or use a local copy with --set weights=FILE"
    )


@pytest.mark.usefixtures("no_network")
def test_on_the_meta_device_nothing_is_loaded() -> None:
    model = on_meta(lambda: make("resnet18", pretrained=True, tag="a1_in1k"))
    assert count_parameters(model) == count_parameters(on_meta(lambda: make("resnet18")))


@pytest.mark.usefixtures("no_network")
def test_a_preset_can_be_had_without_its_weights(registry: Registry) -> None:
    model = build("timm/test_resnet.r160_in1k", pretrained=False, registry=registry, **BEAT)
    assert isinstance(model, nn.Module)


def test_a_model_without_pretrained_weights_says_so() -> None:
    with pytest.raises(ModelError, match="timm has no pretrained weights for vit_base_patch16_gap_224"):
        make("vit_base_patch16_gap_224", pretrained=True)


@pytest.mark.usefixtures("no_network")
def test_weights_of_an_earlier_download_need_no_network(tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--timm--test_resnet.r160_in1k" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    source = timm.create_model("test_resnet")
    save_file(source.state_dict(), snapshot / "model.safetensors")
    model = make("test_resnet", pretrained=True)
    assert torch.equal(model.backbone.layer1[0].conv1.weight, source.layer1[0].conv1.weight)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_from_a_file_are_adapted_by_timms_own_code(tmp_path: Path, suffix: str) -> None:
    source, path = timm.create_model("test_resnet"), tmp_path / f"weights.{suffix}"
    save_file(source.state_dict(), path) if suffix == "safetensors" else torch.save(source.state_dict(), path)
    model = make("test_resnet", weights=str(path), tag="r160_in1k").backbone
    first, own = source.conv1[0].weight, model.conv1[0].weight
    torch.testing.assert_close(own, first.sum(1, keepdim=True))  # three colours to one channel
    assert torch.equal(model.layer3[0].conv1.weight, source.layer3[0].conv1.weight)
    assert model.fc.weight.shape == (5, source.fc.weight.shape[1])


def test_a_file_of_as_many_classes_keeps_its_head(tmp_path: Path) -> None:
    source, path = timm.create_model("test_resnet", in_chans=1, num_classes=5), tmp_path / "weights.safetensors"
    save_file(source.state_dict(), path)
    rows = torch.randn(3, 1, 187)
    model = make("test_resnet", weights=str(path)).eval()
    torch.testing.assert_close(model.backbone(model.front_end(rows)), source.eval()(model.front_end(rows)))
    assert torch.equal(model.backbone.fc.weight, source.fc.weight)


def test_positions_are_resampled_to_the_size_of_the_picture(tmp_path: Path) -> None:
    source, path = timm.create_model("test_vit"), tmp_path / "weights.safetensors"
    save_file(source.state_dict(), path)
    model = make("test_vit", weights=str(path)).backbone
    assert model.pos_embed.shape[1] < source.pos_embed.shape[1]
    assert torch.equal(model.blocks[0].attn.qkv.weight, source.blocks[0].attn.qkv.weight)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "weights.npz"])
def test_a_file_that_holds_no_such_weights_is_said_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(ModelError, match=r"timm/test_resnet: the weights file .* does not exist"):
        make("test_resnet", weights=str(path))
    path.write_bytes(b"not weights")
    with pytest.raises(ModelError, match="timm/test_resnet: its weights could not be loaded: ") as caught:
        make("test_resnet", weights=str(path))
    assert "\n" not in str(caught.value)
    assert "attribute" not in str(caught.value)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "weights.safetensors")
    return str(tmp_path / "weights.safetensors")


@pytest.mark.parametrize(("channels", "amplitude"), [(1, 1e-3), (2, 1.0), (3, 300.0), (5, 1.0)])
def test_pretrained_weights_receive_the_values_that_they_were_trained_with(
    weights: str, channels: int, amplitude: float
) -> None:
    """The tag's pixels are of mean 1/2 and deviation 1/2; three colours become one or repeat, as timm's filters do."""
    model = make("test_resnet", weights=weights, tag="r160_in1k", n_channels=channels)
    received: list[torch.Tensor] = []
    model.backbone.register_forward_hook(lambda layer, inputs, output: received.append(inputs[0]))
    rows = amplitude * (3 + torch.randn(64, channels, 187).cumsum(2) / 10)
    for part in (*rows.split(16), *rows.split(16)):
        model(part)
    model.eval()(rows)
    mean, deviation = (torch.tensor([0.485, 0.456, 0.406]) - 0.5) / 0.5, torch.tensor([0.229, 0.224, 0.225]) / 0.5
    colours = [0, 1, 2, 0, 1][:channels]
    expected = (mean.mean()[None], deviation.mean()[None]) if channels == 1 else (mean[colours], deviation[colours])
    for picture, close in ((received[0], 1e-3), (received[-1], 0.1)):
        torch.testing.assert_close(picture.mean((0, 2, 3)), expected[0], rtol=0, atol=close)
        torch.testing.assert_close(picture.std((0, 2, 3)), expected[1], rtol=close, atol=0)


def test_imagenets_own_mean_and_deviation_make_standard_pictures() -> None:
    mean, deviation = scaling.expected(timm.models.get_pretrained_cfg("resnet18.a1_in1k"), 3)
    torch.testing.assert_close((mean, deviation), (torch.zeros(3), torch.ones(3)))


def test_without_pretrained_weights_pictures_are_unchanged() -> None:
    model = make("test_resnet")
    assert not model.scaling.state_dict()
    picture = torch.randn(2, 1, 64, 64)
    assert model.scaling(picture) is picture


def test_the_scaling_is_stored_with_the_weights_and_not_needed_in_those_of_earlier_versions(weights: str) -> None:
    model, rows = make("test_resnet", weights=weights), torch.rand(8, 1, 187)
    model(rows)
    state, output = model.state_dict(), model.eval()(rows)
    assert int(state["scaling.batches"]) == 1
    for given in ({}, {"pretrained": True, "tag": "r160_in1k"}):
        copied = make("test_resnet", weights=None, **given)
        copied.load_state_dict(state)
        assert torch.equal(copied.eval()(rows), output)
        earlier = make("test_resnet", weights=None, **given)
        earlier.load_state_dict({name: value for name, value in state.items() if "scaling" not in name})
        assert torch.equal(earlier.eval()(rows), model.backbone(model.front_end(rows)))


def test_a_dead_channel_and_bf16_leave_pretrained_pictures_finite(weights: str) -> None:
    model, rows = make("test_resnet", weights=weights, n_channels=2), torch.randn(4, 2, 187)
    rows[:, 1] = 0.25
    for mode in (True, False):
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.isfinite(model.train(mode)(rows)).all()


# torchvision


def run_python(code: str, folder: Path | None = None) -> str:
    """What a Python of its own prints, `folder` first on its path."""
    prefix = f"import sys; sys.path.insert(0, {str(folder)!r}); " if folder else ""
    command = [sys.executable, "-W", "error", "-c", prefix + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOAD = "from zoo_timm import torchvision_schemas as own; own.import_torchvision(); import torch; "


def test_the_installed_torchvision_can_be_imported_as_it_is() -> None:
    code = (
        LOAD
        + "import torchvision, timm; ops = torch.ops.torchvision; print(hasattr(ops, 'nms'), hasattr(ops, 'qnms')); "
        "print(bool(own._declared) != torchvision.extension._has_ops())"
    )
    assert run_python(code).split() == ["True"] * 3


def test_schemas_are_left_alone_where_torchvision_brings_its_own(tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import torch\nlibrary = torch.library.Library('torchvision', 'DEF')\n"
        "library.define('nms(Tensor a) -> Tensor')\nlibrary.define('qnms(Tensor a) -> Tensor')\n"
        "torch.library.register_fake('torchvision::nms')(lambda a: a)\n"
    )
    assert run_python(LOAD + "print(own._declared, torch.ops.torchvision.nms.default._schema)", tmp_path) == (
        "[] torchvision::nms(Tensor a) -> Tensor"
    )


def test_only_what_torchvision_misses_is_declared(tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("from torchvision import first, shapes\n")
    (package / "first.py").write_text(
        "import torch\nif not hasattr(torch.ops.torchvision, 'qnms'):\n"
        "    torch.kept = torch.library.Library('torchvision', 'DEF')\n"
        "    torch.kept.define('qnms(Tensor a) -> Tensor')\n"
    )
    (package / "shapes.py").write_text(
        "import torch\ntorch.library.register_fake('torchvision::nms')(lambda dets, scores, iou_threshold: dets)\n"
    )
    found = "print(*(getattr(torch.ops.torchvision, name).default._schema for name in ('nms', 'qnms')), sep='; ')"
    assert run_python(LOAD + found, tmp_path).split("; ") == [
        "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "torchvision::qnms(Tensor a) -> Tensor",
    ]


def test_other_failures_of_torchvision_are_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('compiled with another CUDA')\n")
    monkeypatch.delitem(sys.modules, "torchvision")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="compiled with another CUDA"):
        import_torchvision()


def test_nothing_but_zoo_timm_imports_timm() -> None:
    for path in [*ROOT.glob("zoo/**/*.py"), *ROOT.glob("plugins/**/*.py")]:
        if "zoo_timm" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"timm", "torchvision"} & {name.partition(".")[0] for name in names}, path


# All of them


def test_the_conformance_models_are_of_twelve_families() -> None:
    names = [name.removeprefix("timm/") for name in CONFORMANCE]
    modules = {module for module in timm.list_modules() for name in timm.list_models(module=module) if name in names}
    assert len(CONFORMANCE) == len(modules) == 12
    assert set(names) <= set(catalogue.read_catalogue())


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_model_is_built_and_runs_on_the_meta_device() -> None:
    """In training with two rows, in eval with one; it can be copied and pickled. About twelve minutes of one core."""
    failures = {}
    for spec in zoo_timm.zoo_components():
        name = spec.name.removeprefix("timm/")
        try:
            model = on_meta(lambda name=name: make(name))
            with torch.no_grad():
                trained = model(torch.empty(2, 1, 187, device="meta"))
                answer = model.eval()(torch.empty(1, 1, 187, device="meta"))
            assert (trained.shape, answer.shape) == ((2, 5), (1, 5))
            pickle.loads(pickle.dumps(copy.deepcopy(model)))
        except Exception as error:
            failures[spec.name] = repr(error)
    assert not failures, "\n".join(f"{name}: {error}" for name, error in failures.items())
