"""Hand-crafted convolution filters (Ismail-Fawaz et al. 2022, IEEE Big Data, doi:10.1109/BigData55660.2022.10020496).

A trend filter alternates in sign, so it responds to a rise (or a fall) from sample to sample. A peak filter is
negative, then positive, then negative; each part is a pair of parabolas.
"""

import torch
from torch import Tensor
from torch.nn import functional

from zoo_inception.same import same_padding

TREND_SIZES = (2, 4, 8, 16, 32, 64)
PEAK_SIZES = TREND_SIZES[1:]  # a peak filter has 1.5 times as many samples


def hand_crafted() -> Tensor:
    """Return all seventeen filters, float `(17, 1, 96)`: six for rises, six for falls, five for peaks.

    Each is zero-padded to the length of the longest. One convolution of 96 samples then replaces seventeen convolutions
    of different lengths, which is faster on a CPU.
    """
    rises = [rise(size) for size in TREND_SIZES]
    kernels = [*rises, *(-kernel for kernel in rises), *(peak(size) for size in PEAK_SIZES)]
    longest = max(len(kernel) for kernel in kernels)
    return torch.stack([centred(kernel, longest) for kernel in kernels])[:, None]


def rise(size: int) -> Tensor:
    """Return -1, 1, -1, 1, …"""
    return 2.0 * (torch.arange(size) % 2) - 1


def peak(size: int) -> Tensor:
    """Return -hill, 2 hill, -hill. A hill rises as a parabola for a quarter of `size`, and falls symmetrically."""
    quarter = size // 4
    flank = (torch.arange(1, quarter + 1) / quarter) ** 2
    hill = torch.cat([flank, flank.flip(0)])
    return torch.cat([-hill, 2 * hill, -hill])


def centred(kernel: Tensor, size: int) -> Tensor:
    """Return the kernel padded to `size` samples so that its output is aligned as with its own `same_padding`."""
    before = same_padding(size)[0] - same_padding(len(kernel))[0]
    return functional.pad(kernel, (before, size - before - len(kernel)))
