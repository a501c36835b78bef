"""What parameters of the networks have to be."""

from zoo.errors import ModelError

SMALLEST_KERNEL = 4  # its quarter is one sample


def check(name: str, **at_least_one: int) -> None:
    """Raise ModelError where a count is below one, or the largest kernel has no quarter."""
    for parameter, value in at_least_one.items():
        if value < 1:
            raise ModelError(f"{name}: {parameter} is at least 1, not {value!r}")
    if at_least_one["kernel_size"] < SMALLEST_KERNEL:
        raise ModelError(
            f"{name}: kernel_size is at least {SMALLEST_KERNEL}, as the smallest kernel is its quarter, "
            f"not {at_least_one['kernel_size']!r}"
        )
