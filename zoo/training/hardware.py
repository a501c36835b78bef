"""The hardware of a run: device, threads and precision, and the environment that its results depend on."""

import os
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

from zoo.errors import UsageError
from zoo.surroundings.kept import Changes, kept
from zoo.surroundings.numerics import standard

EVALUATION_BATCH = 512  # recorded: a different size changes the bits of the result
# bf16 made convolutions of 64 channels and more 1.4 to 2 times faster on a CPU, and narrower ones no faster.
WIDE_CONVOLUTION = 64
# Environment variables that make the libraries of torch and NumPy choose other kernels, or share sums differently.
VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_DYNAMIC",
    "OMP_THREAD_LIMIT",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)


@dataclass(frozen=True)
class Hardware:
    """The hardware of a run. `bf16` applies to training, `channels_last` to the memory layout of images."""

    device: torch.device
    threads: int
    bf16: bool
    channels_last: bool

    @classmethod
    def choose(cls, device: str, threads: int, precision: str, model: nn.Module, *, recurrent: bool) -> "Hardware":
        """Choose the hardware for a model; `auto` and 0 select the choice that was fastest in measurements."""
        chosen = choose_device(device)
        images = any(isinstance(layer, nn.Conv2d) for layer in model.modules())
        bf16 = precision == "bf16" or (precision == "auto" and bf16_pays(chosen, model))
        return cls(chosen, threads or default_threads(recurrent), bf16, images)

    def environment(self) -> dict[str, str | int | bool | dict[str, str]]:
        """Return everything that can change the bits of a result, apart from the request."""
        return {
            "device": self.device.type,
            "device_name": device_name(self.device),
            "threads": self.threads,
            "bf16": self.bf16,
            "evaluation_batch": EVALUATION_BATCH,
            "channels_last": self.channels_last,
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "processor": processor(),
            "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
            "machine": platform.machine(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda or "",
            **{name: _version(name) for name in ("numpy", "scipy", "scikit-learn", "imbalanced-learn")},
        }


def choose_device(name: str) -> torch.device:
    """Return the device with this name; `auto` is CUDA, then MPS, then the CPU."""
    available: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there()))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"hardware.device must be auto, cpu, cuda, cuda:N or mps, not {name!r}") from None
    if device.type not in available or not available[device.type]():
        raise UsageError(f"device {name!r} is not available here")
    return device


def default_threads(recurrent: bool) -> int:
    """Return 1 for recurrent networks, whose small matrices gain nothing from more, else the number of usable cores."""
    return 1 if recurrent else available_cores()


def check_threads(threads: int) -> None:
    """Raise UsageError for more threads than this machine has cores; a process cannot start thousands of them."""
    if threads > (cores := os.cpu_count() or 1):
        raise UsageError(f"hardware.threads must be at most {cores}, the cores of this machine, not {threads}")


def available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def bf16_pays(device: torch.device, model: nn.Module) -> bool:
    """Return whether the hardware has native bf16 and the model has convolutions wide enough to gain from it."""
    native: dict[str, Callable[[], bool]] = {
        "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
        "cpu": lambda: bool(torch.cpu._is_avx512_bf16_supported()),
    }
    wide = any(
        isinstance(layer, nn.Conv1d | nn.Conv2d) and layer.in_channels >= WIDE_CONVOLUTION for layer in model.modules()
    )
    return wide and device.type in native and native[device.type]()


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


@cache
def _version(distribution: str) -> str:
    return version(distribution)  # a search of all installed files, which takes milliseconds


@cache
def processor() -> str:
    """Return the model of the CPU: libraries choose kernels by it, not only by its instruction set."""
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor()


@contextmanager
def computing_on(hardware: Hardware, changes: Changes | None = None) -> Iterator[None]:
    """Set the number of threads, the standard settings of torch and, on CUDA, determinism without TF32.

    At the end, restore the previous settings, and the global state that the code within changed: see `kept`.
    """
    flags = {"enabled": True, "benchmark": False, "deterministic": True, "allow_tf32": False}
    with standard(), torch.backends.cudnn.flags(**flags) if hardware.device.type == "cuda" else nullcontext():
        before = torch.get_num_threads()
        torch.set_num_threads(hardware.threads)
        try:
            with kept(changes):
                yield
        finally:
            torch.set_num_threads(before)
