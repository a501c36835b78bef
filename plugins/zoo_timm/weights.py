"""Where pretrained weights come from: a local file, the cache, or the network if there is one."""

import contextlib
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

PATIENCE = 5.0  # seconds to wait for a sign of the network; downloads themselves retry for most of a minute


def pretrained_arguments(entry: Entry, *, tag: str, weights: str, n_classes: int) -> dict[str, Any]:
    """What `timm.create_model` needs to load weights: those in the file `weights`, or those of the tag.

    An empty tag is timm's default. Raises ModelError where there is no such tag, no file, or neither a copy in the
    cache nor a network to download one.
    """
    config = config_of(entry.name, tag)
    if weights:
        overlay = _from_file(entry, config, Path(weights).expanduser(), n_classes)
    elif not config.has_weights:
        raise ModelError(f"timm has no pretrained weights for {entry.name}: leave pretrained out, or set weights=FILE")
    else:
        overlay = _from_cache(config)
        if not overlay and not _downloadable(config):
            raise ModelError(
                f"timm's weights {entry.name}.{config.tag} are not in the cache, and there is no network to download "
                "them: connect to one, or give a local copy with --set weights=FILE"
            )
    return {"pretrained": True, "pretrained_cfg_overlay": overlay}


def checked_tag(entry: Entry, tag: str) -> str | None:
    """The tag as timm takes it, None for timm's default. Raises ModelError for one that the model does not have."""
    if tag and tag not in entry.tags:
        known = ", ".join(entry.tags) or "none"
        raise ModelError(f"timm/{entry.name} has no pretrained tag {tag!r}. There is {known}.")
    return tag or None


def _from_file(entry: Entry, config: PretrainedCfg, path: Path, n_classes: int) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"timm/{entry.name}: there is no file {str(path)!r} to load weights from")
    foreign = path.suffix == ".npz"  # as their authors published them in JAX, read by the model itself
    overlay = {"file": str(path), "custom_load": foreign}
    if not foreign and _classes_of(config, path) == n_classes:
        overlay["num_classes"] = n_classes  # or timm would throw the head away, as it is not of ImageNet's size
    return overlay


def _classes_of(config: PretrainedCfg, path: Path) -> int | None:
    """How many classes the head in a checkpoint has; None where none is found."""
    with contextlib.suppress(Exception):  # timm reads the file again, and says what is wrong with it
        state = load_state_dict(str(path))
        head = config.classifier[0] if isinstance(config.classifier, tuple) else config.classifier
        return len(state[f"{head}.weight"])
    return None


def _from_cache(config: PretrainedCfg) -> dict[str, Any]:
    """The file that an earlier download left, if there is one; looking for it takes no network."""
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
    """Whether anything answers there, even with a refusal; proxies are used as the environment names them."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)  # it answers, with a certificate that this Python does not know
    except OSError:
        return False
    return True
