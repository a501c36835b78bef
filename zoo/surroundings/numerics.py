"""The parts of the global state of NumPy and torch, and the values of torch's settings that every run computes with."""

import contextlib
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from zoo.surroundings.parts import Setting, unshown

PRECISIONS = (("generic", "all"), ("mkldnn", "matmul"), ("mkldnn", "conv"), ("mkldnn", "rnn"), ("cuda", "matmul"))
HIGHEST = ("highest", *("ieee" for _ in PRECISIONS))
_guards: list[Any] = []  # torch returns to the earlier inference mode when such an object is deleted


@contextlib.contextmanager
def standard() -> Iterator[None]:
    """Set torch to its standard settings, whatever the process has set, and restore them at the end.

    Results would otherwise depend on settings that no key and no fingerprint contains.
    """
    before = []
    try:
        for setting in torch_settings():
            if setting.standard is not None and (value := setting.read()) != setting.standard:
                before.append((setting, value))
                setting.restore(setting.standard)
        yield
    finally:
        for setting, value in reversed(before):
            setting.restore(value)


@cache
def torch_settings() -> tuple[Setting, ...]:
    """Return the settings of torch that can change results or later code."""
    import torch
    from torch.backends import cuda, mha

    bindings: Any = torch._C

    def kernel(name: str, short: str, *, standard: bool | None = True) -> Setting:
        read, write = (getattr(bindings, f"_{word}_{short}") for word in ("get", "set"))
        return Setting(name, read, write, standard)

    return (
        Setting("torch's default device", _modes, _set_modes, ((), (), None, None), shown=unshown),
        Setting("torch's inference mode", torch.is_inference_mode_enabled, _set_inference_mode, False),
        Setting("torch's gradient mode", torch.is_grad_enabled, bindings._set_grad_enabled, True),
        Setting("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype, torch.float32),
        *(_autocast(kind) for kind in ("cpu", "cuda")),
        Setting("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
        Setting("torch's number of interop threads", torch.get_num_interop_threads, torch.set_num_interop_threads),
        Setting(
            "torch's deterministic algorithms",
            lambda: (
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
            ),
            lambda value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
            (False, False),
            shown=unshown,
        ),
        kernel("torch's filling of empty memory", "deterministic_fill_uninitialized_memory"),
        Setting("torch's precision of matrix products", _precision, _set_precision, HIGHEST, shown=unshown),
        kernel("torch's use of oneDNN", "mkldnn_enabled"),
        kernel("torch's deterministic mode of oneDNN", "mkldnn_deterministic", standard=False),
        kernel("torch's use of NNPACK", "nnpack_enabled"),
        Setting("torch's flash attention", cuda.flash_sdp_enabled, cuda.enable_flash_sdp, True),
        Setting("torch's efficient attention", cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp, True),
        Setting("torch's plain attention", cuda.math_sdp_enabled, cuda.enable_math_sdp, True),
        Setting("torch's attention of cuDNN", cuda.cudnn_sdp_enabled, cuda.enable_cudnn_sdp, True),
        Setting("torch's fast path of transformers", mha.get_fastpath_enabled, mha.set_fastpath_enabled, True),
        Setting("torch's flushing of denormal numbers", _flushes, torch.set_flush_denormal, False),
        kernel("cuDNN's benchmark mode", "cudnn_benchmark", standard=None),  # a run on CUDA sets its own modes
        kernel("cuDNN's deterministic mode", "cudnn_deterministic", standard=None),
        kernel("cuDNN's TF32 mode", "cudnn_allow_tf32", standard=None),
        kernel("torch's use of cuDNN", "cudnn_enabled", standard=None),
    )


def numpy_settings() -> tuple[Setting, ...]:
    import numpy as np

    return (Setting("NumPy's error handling", np.geterr, lambda value: np.seterr(**value), shown=unshown),)


def random_states() -> tuple[Setting, ...]:
    """Return the random states of the libraries that are imported."""
    found = []
    if (numpy := sys.modules.get("numpy")) and "numpy.random" in sys.modules:
        found.append(Setting("NumPy's random state", numpy.random.get_state, numpy.random.set_state, shown=unshown))
    if torch := sys.modules.get("torch"):
        found.append(Setting("torch's random state", torch.get_rng_state, torch.set_rng_state, shown=unshown))
    return tuple(found)


def _autocast(kind: str) -> Setting:
    import torch

    def read() -> tuple[bool, torch.dtype]:
        return torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)

    def write(value: tuple[bool, torch.dtype]) -> None:
        torch.set_autocast_enabled(kind, value[0])
        torch.set_autocast_dtype(kind, value[1])
        torch.clear_autocast_cache()

    usual = torch.bfloat16 if kind == "cpu" else torch.float16
    return Setting(f"torch's autocast of {kind}", read, write, (False, usual), shown=unshown)


def _modes() -> tuple[Any, ...]:
    """Return the active modes of torch, which change every call to it; the default device is one of them."""
    import torch
    from torch.overrides import _get_current_function_mode_stack
    from torch.utils import _device, _python_dispatch

    functions = tuple(_get_current_function_mode_stack())
    dispatches = tuple(_python_dispatch._get_current_dispatch_mode_stack())
    default = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return functions, dispatches, default, _device.CURRENT_DEVICE


def _set_modes(modes: tuple[Any, ...]) -> None:
    import torch
    from torch.overrides import _get_current_function_mode_stack, _pop_mode, _push_mode
    from torch.utils import _device, _python_dispatch

    functions, dispatches, torch._GLOBAL_DEVICE_CONTEXT.device_context, _device.CURRENT_DEVICE = modes
    for _ in _get_current_function_mode_stack():
        _pop_mode()
    for mode in functions:
        _push_mode(mode)
    for _ in _python_dispatch._get_current_dispatch_mode_stack():
        _python_dispatch._pop_mode()
    for mode in dispatches:
        _python_dispatch._push_mode(mode)


def _set_inference_mode(enabled: bool) -> None:
    import torch

    guard = torch.inference_mode(enabled)
    guard.__enter__()
    _guards.append(guard)


def _precision() -> tuple[str | None, ...]:
    """Return the precision of products as set for all of torch, then as set for each kind of operation."""
    import torch

    bindings: Any = torch._C
    found = (bindings._get_fp32_precision_getter(*place) for place in PRECISIONS)
    each = tuple("ieee" if value == "none" else value for value in found)
    try:
        return torch.get_float32_matmul_precision(), *each
    except RuntimeError:  # it was set for kinds of operations
        return None, *each


def _set_precision(precision: tuple[str | None, ...]) -> None:
    import torch

    bindings: Any = torch._C
    torch.set_float32_matmul_precision(precision[0] or "highest")
    for place, now, value in zip(PRECISIONS, _precision()[1:], precision[1:], strict=True):
        if now != value:
            bindings._set_fp32_precision_setter(*place, value)


def _flushes() -> bool:
    import torch

    return not bool(torch.tensor(1e-38, dtype=torch.float32, device="cpu") * 0.01)
