"""Architectures that break one promise each, on purpose: the check named for it says so."""

import os
import random
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo import Architecture, Block, Choice, Int, Preset, hookimpl
from zoo.registry import Registry, source_of
from zoo.testing import NotConforming, checks_for, common
from zoo.testing.kinds import KITS

WIDTH = 16


class Fine(nn.Module):
    """Keeps every promise: a convolution, a mean over time, a linear layer. The others are it, but for one thing."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, width: int = WIDTH) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(n_channels, width, 3, padding=1)
        self.head = nn.Linear(width, n_classes)

    def features(self, x: Tensor) -> Tensor:
        return self.convolution(x).relu().mean(-1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def unfit(*, n_channels: int, n_times: int, classes: int = 2) -> nn.Module:
    return nn.Linear(n_channels, classes)


class WithoutDefault(Fine):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, width: int) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes, width=width)


class WithListDefault(Fine):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, widths: tuple[int, ...] = (8, 8)) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)


class Empty(nn.Module):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)[:, : self.n_classes]


class Squeezed(Fine):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).squeeze(0)


class OneChannel(Fine):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__(n_channels=1, n_times=n_times, n_classes=n_classes)


class FixedLength(Fine):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        self.places = nn.Parameter(torch.zeros(50))

    def features(self, x: Tensor) -> Tensor:
        return super().features(x + self.places)


class Standardised(Fine):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x / x.std(-1, keepdim=True))


class Double(Fine):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).double()


class Unused(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.spare = nn.Linear(2, 2)


class Detached(Fine):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x).detach()


class Neighbours(Fine):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x - x.mean(0, keepdim=True))


class Random(Fine):
    def features(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(super().features(x), 0.1, training=True)


class MeansOverPadding(Fine):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return super().forward(x)


class Unseeded(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.register_buffer("offset", torch.tensor(np.random.default_rng().normal(size=WIDTH), dtype=torch.float32))

    def features(self, x: Tensor) -> Tensor:
        return super().features(x) + self.offset


class Seeded(Fine):
    def __init__(self, **shape: Any) -> None:
        torch.manual_seed(0)
        super().__init__(**shape)


class Forgetful(Fine):
    mean: Any = 0.0

    def features(self, x: Tensor) -> Tensor:
        features = super().features(x)
        if self.training:
            self.mean = features.detach().mean(0)
        return features - self.mean


class WithLambda(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.activation = lambda x: x.relu()


class Restarting(Fine):
    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        with torch.no_grad():
            self.head.bias.copy_(self.head.bias + 1)


class ThroughNumPy(Fine):
    def features(self, x: Tensor) -> Tensor:
        return torch.from_numpy(self.convolution(x).numpy()).mean(-1)


class WithSlot(Fine):
    """Gives its block one channel too many, which the empty one does not mind."""

    def __init__(self, *, block: Any, **shape: Any) -> None:
        super().__init__(**shape)
        self.block = block(WIDTH + 1)

    def features(self, x: Tensor) -> Tensor:
        return self.block(super().features(x)[..., None])[..., 0]


class Blind(Fine):
    def features(self, x: Tensor) -> Tensor:
        return super().features(0 * x)


class SetsType(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        torch.set_default_dtype(torch.float64)


class SetsThreads(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        torch.set_num_threads(torch.get_num_threads() + 1)


class SetsGradients(Fine):
    def eval(self) -> "SetsGradients":
        torch.set_grad_enabled(False)
        return super().eval()


class SetsWarnings(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        warnings.simplefilter("ignore")


class SetsSeeds(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        random.seed(0)


class Draws(Fine):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x + np.random.normal())


class Logs(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        Path("log.txt").write_text("built")


class Saves(Fine):
    """Writes by code that is not Python's, as torch.save does."""

    def forward(self, x: Tensor) -> Tensor:
        torch.save(x.detach(), "last.pt")
        return super().forward(x)


