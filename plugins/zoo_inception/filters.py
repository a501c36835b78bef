"""Convolution filters made by hand (Ismail-Fawaz et al. 2022, IEEE Big Data, doi:10.1109/BigData55660.2022.10020496).

A trend filter alternates in sign, so that it answers to a rise (or a fall) from sample to sample; a peak filter is
negative, positive, negative, each part a pair of parabolas.
"""

import torch
from torch import Tensor
from torch.nn import functional

from zoo_inception.same import same_padding

TREND_SIZES = (2, 4, 8, 16, 32, 64)
PEAK_SIZES = TREND_SIZES[1:]  # a peak filter has half as many samples again


def hand_crafted() -> Tensor:
    """All seventeen filters, float `(17, 1, 96)`: six for rises, six for falls, five for peaks.

    Each is padded with zeros to the longest, so that one convolution of 96 samples gives what seventeen of
    their own lengths would: on a CPU that is the faster way.
    """
    rises = [rise(size) for size in TREND_SIZES]
    kernels = [*rises, *(-kernel for kernel in rises), *(peak(size) for size in PEAK_SIZES)]
    longest = max(len(kernel) for kernel in kernels)
    return torch.stack([centred(kernel, longest) for kernel in kernels])[:, None]


def rise(size: int) -> Tensor:
    """-1, 1, -1, 1, …"""
    return 2.0 * (torch.arange(size) % 2) - 1


def peak(size: int) -> Tensor:
    """-hill, 2 hill, -hill; a hill rises as a parabola for a quarter of `size` and falls as it rose."""
    quarter = size // 4
    flank = (torch.arange(1, quarter + 1) / quarter) ** 2
    hill = torch.cat([flank, flank.flip(0)])
    return torch.cat([-hill, 2 * hill, -hill])


def centred(kernel: Tensor, size: int) -> Tensor:
    """The kernel among zeros, where its own zero-padding to the same length would have placed it."""
    before = same_padding(size)[0] - same_padding(len(kernel))[0]
    return functional.pad(kernel, (before, size - before - len(kernel)))
