"""The cost of a model: latency and peak memory."""

import contextlib
import resource
import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch import nn

LATENCY_CALLS = 30  # their median varies by a few percent only


def latency_ms(module: nn.Module, *, n_channels: int, n_times: int, device: torch.device) -> float:
    """Return the median time to classify one row, in milliseconds, after a warm-up."""
    row = torch.zeros(1, n_channels, n_times, device=device)
    module.eval()
    times = []
    with torch.inference_mode():
        for _ in range(LATENCY_CALLS + 5):
            started = time.perf_counter()
            module(row).cpu()
            times.append(time.perf_counter() - started)
    return 1000 * median(times[5:])


class PeakMemory:
    """The peak memory of this process, or of its CUDA device, since `start`, in MiB."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def start(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        elif sys.platform == "linux":
            with contextlib.suppress(OSError):  # if this is not allowed, the peak is that of the whole process
                Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark

    def mib(self) -> float:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        if sys.platform == "linux":
            status = Path("/proc/self/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) / 2**10
        scale = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
