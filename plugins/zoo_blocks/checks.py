"""What the blocks ask of their parameters, in one line each."""

from zoo import ModelError


def odd_kernel(block: str, kernel_size: int) -> int:
    """The kernel's size; raises ModelError for one that cannot be centred, since a block keeps its input's size."""
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ModelError(f"{block}'s kernel_size is an odd number from 1 up, not {kernel_size!r}: try 3")
    return kernel_size


def squeezed(block: str, channels: int, reduction: int) -> int:
    """channels / reduction, rounded down and at least 1; raises ModelError for a reduction below 1."""
    if reduction < 1:
        raise ModelError(f"{block}'s reduction is at least 1, not {reduction!r}: 1 keeps all channels")
    return max(1, channels // reduction)
