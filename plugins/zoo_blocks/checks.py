"""Checks of the blocks' parameters."""

from zoo import ModelError


def odd_kernel(block: str, kernel_size: int) -> int:
    """Return `kernel_size`. Raises ModelError unless it is odd: a block keeps the size of its input."""
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ModelError(f"{block}'s kernel_size must be odd and at least 1, not {kernel_size!r}: try 3")
    return kernel_size


def squeezed(block: str, channels: int, reduction: int) -> int:
    """Return channels / reduction, rounded down and at least 1. Raises ModelError for a reduction below 1."""
    if reduction < 1:
        raise ModelError(f"{block}'s reduction must be at least 1, not {reduction!r}: 1 keeps all channels")
    return max(1, channels // reduction)
