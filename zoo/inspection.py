"""Inspection of a built network: its layers, their output shapes, its parameters and multiply-accumulates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Layer:
    """A layer that contains no other layer; `output` is its output shape for one row, without the batch: `32 x 187`."""

    name: str
    kind: str
    output: str
    parameters: int


def layers_of(module: nn.Module, *, n_channels: int, n_times: int) -> list[Layer]:
    """Return the layers in the order of their use; the module is on the meta device."""
    rows: list[Layer] = []
    leaves = [(name, layer) for name, layer in module.named_modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(_recorder(rows, name)) for name, layer in leaves]
    try:
        with torch.no_grad():
            module.eval()(torch.empty(1, n_channels, n_times, device="meta"))
    finally:
        for hook in hooks:
            hook.remove()
    return rows


def _recorder(rows: list[Layer], name: str) -> Callable[[nn.Module, Any, Any], None]:
    def record(layer: nn.Module, inputs: Any, output: Any) -> None:
        tensor = output[0] if isinstance(output, tuple) else output
        shape = " x ".join(str(size) for size in tensor.shape[1:]) if isinstance(tensor, Tensor) else ""
        rows.append(Layer(name, type(layer).__name__, shape, count_parameters(layer)))

    return record


def count_parameters(module: nn.Module) -> int:
    """Return the number of parameters of a module, each counted once."""
    return sum(parameter.numel() for parameter in module.parameters())


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a module on the meta device, which has shapes but needs no memory or computation."""
    with torch.device("meta"):
        return build()


def count_macs(module: nn.Module, *, n_channels: int, n_times: int) -> int:
    """Return the multiply-accumulates of a forward pass of one row, counted by torch; the module is on the meta device.

    Matrix products and convolutions count, recurrent ones included; additions and activations do not.
    """
    row = torch.empty(1, n_channels, n_times, device="meta")
    was_training = module.training
    module.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(row)
    module.train(was_training)
    return int(counter.get_total_flops()) // 2
