"""The convolutions of MiniRocket (Dempster, Schmidt and Webb 2021, KDD, arXiv:2012.08791, section 3.1)."""

import math
from collections.abc import Iterator
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

LENGTH = 9
N_KERNELS = 84  # the ways to choose three of nine weights: these are 2, the other six are -1
GOLDEN_RATIO = (1 + math.sqrt(5)) / 2
MOST_CHANNELS = 9  # the most channels that one kernel sums, as in the authors' multivariate code


class MiniRocketKernels(nn.Module):
    """84 fixed kernels of length nine at several dilations; each kernel has `per_kernel` biases in total.

    Each pair of kernel and dilation reads one random combination of channels, drawn from the global random state. `fit`
    computes its biases from training rows. Every second kernel reads the series padded with zeros. The others are
    applied without padding. The two halves swap from dilation to dilation.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, *, n_channels: int, n_times: int, per_kernel: int, max_dilations: int) -> None:
        super().__init__()
        self.dilations = dilations(n_times, per_kernel, max_dilations)
        combination = channel_combinations(len(self.dilations), n_channels)
        self.register_buffer("weight", combination[..., None] * kernels()[:, None])
        self.register_buffer("bias", torch.zeros(N_KERNELS, per_kernel))

    def forward(self, x: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield outputs `(batch, 42, times)` and biases `(42, biases)`: for each dilation, first those with padding."""
        for number, (dilation, columns) in enumerate(self._columns()):
            for padding, first in ((padding_of(dilation), number % 2), (0, 1 - number % 2)):
                weight = self.weight[number, first::2]
                yield (
                    functional.conv1d(x, weight, padding=padding, dilation=dilation),
                    self.bias[first::2, columns],
                )

    def fit(self, rows: Tensor, generator: torch.Generator) -> None:
        """Set the biases: quantiles of the padded output of each kernel and dilation for one random row of `rows`."""
        values = quantiles(self.bias.numel()).to(rows.device)
        for number, (dilation, columns) in enumerate(self._columns()):
            drawn = torch.randint(len(rows), (N_KERNELS,), generator=generator).to(rows.device)
            outputs = functional.conv1d(
                rows[drawn], self.weight[number], padding=padding_of(dilation), dilation=dilation
            )
            own = outputs.diagonal(dim1=0, dim2=1).T  # of kernel i for row i: (84, times)
            wanted = values[N_KERNELS * columns.start : N_KERNELS * columns.stop].view(N_KERNELS, -1)
            self.bias[:, columns] = row_quantiles(own, wanted)

    def _columns(self) -> Iterator[tuple[int, slice]]:
        """Yield each dilation with its columns of the biases."""
        start = 0
        for dilation, count in self.dilations.items():
            yield dilation, slice(start, start + count)
            start += count


def kernels() -> Tensor:
    """Return the 84 kernels, `(84, 9)`, in the order of `itertools.combinations`."""
    chosen = torch.tensor(list(combinations(range(LENGTH), 3)))
    return functional.one_hot(chosen, LENGTH).sum(1).float() * 3 - 1


def padding_of(dilation: int) -> int:
    """Return the padding with which a kernel of this dilation keeps the length of a series."""
    return dilation * (LENGTH // 2)


def dilations(n_times: int, per_kernel: int, most: int) -> dict[int, int]:
    """Return the dilations in ascending order, and the number of biases of each kernel at each dilation.

    The numbers add up to `per_kernel`. At most `most` exponents of 2 are spread evenly from 0 to that of the longest
    kernel that fits, and the powers are rounded down. Equal dilations are merged, and the remaining biases go to the
    smallest dilations.
    """
    count = min(per_kernel, most)
    longest = math.log2((n_times - 1) / (LENGTH - 1))
    step = longest / max(1, count - 1)
    rounded = [int(2 ** (step * number) + 1e-9) for number in range(count)]  # 1e-9: so that 2 ** log2(3) is 3
    biases = {dilation: int(rounded.count(dilation) * per_kernel / count) for dilation in rounded}
    for dilation in [*biases][: per_kernel - sum(biases.values())]:
        biases[dilation] += 1
    return biases


def channel_combinations(n_dilations: int, n_channels: int) -> Tensor:
    """Return random 0 and 1, `(n_dilations, 84, n_channels)`: the channels that each kernel sums at each dilation.

    Their number is 2 ** uniform(0, log2(m + 1)), rounded down; m is the number of channels, at most nine.
    """
    most = min(n_channels, MOST_CHANNELS)
    exponent = torch.rand(n_dilations, N_KERNELS, 1) * math.log2(most + 1)
    number = (2**exponent).floor().clamp(max=most)
    order = torch.rand(n_dilations, N_KERNELS, n_channels).argsort(2).argsort(2)
    return (order < number).float()


def quantiles(count: int) -> Tensor:
    """Return the first `count` of a sequence that fills [0, 1) evenly: multiples of the golden ratio, modulo 1."""
    return torch.tensor([number * GOLDEN_RATIO % 1 for number in range(1, count + 1)])


def row_quantiles(rows: Tensor, wanted: Tensor) -> Tensor:
    """Return quantiles of each row of `(rows, times)`, linear between order statistics.

    `wanted` is `(rows, wanted)`: each row has its own quantiles.
    """
    position = wanted * (rows.shape[1] - 1)
    below = position.floor().long()
    above = (below + 1).clamp(max=rows.shape[1] - 1)
    ordered = rows.sort(1).values
    return ordered.gather(1, below).lerp(ordered.gather(1, above), position - below)
