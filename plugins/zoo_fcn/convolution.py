"""The convolutions of both networks of Wang, Yan and Oates 2017."""

from torch import Tensor, nn
from torch.nn import functional

from zoo.layers import MaskedBatchNorm1d

KERNEL_SIZES = (8, 5, 3)  # of the three convolutions of a stage, in both networks


class SameConv1d(nn.Conv1d):
    """A convolution that keeps the number of times, also with an even kernel.

    An even kernel needs one more zero on one side: here on the right, as in Keras. torch's own `padding="same"` does
    the same, but warns about it.
    """

    def forward(self, input: Tensor) -> Tensor:
        around = self.kernel_size[0] - 1
        return super().forward(functional.pad(input, (around // 2, around - around // 2)))


def normalised(n_in: int, n_out: int, kernel_size: int) -> list[nn.Module]:
    """Return a convolution and its batch normalisation."""
    return [SameConv1d(n_in, n_out, kernel_size), MaskedBatchNorm1d(n_out)]
