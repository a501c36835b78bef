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

from zoo import Architecture, Block, Choice, Float, Int, Objective, Preset, Resampler, hookimpl
from zoo.registry import Registry, source_of
from zoo.space import Domain
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
        return torch.from_numpy(self.convolution(x).detach().numpy()).mean(-1)


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


class OddLengths(Fine):
    """Pairs each sample with the next, but for series of a few."""

    def features(self, x: Tensor) -> Tensor:
        return super().features(x[..., ::2] + x[..., 1::2] if x.shape[-1] > 99 else x)


class EvenLengths(Fine):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x if x.shape[-1] % 2 or x.shape[-1] < 50 else x[..., 1:] + x[..., 1::2])


class Table(Fine):
    """Knows so many places, as a table of positions does."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        self.places = nn.Parameter(torch.zeros(1024))

    def features(self, x: Tensor) -> Tensor:
        return super().features(x + self.places[: x.shape[-1]])


class FewChannels(Fine):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        self.leads = nn.Parameter(torch.zeros(8, 1))

    def features(self, x: Tensor) -> Tensor:
        return super().features(x + self.leads[: x.shape[1]])


class EvenBatches(Fine):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[: max(1, len(x) // 2 * 2)]


class Deviates(Fine):
    """Its logits are finite, and where a row is flat the gradient of the root is not."""

    def features(self, x: Tensor) -> Tensor:
        return self.convolution(x).var(-1).sqrt()


class Dead(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.spare = nn.Linear(WIDTH, WIDTH)

    def features(self, x: Tensor) -> Tensor:
        return super().features(x) + 0 * self.spare(super().features(x))


class Frozen(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.requires_grad_(False)


class Counts(Fine):
    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.register_buffer("answered", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.answered += len(x)
        return super().forward(x)


class Remembers(Fine):
    """Adds to several rows what the last single one left."""

    last: Any = 0.0

    def features(self, x: Tensor) -> Tensor:
        if len(x) > 1:
            return super().features(x) + self.last
        self.last = x.detach().mean()
        return super().features(x)


class Doubles(Fine):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mul_(2))


class DoublesInTraining(Fine):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mul_(2) if self.training else x)


class DoublesInEval(Fine):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if self.training else x.mul_(2))


class LeavesWeights(Fine):
    """Its kernels are no parameter and no buffer, so that they do not follow it to a GPU."""

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.kernels = torch.randn(WIDTH, WIDTH, 3)

    def features(self, x: Tensor) -> Tensor:
        return nn.functional.conv1d(self.convolution(x), self.kernels, padding=1).mean(-1)


class LeavesPlaces(Fine):
    def features(self, x: Tensor) -> Tensor:
        return super().features(x * torch.linspace(0, 1, x.shape[-1]))


class ToTheCpu(Fine):
    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(super().forward(x), device="cpu")


class ClampsLengths(Fine):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        keep = torch.ones_like(x[:, :1]) if lengths is None else torch.arange(x.shape[-1]) < lengths[:, None, None]
        logits = self.head((self.convolution(x * keep) * keep).sum(-1))
        return logits if lengths is None else logits + 0 * lengths.clamp_(min=1, max=50)[:, None]


class Noisy(Fine):
    def features(self, x: Tensor) -> Tensor:
        noise = torch.from_numpy(np.random.default_rng().normal(size=x.shape)) if self.training else 0 * x
        return super().features(x + noise.float())


class HalfInTraining(Fine):
    def features(self, x: Tensor) -> Tensor:
        return torch.from_numpy(self.convolution(x).detach().numpy()).mean(-1) if self.training else super().features(x)


class Means(nn.Module):
    """Keeps every promise of a network that is fitted: the class whose rows change as much from sample to sample."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.randn(n_classes, n_channels))

    def features(self, x: Tensor) -> Tensor:
        return x.diff(dim=-1).abs().mean(-1)

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x) @ self.means.T - self.means.square().sum(1) / 2

    def fit(self, batches: Any, *, generator: torch.Generator) -> None:
        rows = [(self.features(batch.values), batch.labels) for batch in batches]
        features, labels = (torch.cat(each) for each in zip(*rows, strict=True))
        for label in labels.unique():
            self.means[label] = features[labels == label].mean(0)


