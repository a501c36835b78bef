"""Writes the index of timm's models from the installed timm: `python -m zoo_timm.index`.

Names and pretrained tags are timm's. Papers come from the docstrings of its model modules (`papers`). Sizes are tried:
each model is built on the meta device for a picture of 64 x 64, and run. If it does not accept this size, or would cut
off a part of the picture, larger sizes are tried. This takes about ten minutes on one core, so sizes that are already
in the index are kept. `python -m zoo_timm.index --measure` tries all of them again.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from zoo_timm.catalogue import INDEX, read_catalogue
from zoo_timm.library import config_of, quiet, timm
from zoo_timm.papers import citations, paper_of

# Tried in this order. Above 64: the multiples of patches of 12 and 14, and the usual sizes of image models.
SIZES = (64, 70, 84, 96, 112, 120, 126, 128, 160, 168, 192, 224, 240, 256, 288, 320, 336, 384, 448, 512)


def main() -> None:
    modules = {name: module for module in timm.list_modules() for name in timm.list_models(module=module)}
    papers: dict[str, str] = {}
    lines = []
    names, tags = timm.list_models(), pretrained_tags()
    known = {} if "--measure" in sys.argv[1:] or not INDEX.exists() else read_catalogue()
    for count, name in enumerate(names, 1):
        papers |= citations(modules[name])
        size, needs = known[name][2:4] if name in known else measured(name)
        lines.append("\t".join((name, paper_of(name, modules[name]), str(size), needs, " ".join(tags.get(name, ())))))
        sys.stderr.write(f"\r{count} of {len(names)}")
    used = sorted({line.split("\t")[1] for line in lines} - {""})
    cited = "\n".join(f"{number}\t{papers[number]}" for number in used)
    INDEX.write_text(f"timm {timm.__version__}\n\n{cited}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    sys.stderr.write(f"\r{INDEX}: {len(names)} models, {len(used)} papers\n")


def pretrained_tags() -> dict[str, list[str]]:
    """Return the pretrained tags of each model that has any, in timm's order."""
    tags: dict[str, list[str]] = defaultdict(list)
    for found in timm.list_models(pretrained=True):
        name, _, tag = found.partition(".")
        tags[name].append(tag)
    return tags


def measured(name: str) -> tuple[int, str]:
    """Return the smallest size of picture that the model accepts, and its `needs`: "", "rgb" or "head"."""
    for size in (*SIZES, config_of(name).input_size[1]):
        for needs, channels in (("", 1), ("rgb", 3)):
            found = _outcome(name, size, channels)
            if found is not None:
                return size, "head" if found == "features" else needs
    raise LookupError(f"timm's {name} runs at none of the sizes that were tried: {SIZES}")


def _outcome(name: str, size: int, channels: int) -> str | None:
    """Return `logits` or `features` if the model runs and uses the whole picture, otherwise None."""
    arguments: dict[str, Any] = {"in_chans": channels, "num_classes": 2}
    if config_of(name).fixed_input_size:
        arguments["img_size"] = size
    try:
        with quiet(), torch.device("meta"):
            model = timm.create_model(name, **arguments).eval()
        cut: list[bool] = []
        for layer in _patch_layers(model):
            layer.register_forward_hook(lambda layer, inputs, _: cut.append(_cuts(layer, inputs[0])))
        with torch.no_grad():
            output = model(torch.empty(1, channels, size, size, device="meta"))
    except Exception:
        return None
    if any(cut):
        return None
    return "logits" if output.shape == (1, 2) else "features"


def _patch_layers(model: nn.Module) -> Iterator[nn.Conv2d]:
    """Yield the convolutions that cut a picture into adjacent patches. They ignore pixels that do not fill a patch."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == layer.stride and layer.padding in (0, (0, 0)):
            yield layer


def _cuts(layer: nn.Conv2d, picture: Tensor) -> bool:
    return any(length % step for length, step in zip(picture.shape[2:], layer.stride, strict=True))


if __name__ == "__main__":
    main()
