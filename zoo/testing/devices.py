"""Detect tensors on different devices, on a machine with only one device."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MIXING = (torch.ops.aten.copy_.default, torch.ops.aten.index.Tensor, torch.ops.aten.index_put_.default)


class OneDevice(TorchDispatchMode):
    """Raises RuntimeError if an operation gets tensors on two devices, as on a machine with a GPU.

    A tensor on the meta device represents a tensor on a GPU. Scalars, indices and sources of copies may be on the CPU,
    as with a real GPU.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        devices = {each.device.type for each in tensors if each.ndim}
        if len(devices) > 1 and func not in MIXING:
            stayed = next(each for each in tensors if each.ndim and each.device.type == "cpu")
            raise RuntimeError(
                f"a tensor {tuple(stayed.shape)} stays on the CPU: make it a parameter or a buffer, or create it on "
                "the device of the input"
            )
        return func(*args, **(kwargs or {}))
