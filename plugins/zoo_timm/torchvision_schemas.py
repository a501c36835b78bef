"""Lets timm import torchvision where torchvision's compiled operators do not fit the installed torch.

PyPI's torchvision wheel beside a CPU build of torch cannot load its `_C` library and then fails at import with
`operator torchvision::nms does not exist`: it registers shapes for two operators that nothing has declared.
Classifiers use neither, so a declaration without an implementation is all it takes.
"""

import importlib
import sys

import torch

# The two that torchvision registers shapes for whether or not its library was loaded (torchvision/_meta_registrations).
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared: list[torch.library.Library] = []  # a declaration goes when its library is collected


def import_torchvision() -> None:
    """Import torchvision, declaring the schemas of the operators it misses, if it misses any.

    The import is tried first: it is torchvision's own attempt to load its library that says whether the operators are
    there. Declared before that attempt, they would clash with those of a library that does load.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        _forget_partial_import()
        _declare_missing()
        importlib.import_module("torchvision")


def _declare_missing() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)
    _declared.append(library)


def _forget_partial_import() -> None:
    """Take out the submodules that a failed import leaves behind, so that the next one runs them again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
