"""The convolution kernel of a diagonal state-space model (Gu et al. 2022, arXiv:2206.11893)."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from zoo.layers import full_precision


class S4DKernel(nn.Module):
    """The impulse responses of `width` state-space models, each with `state` / 2 pairs of conjugate states.

    A model is x' = A x + u, y = 2 Re(C x) with a diagonal complex A. It is sampled every dt, and the input is constant
    between samples. Its response is K[l] = 2 Re sum_n C_n (exp(dt A_n) - 1) / A_n exp(l dt A_n). The paper's B is one
    here, since it would only scale C. The initialisation is S4D-Lin: A_n = -1/2 + i pi n, with dt log-uniform between
    `dt_min` and `dt_max`. Re A = -exp(log_decay) is always negative, so every response decays.

    All parameters are real, so that every optimiser and file format supports them: C and A are stored as real and
    imaginary parts.
    """

    def __init__(self, width: int, state: int, dt_min: float, dt_max: float) -> None:
        super().__init__()
        pairs = state // 2
        self.log_dt = nn.Parameter(math.log(dt_min) + torch.rand(width) * math.log(dt_max / dt_min))
        self.log_decay = nn.Parameter(torch.full((width, pairs), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(pairs, dtype=torch.float32).repeat(width, 1))
        self.c_real = nn.Parameter(math.sqrt(0.5) * torch.randn(width, pairs))
        self.c_imag = nn.Parameter(math.sqrt(0.5) * torch.randn(width, pairs))

    def forward(self, n_times: int) -> Tensor:
        """Return the responses, float32 `(width, n_times)`."""
        a = torch.complex(-self.log_decay.exp(), self.frequency)
        dt_a = self.log_dt.exp()[:, None] * a
        c = torch.complex(self.c_real, self.c_imag) * (dt_a.exp() - 1) / a
        steps = torch.arange(n_times, device=dt_a.device)
        powers = (dt_a[..., None] * steps).exp()  # the Vandermonde matrix, (width, pairs, n_times)
        return 2 * torch.einsum("hn,hnl->hl", c, powers).real


class StateSpace(nn.Module):
    """A separate state-space model for each channel of `(batch, width, times)`: K * u + D u.

    The convolution is causal. It uses an FFT over twice the number of times, so that nothing wraps around. Kernel and
    convolution are computed in float32, also under autocast.
    """

    def __init__(self, width: int, state: int, dt_min: float, dt_max: float) -> None:
        super().__init__()
        self.kernel = S4DKernel(width, state, dt_min, dt_max)
        self.skip = nn.Parameter(torch.randn(width))

    def forward(self, u: Tensor) -> Tensor:
        with full_precision(u.device):
            u = u.float()
            return causal_convolution(u, cast(Tensor, self.kernel(u.shape[2]))) + self.skip[:, None] * u


def causal_convolution(u: Tensor, kernel: Tensor) -> Tensor:
    """Return y[t] = sum over s of kernel[s] u[t - s] for each channel of u `(batch, width, times)`."""
    times = u.shape[2]
    spectrum = torch.fft.rfft(u, n=2 * times) * torch.fft.rfft(kernel, n=2 * times)
    return cast(Tensor, torch.fft.irfft(spectrum, n=2 * times))[..., :times]
