"""What is seen of tensors that have stayed on the CPU, and what is as good there; the meta device stands for a GPU."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from zoo.testing.devices import OneDevice

THERE = torch.empty(2, 3, 8, device="meta")


def put(x: Tensor) -> Tensor:
    x[:, torch.tensor([0, 2])] = 0.0
    return x


GOOD: dict[str, Callable[[Tensor], Tensor]] = {
    "a number": lambda x: x + torch.tensor(2.0),
    "indices": lambda x: x[:, torch.tensor([0, 2])],
    "indices that are written to": put,
    "a copy": lambda x: x + torch.ones(3, 8).to(x.device),
    "a copy into": lambda x: torch.empty_like(x).copy_(torch.ones(2, 3, 8)),
    "an option": lambda x: torch.sum(x, dim=1, keepdim=True),
}
BAD: dict[str, Callable[[Tensor], Tensor]] = {
    "added": lambda x: x + torch.ones(8),
    "kernels": lambda x: functional.conv1d(x, torch.ones(8, 3, 1)),
    "weights": lambda x: functional.linear(x, torch.ones(8, 8)),
    "bias": lambda x: functional.linear(x, torch.ones(8, 8, device="meta"), bias=torch.ones(8)),
    "joined": lambda x: torch.cat([x, torch.ones(8, 3, 8)]),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_would_run_on_a_gpu_runs(name: str) -> None:
    with OneDevice():
        assert GOOD[name](THERE.clone()).device.type == "meta"


@pytest.mark.parametrize("name", BAD)
def test_a_tensor_that_has_stayed_on_the_cpu_is_said_with_its_shape(name: str) -> None:
    with (
        OneDevice(),
        pytest.raises(RuntimeError, match=r"^a tensor \(8,.*\) stays on the CPU: make it a parameter"),
    ):
        BAD[name](THERE)


def test_what_is_all_on_the_cpu_is_left_alone() -> None:
    with OneDevice():
        assert (torch.ones(3) + torch.ones(3)).sum() == 6
