"""A front end that turns the signal into a picture, then a backbone of timm.

The module has a factory for each of timm's models, under the model's name: `zoo_timm.network.resnet18`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from zoo import ModelError
from zoo_timm.catalogue import Entry, read_catalogue
from zoo_timm.frontends import front_end as make_front_end
from zoo_timm.library import config_of, quiet, timm
from zoo_timm.scaling import PretrainedScaling
from zoo_timm.weights import checked_tag, pretrained_arguments


def __getattr__(name: str) -> Callable[..., "SignalPicture"]:
    if name in read_catalogue():
        return partial(build, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def build(
    name: str,
    /,
    *,
    n_channels: int,
    n_times: int,
    n_classes: int,
    front_end: str = "fold",
    size: int = 0,
    width: int = 12,
    window: int = 32,
    drop_rate: float = 0.0,
    pretrained: bool = False,
    tag: str = "",
    weights: str | None = "",
) -> "SignalPicture":
    """Build timm's model `name` for pictures of a signal.

    front_end   makes the picture: `fold`, `spectrogram` or `gasf`
    size        height and width of the picture; the output of the front end is resized to it. 0 uses 64, or the
                smallest larger size that the model accepts
    width       samples in a row of the fold; 12 as in `cnn2d`, 0 for a nearly square picture
    window      samples in a window of the spectrogram; shorter series have shorter windows
    drop_rate   dropout before the classifier
    pretrained  start from timm's pretrained weights: those of `tag`, or timm's default
    weights     start from the weights in this file instead; `tag` names the pretraining that the file is a copy of.
                None loads no weights at all, for a trained network whose stored state follows

    Pretrained first convolutions are adapted to the number of channels, and pictures are scaled to the mean and the
    standard deviation that the weights were trained with. A head for a different number of classes is initialised anew.
    On the meta device nothing is loaded. Raises ModelError for weights that are not available and for a size that the
    model does not accept.
    """
    entry = read_catalogue()[name]
    if not 0 <= drop_rate < 1:
        raise ModelError(f"drop_rate must be at least 0 and below 1, not {drop_rate!r}")
    if size < 0:
        raise ModelError(f"size must be a number of pixels, or 0 for the default, not {size!r}")
    if size not in (0, entry.size):
        _check_size(entry, size)
    pixels = size or entry.size
    view = make_front_end(front_end, n_times=n_times, size=pixels, width=width, window=window)
    arguments: dict[str, Any] = {"pretrained_cfg": checked_tag(entry, tag)}
    if (pretrained or weights) and weights is not None and not _on_meta():
        arguments |= pretrained_arguments(entry, tag=tag, weights=weights, n_classes=n_classes)
    backbone = _create(entry, pixels, n_channels, n_classes, drop_rate, arguments)
    config = config_of(entry.name, tag) if pretrained or weights else None
    return SignalPicture(
        view,
        backbone,
        scaling=PretrainedScaling(config, 3 if entry.needs == "rgb" else n_channels),
        colours=nn.Conv2d(n_channels, 3, 1) if entry.needs == "rgb" and n_channels != 3 else nn.Identity(),
        head=FeatureHead(backbone, n_classes, drop_rate) if entry.needs == "head" else nn.Identity(),
    )


class SignalPicture(nn.Module):
    """Maps float `(batch, n_channels, n_times)` to logits `(batch, n_classes)`: front end, then backbone.

    colours  from the channels of the signal to the three channels that some backbones require
    scaling  of the picture, for pretrained weights
    head     from features to logits, for backbones that return features
    """

    def __init__(
        self, front_end: nn.Module, backbone: nn.Module, *, colours: nn.Module, scaling: nn.Module, head: nn.Module
    ) -> None:
        super().__init__()
        self.front_end = front_end
        self.colours = colours
        self.scaling = scaling
        self.backbone = backbone
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        output = self.backbone(self.scaling(self.colours(self.front_end(x))))
        if isinstance(output, tuple):  # a distilled model has two heads in training, and returns their mean in eval
            output = torch.stack(output).mean(0)
        return cast(Tensor, self.head(output))


class FeatureHead(nn.Module):
    """Logits from features `(batch, tokens, features)` or `(batch, features, height, width)`: mean, dropout, linear."""

    def __init__(self, backbone: nn.Module, n_classes: int, drop_rate: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(drop_rate)
        self.linear = nn.Linear(cast(int, backbone.head_hidden_size), n_classes)

    def forward(self, features: Tensor) -> Tensor:
        pooled = features.mean(1) if features.ndim == 3 else features.mean((2, 3))
        return cast(Tensor, self.linear(self.drop(pooled)))


def _create(
    entry: Entry, size: int, n_channels: int, n_classes: int, drop_rate: float, arguments: Mapping[str, Any]
) -> nn.Module:
    """Return timm's module. Raises ModelError if the installed timm does not have it or cannot load the weights."""
    arguments = {"in_chans": 3 if entry.needs == "rgb" else n_channels, **arguments}
    if entry.needs != "head":
        arguments |= {"num_classes": n_classes, "drop_rate": drop_rate}
    if not timm.is_model(entry.name):
        raise ModelError(f"timm {timm.__version__} has no model {entry.name}: pip install -U timm")
    if config_of(entry.name).fixed_input_size:
        arguments["img_size"] = size
    with quiet():
        try:
            return timm.create_model(entry.name, **arguments)
        except Exception as error:
            if not arguments.get("pretrained"):
                raise
            text = " ".join(str(error).split()) or type(error).__name__
            if isinstance(error, AttributeError) and "load_pretrained" in text:  # timm's error for such a model
                text = "this model cannot read .npz: use a .safetensors or .pth file"
            raise ModelError(f"timm/{entry.name}: its weights could not be loaded: {text}") from error


def _check_size(entry: Entry, size: int) -> None:
    """Raise ModelError if the model does not accept pictures of that size; it is run on the meta device."""
    channels = 3
    try:
        with torch.device("meta"):
            model = _create(entry, size, channels, 2, 0.0, {})
        with torch.no_grad():
            model.eval()(torch.empty(1, channels, size, size, device="meta"))
    except ModelError:
        raise
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(
            f"timm/{entry.name} does not accept pictures of {size} x {size} ({text}): use size=0, which is {entry.size}"
        ) from error


def _on_meta() -> bool:
    return torch.empty(0).device.type == "meta"
