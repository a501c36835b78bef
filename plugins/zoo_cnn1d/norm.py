"""Layer normalisation (Ba et al. 2016, arXiv:1607.06450) for series of unequal lengths."""

from torch import Tensor, nn


class MaskedLayerNorm1d(nn.GroupNorm):
    """Normalises each row of `(batch, channels, times)` over its channels and valid times together.

    Scale and shift are learned for each channel. With a mask, the mean and variance ignore invalid positions, and the
    output there is zero.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(1, channels)

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().forward(input)
        x = input.float()  # bfloat16 is too coarse for sums over a long series
        count = mask.sum(2, keepdim=True) * x.shape[1]
        centred = (x - (x * mask).sum((1, 2), keepdim=True) / count) * mask
        scale = (centred.square().sum((1, 2), keepdim=True) / count + self.eps).rsqrt()
        return (centred * scale * self.weight[:, None] + self.bias[:, None]) * mask
