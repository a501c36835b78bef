"""Checks of the networks' parameters."""

from zoo.errors import ModelError

SMALLEST_KERNEL = 4  # its quarter is one sample


def check(name: str, **at_least_one: int) -> None:
    """Raise ModelError for a value below 1, or a kernel size below `SMALLEST_KERNEL`."""
    for parameter, value in at_least_one.items():
        if value < 1:
            raise ModelError(f"{name}: {parameter} must be at least 1, not {value!r}")
    if at_least_one["kernel_size"] < SMALLEST_KERNEL:
        raise ModelError(
            f"{name}: kernel_size must be at least {SMALLEST_KERNEL}, not {at_least_one['kernel_size']!r}: "
            "the smallest kernel is a quarter of it"
        )
