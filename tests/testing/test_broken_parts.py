"""Parts of runs that break one promise each, on purpose: the check named for it says so."""

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ray.tune.search.basic_variant import BasicVariantGenerator
from torch import Tensor, nn

from zoo import Block, Choice, DataError, Dataset, Objective, Resampler, Searcher, hookimpl
from zoo.data.series import LabelledSeries
from zoo.registry import Registry, source_of
from zoo.testing import NotConforming, checks_for
from zoo.testing.kinds import KITS

Part = Block | Dataset | Objective | Resampler | Searcher


class Scale(nn.Module):
    """Keeps every promise of a block; the others are it, but for one thing."""

    def __init__(self, channels: int, *, dims: int, start: float = 1.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((channels, 1) if dims == 1 else (channels, 1, 1), start))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x * self.factors


class Halves(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x)[..., ::2]


class Double(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x).double()


class Standardised(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x / x.amax(dim=-1, keepdim=True))


class Unused(Scale):
    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__(channels, dims=dims)
        self.spare = nn.Parameter(torch.ones(1))


class Neighbours(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x - x.mean(0, keepdim=True))


class MeansOverPadding(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x - x.mean(-1, keepdim=True))


class Unseeded(Scale):
    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__(channels, dims=dims, start=float(np.random.default_rng().normal()))


class Forgetful(Scale):
    offset: Any = 0.0

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if self.training:
            self.offset = x.detach().mean()
        return super().forward(x) - self.offset


class WithLambda(Scale):
    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__(channels, dims=dims)
        self.activation = lambda x: x


