"""The sources of pretrained weights: a local file, the cache, or the network."""

import contextlib
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, cast

import huggingface_hub
import torch

from zoo import ModelError
from zoo_timm.catalogue import Entry
from zoo_timm.library import PretrainedCfg, config_of, load_state_dict

PATIENCE = 5.0  # seconds to wait for an answer from the network; downloads themselves retry for almost a minute


def pretrained_arguments(entry: Entry, *, tag: str, weights: str, n_classes: int) -> dict[str, Any]:
    """Return the arguments with which `timm.create_model` loads weights: those in the file `weights`, or of the tag.

    An empty tag is timm's default. Raises ModelError if the tag or the file does not exist, or if the weights are not
    in the cache and there is no network.
    """
    config = config_of(entry.name, tag)
    if weights:
        overlay = _from_file(entry, config, Path(os.path.expanduser(weights)), n_classes)
    elif not config.has_weights:
        raise ModelError(f"timm has no pretrained weights for {entry.name}: leave pretrained out, or set weights=FILE")
    else:
        overlay = _from_cache(config)
        if not overlay and not _downloadable(config):
            raise ModelError(
                f"timm's weights {entry.name}.{config.tag} are not in the cache, and there is no network to download "
                "them: connect to a network, or use a local copy with --set weights=FILE"
            )
    return {"pretrained": True, "pretrained_cfg_overlay": overlay}


def checked_tag(entry: Entry, tag: str) -> str | None:
    """Return the tag for timm, None for timm's default. Raises ModelError for a tag that the model does not have."""
    if tag and tag not in entry.tags:
        known = ", ".join(entry.tags) or "none"
        raise ModelError(f"timm/{entry.name} has no pretrained tag {tag!r}. Available: {known}")
    return tag or None


def _from_file(entry: Entry, config: PretrainedCfg, path: Path, n_classes: int) -> dict[str, Any]:
    if not os.path.isfile(path):
        raise ModelError(f"timm/{entry.name}: the weights file {str(path)!r} does not exist")
    foreign = path.suffix == ".npz"  # JAX weights as published by the authors; the model itself reads them
    overlay = {"file": str(path), "custom_load": foreign}
    if not foreign and _classes_of(config, path) == n_classes:
        overlay["num_classes"] = n_classes  # otherwise timm drops a head without ImageNet's number of classes
    return overlay


def _classes_of(config: PretrainedCfg, path: Path) -> int | None:
    """Return the number of classes of the head in a checkpoint; None if there is no head."""
    with contextlib.suppress(Exception):  # timm reads the file again and reports what is wrong with it
        state = load_state_dict(str(path))
        head = config.classifier[0] if isinstance(config.classifier, tuple) else config.classifier
        return len(state[f"{head}.weight"])
    return None


def _from_cache(config: PretrainedCfg) -> dict[str, Any]:
    """Return the file of an earlier download, if there is one. This needs no network."""
    if not config.hf_hub_id:
        return {}
    repository, _, revision = config.hf_hub_id.partition("@")
    usual = ("model.safetensors", "pytorch_model.bin")
    for filename in (config.hf_hub_filename,) if config.hf_hub_filename else usual:
        found = huggingface_hub.try_to_load_from_cache(repository, filename, revision=revision or None)
        if isinstance(found, str):
            return {"file": found, "custom_load": config.custom_load}
    return {}


def _downloadable(config: PretrainedCfg) -> bool:
    if config.hf_hub_id:
        constants = huggingface_hub.constants
        return not constants.HF_HUB_OFFLINE and _reachable(constants.ENDPOINT)
    url = cast(str, config.url)
    return (Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name).exists() or _reachable(url)


def _reachable(url: str) -> bool:
    """Return whether a server answers, even with an error. Proxies are taken from the environment."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)  # it answers, with a certificate that Python does not trust
    except OSError:
        return False
    return True
