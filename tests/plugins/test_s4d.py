"""S4D against the state-space model it stands for, stepped through time."""

import math

import pytest
import torch
from torch import Tensor, nn

from zoo import ModelError, build
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo_s4d.kernel import S4DKernel, StateSpace, causal_convolution
from zoo_s4d.network import S4D

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}


def parts(kernel: S4DKernel) -> tuple[Tensor, Tensor, Tensor]:
    """dt `(width,)`, A and C `(width, pairs)`, in double precision."""
    dt = kernel.log_dt.detach().double().exp()
    a = torch.complex(-kernel.log_decay.detach().double().exp(), kernel.frequency.detach().double())
    return dt, a, torch.complex(kernel.c_real.detach().double(), kernel.c_imag.detach().double())


def test_the_kernel_is_the_formula_of_the_paper() -> None:
    kernel = S4DKernel(3, 8, 0.001, 0.1)
    dt, a, c = parts(kernel)
    expected = torch.zeros(3, 20, dtype=torch.float64)
    for channel in range(3):
        for step in range(20):
            for n in range(4):
                held = (torch.exp(dt[channel] * a[channel, n]) - 1) / a[channel, n]
                term = c[channel, n] * held * torch.exp(step * dt[channel] * a[channel, n])
                expected[channel, step] += 2 * term.real
    torch.testing.assert_close(kernel(20).double(), expected, rtol=1e-4, atol=1e-5)


def test_the_convolution_is_the_recurrence_step_by_step() -> None:
    torch.manual_seed(0)
    space = StateSpace(4, 16, 0.001, 0.1)
    u = torch.randn(2, 4, 37)
    dt, a, c = parts(space.kernel)
    a_held = torch.exp(dt[:, None] * a)  # x[t] = a_held x[t - 1] + b_held u[t], the input held for dt (B = 1)
    b_held = (a_held - 1) / a
    state = torch.zeros(2, 4, 8, dtype=torch.complex128)
    steps = []
    for t in range(37):
        state = a_held * state + b_held * u[:, :, t, None]
        steps.append(2 * (c * state).sum(-1).real + space.skip.detach() * u[:, :, t])
    torch.testing.assert_close(space(u).double(), torch.stack(steps, -1), rtol=1e-4, atol=1e-5)


def test_the_fft_convolution_is_causal_and_does_not_wrap_around() -> None:
    u, kernel = torch.randn(2, 3, 11), torch.randn(3, 11)
    expected = torch.stack([sum(kernel[:, s] * u[:, :, t - s] for s in range(t + 1)) for t in range(11)], -1)
    torch.testing.assert_close(causal_convolution(u, kernel), expected, rtol=1e-4, atol=1e-5)


def test_it_starts_as_s4d_lin() -> None:
    torch.manual_seed(0)
    kernel = S4DKernel(500, 8, 0.001, 0.1)
    dt, a, _ = parts(kernel)
    expected = torch.complex(torch.full((4,), -0.5), math.pi * torch.arange(4.0)).expand(500, 4)
    torch.testing.assert_close(a.to(torch.complex64), expected)
    assert 0.001 <= float(dt.min()) < 0.0015
    assert 0.07 < float(dt.max()) <= 0.1
    assert 0.007 < float(dt.median()) < 0.014  # log-uniform: as many below 0.01 as above


def test_the_papers_network_has_the_authors_size() -> None:
    """models/s4/README.md of github.com/state-spaces/s4 says 200K, for three channels and ten classes."""
    model = on_meta(lambda: build("s4d.paper", n_channels=3, n_times=1024, n_classes=10))
    # Counted from its layers: dt, decay, frequency and a complex C; the skip; 1x1 to twice the width; the norm.
    layer = (128 + 3 * 128 * 32 + 128 * 32) + 128 + (128 * 256 + 256) + 2 * 128
    assert count_parameters(model) == (3 * 128 + 128) + 4 * layer + (128 * 10 + 10) == 201_482


def test_every_parameter_is_real_and_has_a_gradient() -> None:
    model = build("s4d", **BEAT)
    model(torch.randn(3, 1, 187)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.dtype == torch.float32, name
        assert float(parameter.grad.abs().sum()) > 0, name


@pytest.mark.parametrize("prenorm", [True, False])
def test_more_padding_does_not_change_the_logits(prenorm: bool) -> None:
    torch.manual_seed(0)
    model = build("s4d", n_channels=2, n_times=60, n_classes=3, prenorm=prenorm).eval()
    lengths = torch.tensor([60, 31, 1, 45])
    rows = torch.randn(4, 2, 60) * (torch.arange(60) < lengths[:, None])[:, None]
    expected = model(rows, lengths)
    padded = nn.functional.pad(rows, (0, 25))
    torch.testing.assert_close(model(padded, lengths), expected, rtol=1e-4, atol=1e-5)
    for number, length in enumerate(lengths):
        alone = model(rows[number, None, :, :length])
        torch.testing.assert_close(alone[0], expected[number], rtol=1e-4, atol=1e-5)


def test_one_sample_is_enough() -> None:
    model = build("s4d", n_channels=2, n_times=1, n_classes=2)
    assert model(torch.randn(2, 2, 1)).shape == (2, 2)


def test_state_spaces_keep_their_precision_under_autocast() -> None:
    space, u = StateSpace(4, 16, 0.001, 0.1), torch.randn(2, 4, 50)
    expected, coarse = space(u), u.bfloat16()
    expected_of_coarse = space(coarse.float())
    autocast: list[bool] = []
    space.kernel.register_forward_pre_hook(lambda *_: autocast.append(torch.is_autocast_enabled("cpu")))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(space(u), expected)
        assert torch.equal(space(coarse), expected_of_coarse)
        assert space(coarse).dtype == torch.float32
    assert torch.equal(space(coarse), expected_of_coarse)
    assert autocast == [False] * 4


def test_it_builds_and_runs_on_the_meta_device() -> None:
    """What torch counts there: the linear layers and the kernels, not the FFTs."""
    model = on_meta(lambda: S4D(n_channels=1, n_times=50, n_classes=2, width=8, state=4, num_layers=1))
    encoder, kernel, mix, head = 8 * 50, 8 * 2 * 50, 8 * 16 * 50, 8 * 2
    assert count_macs(model, n_channels=1, n_times=50) == encoder + kernel + mix + head


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"state": 15}, "s4d: state must be even and at least 2, not 15: states come in conjugate pairs"),
        ({"width": 0}, "s4d: width must be at least 1, not 0"),
        ({"num_layers": 0}, "s4d: num_layers must be at least 1, not 0"),
        ({"dropout": 1.0}, "s4d: dropout must be at least 0 and below 1, not 1.0"),
        ({"dt_min": 0.3}, "s4d: dt_min must be above 0 and at most dt_max, not 0.3 with dt_max 0.2"),
    ],
)
def test_what_cannot_be_is_one_line(params: dict[str, float], message: str) -> None:
    with pytest.raises(ModelError) as error:
        build("s4d", **BEAT, **params)
    assert str(error.value) == message