class Divides(Scale):
    def __init__(self, channels: int, *, dims: int, reduction: int = 1) -> None:
        super().__init__(channels // reduction, dims=dims)


def positional(*, channels: int, dims: int) -> nn.Module:
    return Scale(channels, dims=dims)


def series(labels: Any = (0, 0, 1, 1), noise: float = 0.0) -> LabelledSeries:
    values = np.linspace(0, 1, len(labels) * 8, dtype=np.float32).reshape(len(labels), 1, 8)
    return LabelledSeries(values + np.float32(noise), np.asarray(labels, dtype=np.int64), ("a", "b"))


def one_class() -> LabelledSeries:
    return series((0, 0, 0))


def not_series() -> list[int]:
    return [1, 2]


def differs() -> LabelledSeries:
    return series(noise=float(np.random.default_rng().normal()))


def finds_files(*, data_dir: Path | None) -> LabelledSeries:
    return series()


def says_much(*, data_dir: Path | None) -> LabelledSeries:
    raise DataError("no files\nlook there")


def seeds_numpy() -> LabelledSeries:
    np.random.seed(0)
    return series()


def writes_a_cache() -> LabelledSeries:
    Path("cache.npz").write_bytes(b"rows")
    return series()


class Drops:
    """Leaves out the last class."""

    def __init__(self, *, random_state: int) -> None:
        self.sampling_strategy_: dict[int, int] = {}

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        return values[labels < 2], labels[labels < 2]


class Draws(Drops):
    """Draws as many rows of each class, with numbers that no one has seeded."""

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        generator = np.random.default_rng()
        rows = np.concatenate([generator.choice(np.flatnonzero(labels == label), 40) for label in range(3)])
        return values[rows], labels[rows]


class Shifts(Drops):
    """Works on what it was given."""

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        values += 1
        rows = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        return values[rows], labels[rows]


class NeverDraws:
    def __init__(self, *, random_state: int) -> None: ...

    def row_weights(self, labels: Any) -> Any:
        return (labels < 2).astype(float)


Loss = Callable[[Tensor, Tensor], Tensor]


def per_row(*, class_counts: Tensor) -> Loss:
    return nn.CrossEntropyLoss(reduction="none")


def overflows(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: nn.functional.nll_loss(logits.exp() / logits.exp().sum(1, keepdim=True), targets)


def divides_by_counts(*, class_counts: Tensor) -> Loss:
    weights = 1 / class_counts
    return lambda logits, targets: nn.functional.cross_entropy(logits, targets) * weights.mean()


def ascends(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: -nn.functional.cross_entropy(logits, targets).clamp(max=20)


def draws_at_random(*, class_counts: Tensor) -> Loss:
    torch.manual_seed(0)
    return nn.CrossEntropyLoss()


class Outside(BasicVariantGenerator):
    """Proposes one rate, outside the space."""

    def next_trial(self) -> Any:
        trial = super().next_trial()
        trial.config["rate"] = 0.75
        return trial


def outside(*, seed: int, startup: int) -> Outside:
    return Outside(random_state=seed)


def unseeded(*, seed: int, startup: int) -> BasicVariantGenerator:
    return BasicVariantGenerator(random_state=random.SystemRandom().randrange(2**31))


def stubborn(*, seed: int, startup: int) -> BasicVariantGenerator:
    return BasicVariantGenerator(random_state=1)


def part(kind: type[Part], name: str, factory: str, **more: Any) -> Part:
    return kind(name=name, factory=f"{__name__}:{factory}", summary="Breaks a promise.", **more)


# By the name of the part, as it stands in the spec: the spec, the check, and the words of its message.
BROKEN: list[tuple[Part, str, str]] = [
    (part(Block, "positional", "positional"), "factory", "cannot be called as the harness does: too many positional"),
    (part(Block, "halves", "Halves"), "shapes", r"\(2, 1, 20\) becomes \(2, 1, 10\)"),
    (part(Block, "double", "Double"), "finite", "its output is torch.float64 in training in 1-D"),
    (part(Block, "standardised", "Standardised"), "finite", "its output is NaN or infinite in training in 1-D"),
    (part(Block, "unused", "Unused"), "gradients", "spare gets no finite gradient in 1-D"),
    (part(Block, "neighbours", "Neighbours"), "batch_independence", "rows depend on each other in 1-D"),
    (
        part(Block, "padded", "MeansOverPadding", masked=True),
        "padding",
        "padding gets into valid positions",
    ),
    (part(Block, "unseeded", "Unseeded"), "seed", "the same seed gives different weights"),
    (part(Block, "forgetful", "Forgetful"), "weights", "the state dict does not hold all that the output depends on"),
    (part(Block, "with-lambda", "WithLambda"), "copies", "pickle"),
    (part(Block, "bad-key", "Scale", space={"strat": Choice(1.0)}), "keys", "its space has strat"),
    (part(Block, "bad-space", "Divides", space={"reduction": Choice(4)}), "spaces", "RuntimeError: The size of tensor"),
    (part(Dataset, "one-class", "one_class"), "loads", r"classes have \[3, 0\] rows"),
    (part(Dataset, "not-series", "not_series"), "loads", "its factory gives list, not LabelledSeries"),
    (part(Dataset, "finds-files", "finds_files", from_files=True), "loads", "it finds its files in "),
    (part(Dataset, "says-much", "says_much", from_files=True), "loads", "without its files is more than one line"),
    (part(Dataset, "differs", "differs"), "repeats", "loaded twice, it differs"),
    (part(Dataset, "seeds-numpy", "seeds_numpy"), "global_state", "it changes the random numbers of NumPy"),
    (part(Dataset, "writes-a-cache", "writes_a_cache"), "writes", "it writes cache.npz in the working folder"),
    (part(Resampler, "drops", "Drops", exact=False), "balances", "drops left no row of class 'c'"),
    (part(Resampler, "draws", "Draws", exact=False), "seed", "the same seed gives different rows"),
    (part(Resampler, "shifts", "Shifts", exact=False), "leaves_its_input", "it changes the rows it is given"),
    (part(Resampler, "never-draws", "NeverDraws"), "row_weights", "would never draw a row of class 'c'"),
    (part(Objective, "per-row", "per_row"), "scalar", r"the loss of 1 rows has the shape \(1,\), not a scalar's"),
    (part(Objective, "overflows", "overflows"), "extremes", "logits of 10,000 give nan"),
    (part(Objective, "divides", "divides_by_counts"), "absent_class", "a class without rows gives inf"),
    (part(Objective, "ascends", "ascends"), "descends", "following its gradient gets . of 30 rows right"),
    (part(Objective, "seeds-torch", "draws_at_random"), "global_state", "it changes the random numbers of torch"),
    (part(Searcher, "outside", "outside"), "inside", "it proposes rate=0.75, not 0.0 to 0.5"),
    (part(Searcher, "unseeded", "unseeded"), "repeatable", "the same seed proposes other configurations"),
    (part(Searcher, "stubborn", "stubborn"), "repeatable", "another seed proposes the same configurations"),
]


@hookimpl
def zoo_components() -> Iterator[Part]:
    for spec, _, _ in BROKEN:
        yield spec
    yield part(Block, "scale", "Scale", space={"start": Choice(0.5, 1.0)}, masked=True)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load([source_of("broken", sys.modules[__name__])])


@pytest.mark.parametrize(("spec", "wanted", "words"), BROKEN, ids=[f"{each[0].kind} {each[0].name}" for each in BROKEN])
def test_a_broken_promise_is_caught_by_the_check_named_for_it(
    registry: Registry, spec: Part, wanted: str, words: str
) -> None:
    (check,) = (each for each in checks_for(registry, registry.get(spec.kind, spec.name)) if each.name == wanted)
    with pytest.raises(NotConforming, match=words) as caught:
        check()
    assert "\n" not in str(caught.value)


def test_a_block_as_it_should_be_passes_every_check(registry: Registry) -> None:
    for check in checks_for(registry, registry.get("block", "scale")):
        check()


@pytest.mark.parametrize("kind", ["block", "dataset", "resampler", "objective", "searcher"])
def test_every_check_of_a_kind_has_one_that_it_catches(kind: str) -> None:
    assert {check.__name__ for check in KITS[kind].CHECKS} <= {name for spec, name, _ in BROKEN if spec.kind == kind}
