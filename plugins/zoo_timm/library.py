"""The import of timm: torchvision is made importable first, and warnings of both are hidden from the user."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from zoo_timm.torchvision_schemas import import_torchvision


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the warnings that timm and torchvision raise about their own code."""
    with warnings.catch_warnings():
        for package in ("timm", "torchvision"):
            warnings.filterwarnings("ignore", module=rf"{package}(\.|$)")
        yield


with quiet():
    import_torchvision()
    import timm
    from timm.data import IMAGENET_DEFAULT_MEAN as IMAGENET_MEAN
    from timm.data import IMAGENET_DEFAULT_STD as IMAGENET_STD
    from timm.models import PretrainedCfg, get_pretrained_cfg, load_state_dict

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "PretrainedCfg", "config_of", "load_state_dict", "quiet", "timm"]


def config_of(name: str, tag: str = "") -> PretrainedCfg:
    """Return timm's configuration of a model's weights and pictures, for a pretrained tag or for timm's default tag."""
    return get_pretrained_cfg(f"{name}.{tag}" if tag else name) or PretrainedCfg(architecture=name)
