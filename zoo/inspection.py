"""Looks into a built network: its layers with the shapes that pass through them."""

from typing import Any

import torch
from torch import Tensor, nn

from zoo.networks import count_parameters


def layer_table(module: nn.Module, *, n_channels: int, n_times: int) -> list[dict[str, Any]]:
    """One row for each layer without layers inside, in the order they are used; the module is on the meta device.

    `output` is the shape for one row, without the batch.
    """
    rows: list[dict[str, Any]] = []
    leaves = [(name, layer) for name, layer in module.named_modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(_recorder(rows, name)) for name, layer in leaves]
    try:
        with torch.no_grad():
            module.eval()(torch.empty(1, n_channels, n_times, device="meta"))
    finally:
        for hook in hooks:
            hook.remove()
    return rows


def _recorder(rows: list[dict[str, Any]], name: str) -> Any:
    def record(layer: nn.Module, inputs: Any, output: Any) -> None:
        tensor = output[0] if isinstance(output, tuple) else output
        shape = " x ".join(str(size) for size in tensor.shape[1:]) if isinstance(tensor, Tensor) else ""
        rows.append(
            {"name": name, "kind": type(layer).__name__, "output": shape, "parameters": count_parameters(layer)}
        )

    return record
