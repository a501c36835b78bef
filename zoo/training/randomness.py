"""The random states of a run: those of torch, NumPy and Python, which networks, losses and resamplers may all use."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def own_random(device: torch.device) -> Iterator[None]:
    """Restore the random states of torch, here and on the device, of NumPy and of Python at the end."""
    devices = [device] if device.type == "cuda" else []
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def seed_all(seed: int) -> None:
    """Seed torch, NumPy and Python with a number below 2^32."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed takes a hundred times as long without a GPU
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def random_states(device: torch.device) -> dict[str, Any]:
    """Return all random states as tensors and plain values."""
    kind, keys, *numpy = np.random.get_state()
    version, numbers, following = random.getstate()
    return {
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "random_numpy": [kind, np.asarray(keys).tolist(), *numpy],
        "random_python": [version, list(numbers), following],
    }


def set_random_states(states: dict[str, Any], device: torch.device) -> None:
    """Set what `random_states` returned. Raises LookupError, TypeError or ValueError for anything else."""
    kind, keys, *numpy = states["random_numpy"]
    version, numbers, following = states["random_python"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *numpy))
    random.setstate((version, tuple(numbers), following))
    torch.set_rng_state(states["random"].cpu())
    if states["random_cuda"] is not None:
        torch.cuda.set_rng_state(states["random_cuda"].cpu(), device)
