"""A convolution that keeps the number of samples for any kernel size, odd or even."""

from torch import Tensor, nn
from torch.nn import functional


class SameConv1d(nn.Conv1d):
    """A convolution of `(batch, n_in, times)` without bias, zero-padded to keep the number of times.

    An even kernel needs one more zero on one side. It goes to the end, as in Keras; both networks of this package were
    published in Keras.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int) -> None:
        super().__init__(n_in, n_out, kernel_size, bias=False)
        self.zeros = same_padding(kernel_size)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(functional.pad(input, self.zeros))


def same_padding(kernel_size: int, dilation: int = 1) -> tuple[int, int]:
    """Return the number of zeros before and after a series."""
    total = dilation * (kernel_size - 1)
    return total // 2, total - total // 2
