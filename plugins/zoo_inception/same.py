"""A convolution that keeps the number of samples for any kernel, odd or even."""

from torch import Tensor, nn
from torch.nn import functional


class SameConv1d(nn.Conv1d):
    """A convolution without bias of `(batch, n_in, times)`, zero-padded so that times stay.

    An even kernel leaves an odd number of zeros to place: the one too many goes to the end, as in Keras,
    in which both networks of this package were published.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int) -> None:
        super().__init__(n_in, n_out, kernel_size, bias=False)
        self.zeros = same_padding(kernel_size)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(functional.pad(input, self.zeros))


def same_padding(kernel_size: int, dilation: int = 1) -> tuple[int, int]:
    """How many zeros come before and after a series."""
    total = dilation * (kernel_size - 1)
    return total // 2, total - total // 2