class MeansOfValidation(Means):
    def fit(self, batches: Any, *, generator: torch.Generator) -> None:
        super().fit(batches, generator=generator)
        self.means += 0 * batches.validation[0].values.mean()


class MeansOfAnyOrder(Means):
    def fit(self, batches: Any, *, generator: torch.Generator) -> None:
        super().fit(batches, generator=generator)
        self.means += 1e-6 * torch.randn(self.means.shape)


class Slotted(Fine):
    """Keeps every promise of a network with a slot that takes lengths."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, block: Any, width: int = WIDTH) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes, width=width)
        self.block = block(width)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        times = torch.arange(x.shape[-1], device=x.device)
        keep = torch.ones_like(x[:, :1]) if lengths is None else (times < lengths[:, None, None]).float()
        features = self.block(nn.functional.dropout(self.convolution(x * keep).relu(), 0.1, self.training)) * keep
        return self.head(features.sum(-1) / keep.sum(-1))


def scale(channels: int, *, dims: int, start: float = 1.0) -> nn.Module:
    return Scale(channels, start)


def keep(*, random_state: int, neighbours: int = 3) -> None:
    """Leaves the rows as they are."""


def original(*, random_state: int) -> None:
    """Leaves the rows as they are, and has no parameters."""


def cross_entropy(*, class_counts: Tensor, gamma: float = 0.0) -> nn.Module:
    return nn.CrossEntropyLoss()


class Scale(nn.Module):
    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((channels, 1), start))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x * self.factors


def nothing(channels: int, *, dims: int) -> nn.Module:
    return nn.Identity()


HERE = f"{__name__}:"


def keyed(slot: bool = False, **space: Domain) -> dict[str, Any]:
    """A spec with a space; a key has `__` where it has a dot."""
    named = {key.replace("__", "."): domain for key, domain in space.items()}
    return {"spaces": {"default": named}, **({"block_dims": 1, "block": "scale"} if slot else {})}


def preset(**more: Any) -> dict[str, Any]:
    return {"presets": {"mine": Preset(**more)}}


BLOCKS = Choice("scale", "nothing")
MASKED = {"takes_lengths": True, "block": "scale"}
SUB = "cannot be built: RuntimeError"
# By the name of the architecture: its factory, what its spec says beside, the check, and the words of its message.
BROKEN: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "absent": ("Nowhere", {}, "factory", "the module has no callable 'Nowhere'"),
    "unfit": (
        "unfit",
        {},
        "factory",
        "does not accept the arguments of the harness: got an unexpected keyword.*'n_classes'",
    ),
    "no-default": ("WithoutDefault", {}, "defaults", "needs a value for width"),
    "list-default": ("WithListDefault", {}, "defaults", "the default of 'widths' is .*, not a plain value"),
    "preset-key": ("Fine", preset(params={"widht": 3}), "keys", "^preset mine: no parameter .* named 'widht'. Did you"),
    "preset-value": (
        "Fine",
        preset(params={"width": "wide"}),
        "keys",
        "^preset mine: .* must be a whole number, not 'wide'",
    ),
    "preset-slot": ("Fine", preset(block="scale"), "keys", "^preset mine: it has no block slot$"),
    "preset-block": (
        "Slotted",
        {"block_dims": 1, **preset(block="flat")},
        "keys",
        "^preset mine: block flat has no 1-D",
    ),
    "preset-training": (
        "Fine",
        preset(training={"batch_size": "all"}),
        "keys",
        "^preset mine: training.batch_size must be",
    ),
    "preset-data": (
        "Fine",
        preset(data="keep", data_params={"neighbour": 1}),
        "keys",
        "^preset mine: no .*'neighbour'",
    ),
    "preset-loss": ("Fine", preset(loss="entropy", loss_params={"gama": 1.0}), "keys", "^preset mine: .*named 'gama'"),
    "space-key": ("Fine", keyed(width=Int(1, 8), depth=Choice(1)), "keys", "^space default: no .* named 'depth'"),
    "space-value": (
        "Fine",
        keyed(width=Choice(1, "wide")),
        "keys",
        "^space default: .* must be a whole number, not 'wide'",
    ),
    "space-number": (
        "Fine",
        keyed(width=Float(1.0, 4.0)),
        "keys",
        r"^space default: .* must be a whole number, not \d\.\d+",
    ),
    "space-scope": ("Slotted", keyed(True, blok__start=Choice(0.5)), "keys", "named 'blok'. Did you mean block"),
    "space-block": (
        "Slotted",
        keyed(True, block=BLOCKS, block__strat=Choice(0.5)),
        "keys",
        "'block.strat' is not a param",
    ),
    "space-owner": (
        "Slotted",
        keyed(True, block=BLOCKS, block__scale__x=Choice(1)),
        "keys",
        "is not a parameter of scale",
    ),
    "space-own-block": (
        "Slotted",
        keyed(True, block__strat=Choice(0.5)),
        "keys",
        "no parameter of scale named 'strat'",
    ),
    "space-block-value": (
        "Slotted",
        keyed(True, block=BLOCKS, block__start=Choice("x")),
        "keys",
        "must be a number, not 'x'",
    ),
    "space-no-block": ("Slotted", keyed(True, block=Choice("scale", "scael")), "keys", "no block named 'scael'"),
    "space-no-slot": ("Fine", keyed(block=Choice("scale")), "keys", "has no slot for a block"),
    "space-dims": ("Slotted", keyed(True, block=Choice("scale", "flat")), "keys", "block flat has no 1-D form"),
    "space-range": ("Slotted", keyed(True, block=Int(1, 2)), "keys", "^space default: block takes names, not a range$"),
    "space-data": ("Fine", keyed(data=Choice("keep"), data__neighbor=Int(1, 3)), "keys", "'data.neighbor' is not a p"),
    "space-own-data": ("Fine", keyed(data__neighbour=Int(1, 3)), "keys", "no parameter of original named 'neighbour'"),
    "space-no-data": ("Fine", keyed(data=Choice("keeep")), "keys", "no resampler named 'keeep'"),
    "space-loss": (
        "Fine",
        keyed(loss=Choice("entropy"), loss__gama=Float(0, 1)),
        "keys",
        "'loss.gama' is not a parameter",
    ),
    "space-own-loss": ("Fine", keyed(loss__gama=Float(0, 1)), "keys", "no parameter of cross-entropy named 'gama'"),
    "space-dataset": ("Fine", keyed(dataset__seed=Int(0, 3)), "keys", "dataset.seed cannot be searched, because"),
    "space-training": (
        "Fine",
        keyed(training__rate=Choice(1)),
        "keys",
        "^space default: no training setting .* 'rate'",
    ),
    "space-setting": (
        "Fine",
        keyed(training__optimiser=Choice("adam", "sgd")),
        "keys",
        "training.optimiser must be one of",
    ),
    "space-empty": ("Fine", keyed(), "keys", "^keys found nothing to check in this architecture$"),
    "empty": ("Empty", {}, "size", "it has no parameters"),
    "squeezed": ("Squeezed", {}, "shapes", r"logits are \(2,\) for 1 x 1 x 1 in eval mode"),
    "one-channel": ("OneChannel", {}, "shapes", "expected input.* to have 1 channels"),
    "odd-lengths": ("OddLengths", {}, "shapes", "The size of tensor"),
    "even-lengths": ("EvenLengths", {}, "shapes", "The size of tensor"),
    "table": ("Table", {}, "shapes", r"2001"),
    "few-channels": ("FewChannels", {}, "shapes", r"The size of tensor a \(12\)"),
    "even-batches": ("EvenBatches", {}, "shapes", r"logits are \(4, 2\) for 5 x 1 x 1 in eval mode"),
    "fixed-length": ("FixedLength", {"min_times": 20}, "shapes", "The size of tensor"),
    "standardised": ("Standardised", {}, "finite", "logits are NaN or infinite in training mode"),
    "double": ("Double", {}, "finite", "logits are torch.float64 in training mode"),
    "unused": ("Unused", {}, "gradients", "parameter spare.weight gets no gradient"),
    "detached": ("Detached", {}, "gradients", "parameter convolution.weight gets no gradient"),
    "dead": ("Dead", {}, "gradients", "^the gradient of spare is always zero$"),
    "deviates": ("Deviates", {}, "gradients", "the gradient of .* is not finite for flat rows or large values"),
    "frozen": ("Frozen", {}, "gradients", "^gradients found nothing to check: no parameter is trainable$"),
    "counts": ("Counts", {}, "batch_independence", "a forward pass in eval mode changes answered"),
    "remembers": ("Remembers", {}, "batch_independence", "in eval mode depend on earlier batches"),
    "doubles": ("Doubles", {}, "leaves_its_input", "changes its input rows in training mode"),
    "doubles-in-training": ("DoublesInTraining", {}, "leaves_its_input", "changes its input rows in training mode"),
    "doubles-in-eval": ("DoublesInEval", {}, "leaves_its_input", "changes its input rows in eval mode"),
    "leaves-weights": ("LeavesWeights", {}, "moves", r"a tensor \(16, 16, 3\) stays on the CPU"),
    "leaves-places": ("LeavesPlaces", {}, "moves", r"a tensor \(64,\) stays on the CPU"),
    "to-the-cpu": ("ToTheCpu", {}, "moves", "after a move to another device, its logits are on the old"),
    "neighbours": ("Neighbours", {}, "batch_independence", "in eval mode depend on the other rows"),
    "random": ("Random", {}, "batch_independence", "a forward pass in eval mode draws random numbers"),
    "means-over-padding": ("MeansOverPadding", {"takes_lengths": True}, "padding", "padding changes the logits"),
    "clamps-lengths": ("ClampsLengths", {"takes_lengths": True}, "padding", "it changes its input rows or lengths"),
    "no-masked-block": ("Slotted", {**MASKED, "block_dims": 2}, "padding", "^padding found nothing to check: no reg"),
    "noisy": ("Noisy", {}, "seed", "the same seed produces different logits in training mode"),
    "fits-by-chance": ("MeansOfAnyOrder", {}, "seed", "the same seed produces different weights"),
    "half-in-training": ("HalfInTraining", {}, "autocast", "BFloat16"),
    "rare-value": ("Fine", keyed(width=Choice(*range(1, 40), -1)), "spaces", "cannot be built"),
    "one-end": ("Fine", keyed(width=Int(-1, 64)), "spaces", SUB),
    "no-block": ("Slotted", {"block_dims": 2, "block": "flat"}, "slot", "^slot found nothing to check: no reg"),
    "unseeded": ("Unseeded", {}, "seed", "the same seed produces different weights"),
    "seeded": ("Seeded", {}, "seed", "different seeds produce the same weights"),
    "forgetful": ("Forgetful", {}, "weights", "the state dict is incomplete: the logits depend on other state"),
    "with-lambda": ("WithLambda", {}, "copies", "^it cannot be pickled: "),
    "restarting": ("Restarting", {}, "copies", "a pickled copy returns different logits"),
    "through-numpy": ("ThroughNumPy", {}, "autocast", "BFloat16"),
    "bad-preset": ("Fine", preset(params={"width": -1}), "presets", SUB),
    "bad-space": ("Fine", keyed(width=Choice(-1)), "spaces", SUB),
    "with-slot": ("WithSlot", {"block_dims": 1, "block": "nothing"}, "slot", "The size of tensor"),
    "blind": ("Blind", {}, "learns", "after 300 steps on sixteen rows its loss is still 0.69"),
    "sets-type": ("SetsType", {}, "global_state", "it changes torch's default dtype"),
    "sets-threads": ("SetsThreads", {}, "global_state", "it changes torch's number of threads"),
    "sets-gradients": ("SetsGradients", {}, "global_state", "it changes torch's gradient mode"),
    "sets-warnings": ("SetsWarnings", {}, "global_state", "it changes the warning filters"),
    "sets-seeds": ("SetsSeeds", {}, "global_state", "it changes Python's random seed"),
    "sets-torch-seed": ("Seeded", {}, "global_state", "it sets torch's random seed"),
    "draws": ("Draws", {}, "global_state", "it changes NumPy's random state"),
    "logs": ("Logs", {}, "writes", "it writes log.txt in the working folder"),
    "saves": ("Saves", {}, "writes", "it writes last.pt in the working folder"),
    "needy": ("MeansOfValidation", {"needs_validation": False}, "without_validation", "IndexError"),
    "caches": ("Caches", {}, "writes", "No such file or directory"),
    "disagrees": ("Fine", {}, "parity", r"^its outputs differ by 2.5e-01 from those of six lines of NumPy; the tol"),
    "mistaken": ("Fine", {"expected_failures": {"paddings": "why"}}, "expectations", "no check .* named 'paddings'"),
}


@hookimpl
def zoo_components() -> Iterator[Architecture | Block | Objective | Resampler]:
    fine = {"width": Int(1, 8), "training.learning_rate": Float(1e-4, 1e-2, log=True)}
    both = {"block": BLOCKS, "block.start": Float(0.5, 1.0), "data": Choice("keep", "original")}
    more = {"data.neighbours": Int(1, 5), "loss.gamma": Choice(0, 0.5), "block.scale.start": Choice(1, 2)}
    mine = Preset(params={"width": 4}, data="keep", data_params={"neighbours": 1}, training={"epochs": 3})
    kept: dict[str, Any] = {"summary": "As it should be.", "presets": {"mine": mine}}
    yield Architecture(name="fine", factory=f"{HERE}Fine", spaces={"default": fine}, **kept)
    yield Architecture(name="fitted", factory=f"{HERE}Means", summary="As it should be.")
    slot: dict[str, Any] = {**MASKED, "block_dims": 1, "spaces": {"default": {**fine, **both, **more}}}
    yield Architecture(name="slotted", factory=f"{HERE}Slotted", **slot, **kept)
    for name, (factory, more, _, _) in BROKEN.items():
        yield Architecture(name=name, factory=f"{HERE}{factory}", summary="Breaks a promise.", **more)
    yield Block(name="scale", factory=f"{HERE}scale", summary="Weighs channels.", dims=(1,), masked=True)
    yield Block(name="nothing", factory=f"{HERE}nothing", summary="Leaves all as it is.", dims=(1,), masked=True)
    yield Block(name="flat", factory=f"{HERE}nothing", summary="Has no form.", dims=())
    yield Resampler(name="keep", factory=f"{HERE}keep", summary="Leaves the rows as they are.")
    yield Resampler(name="original", factory=f"{HERE}original", summary="Leaves the rows as they are.")
    for name in ("entropy", "cross-entropy"):
        yield Objective(name=name, factory=f"{HERE}cross_entropy", summary="The cross entropy.")


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


APPLY = {
    "fine": {"gradients", "keys", "parity", "presets", "spaces"},
    "fitted": {"parity"},
    "slotted": {"gradients", "keys", "padding", "presets", "slot", "spaces"},
}


@pytest.mark.parametrize("name", APPLY)
def test_an_architecture_as_it_should_be_passes_every_check_that_applies(registry: Registry, name: str) -> None:
    checks = list(checks_for(registry, registry.get("architecture", name)))
    for check in checks:
        check()
    assert {check.name for check in checks} & set().union(*APPLY.values()) == APPLY[name]


def test_every_check_of_architectures_has_one_that_it_catches() -> None:
    every = {check.__name__ for check in (*common.FIRST, *KITS["architecture"].CHECKS, *common.LAST)}
    assert {wanted for _, _, wanted, _ in BROKEN.values()} == every | {"expectations"}