class Caches(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        (Path(os.sep) / "no-such-folder").joinpath("net").mkdir(exist_ok=True)


def scale(channels: int, *, dims: int) -> nn.Module:
    return Scale(channels)


class Scale(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.ones(channels, 1))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x * self.factors


def nothing(channels: int, *, dims: int) -> nn.Module:
    return nn.Identity()


HERE = f"{__name__}:"
HALF = {"default": {"width": Int(1, 8), "depth": Choice(1, 2)}}
RATES = {"default": {"training.rate": Choice(1, 2)}}
SUB = "cannot be built: RuntimeError"
# By the name of the architecture: its factory, what its spec says beside, the check, and the words of its message.
BROKEN: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "absent": ("Nowhere", {}, "factory", "the module has no callable 'Nowhere'"),
    "unfit": ("unfit", {}, "factory", "cannot be called as the harness does: got an unexpected keyword.*'n_classes'"),
    "no-default": ("WithoutDefault", {}, "defaults", "needs a value for width"),
    "list-default": ("WithListDefault", {}, "defaults", "the default of 'widths' is .*, and parameters are plain"),
    "preset-key": ("Fine", {"presets": {"mine": Preset(params={"widht": 3})}}, "keys", r"\['widht'\] are no param"),
    "space-key": ("Fine", {"spaces": HALF}, "keys", "space default: 'depth' is no parameter"),
    "training-key": ("Fine", {"spaces": RATES}, "keys", "space default: 'rate' is no training setting"),
    "empty": ("Empty", {}, "size", "it has no parameters"),
    "squeezed": ("Squeezed", {}, "shapes", r"logits are \(2,\) for 1 x 1 x 1 in eval"),
    "one-channel": ("OneChannel", {}, "shapes", "expected input.* to have 1 channels"),
    "fixed-length": ("FixedLength", {"min_times": 20}, "shapes", "The size of tensor"),
    "standardised": ("Standardised", {}, "finite", "logits are NaN or infinite in training"),
    "double": ("Double", {}, "finite", "logits are torch.float64 in training"),
    "unused": ("Unused", {}, "gradients", "parameter spare.weight gets no gradient"),
    "detached": ("Detached", {}, "gradients", "parameter convolution.weight gets no gradient"),
    "neighbours": ("Neighbours", {}, "batch_independence", "depend on the rows beside it"),
    "random": ("Random", {}, "batch_independence", "a forward pass in eval draws random numbers"),
    "means-over-padding": ("MeansOverPadding", {"takes_lengths": True}, "padding", "padding changes the logits"),
    "unseeded": ("Unseeded", {}, "seed", "the same seed gives different weights"),
    "seeded": ("Seeded", {}, "seed", "another seed gives the same weights"),
    "forgetful": ("Forgetful", {}, "weights", "the state dict does not hold all that the logits depend on"),
    "with-lambda": ("WithLambda", {}, "copies", "pickle"),
    "restarting": ("Restarting", {}, "copies", "a pickled copy answers differently"),
    "through-numpy": ("ThroughNumPy", {}, "autocast", "BFloat16"),
    "bad-preset": ("Fine", {"presets": {"mine": Preset(params={"width": -1})}}, "presets", SUB),
    "bad-space": ("Fine", {"spaces": {"default": {"width": Choice(-1)}}}, "spaces", SUB),
    "with-slot": ("WithSlot", {"block_dims": 1, "block": "nothing"}, "slot", "The size of tensor"),
    "blind": ("Blind", {}, "learns", "after 300 steps on sixteen rows its loss is still 0.69"),
    "sets-type": ("SetsType", {}, "global_state", "it changes torch's default type"),
    "sets-threads": ("SetsThreads", {}, "global_state", "it changes torch's threads"),
    "sets-gradients": ("SetsGradients", {}, "global_state", "it changes torch's gradient mode"),
    "sets-warnings": ("SetsWarnings", {}, "global_state", "it changes the filters of warnings"),
    "sets-seeds": ("SetsSeeds", {}, "global_state", "it changes the seed of Python's random numbers"),
    "sets-torch-seed": ("Seeded", {}, "global_state", "it sets the seed of the random numbers of torch"),
    "draws": ("Draws", {}, "global_state", "it changes the random numbers of NumPy"),
    "logs": ("Logs", {}, "writes", "it writes log.txt in the working folder"),
    "saves": ("Saves", {}, "writes", "it writes last.pt in the working folder"),
    "caches": ("Caches", {}, "writes", "No such file or directory"),
    "mistaken": ("Fine", {"expected_failures": {"paddings": "why"}}, "expectations", "no check .* named 'paddings'"),
}


@hookimpl
def zoo_components() -> Iterator[Architecture | Block]:
    yield Architecture(name="fine", factory=f"{HERE}Fine", summary="As it should be.")
    for name, (factory, more, _, _) in BROKEN.items():
        yield Architecture(name=name, factory=f"{HERE}{factory}", summary="Breaks a promise.", **more)
    yield Block(name="scale", factory=f"{HERE}scale", summary="Weighs channels.", dims=(1,), masked=True)
    yield Block(name="nothing", factory=f"{HERE}nothing", summary="Leaves all as it is.", dims=(1,), masked=True)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load([source_of("broken", sys.modules[__name__])])


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """What the bad ones leave behind is put right."""
    kept = (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled())
    yield
    torch.set_default_dtype(kept[0])
    torch.set_num_threads(kept[1])
    torch.set_grad_enabled(kept[2])


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_caught_by_the_check_named_for_it(registry: Registry, name: str) -> None:
    _, _, wanted, words = BROKEN[name]
    (check,) = (each for each in checks_for(registry, registry.get("architecture", name)) if each.name == wanted)
    with pytest.raises(NotConforming, match=words) as caught:
        check()
    assert "\n" not in str(caught.value)


def test_an_architecture_as_it_should_be_passes_every_check(registry: Registry) -> None:
    for check in checks_for(registry, registry.get("architecture", "fine")):
        check()


def test_every_check_of_architectures_has_one_that_it_catches() -> None:
    every = {check.__name__ for check in (*common.FIRST, *KITS["architecture"].CHECKS, *common.LAST)}
    assert {wanted for _, _, wanted, _ in BROKEN.values()} == every | {"expectations"}
