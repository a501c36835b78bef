"""Makes torchvision importable if its compiled operators do not match the installed torch.

With a CPU build of torch, PyPI's torchvision wheel cannot load its `_C` library. The import of torchvision then fails
with `operator torchvision::nms does not exist`, because it registers shapes for two operators that are not declared.
Classifiers do not use these operators, so a declaration without an implementation is enough.
"""

import importlib
import sys

import torch

# The operators for which torchvision registers shapes even without its library (torchvision/_meta_registrations).
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared: list[torch.library.Library] = []  # a declaration is lost when its library is garbage-collected


def import_torchvision() -> None:
    """Import torchvision. If operators are missing, declare their schemas and import it again.

    The import is tried first, because torchvision loads its library only then. Schemas that are declared earlier would
    clash with the operators of a library that does load.
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
    """Remove the submodules that a failed import leaves behind, so that the next import runs them again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
