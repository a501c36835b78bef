"""Parts of runs that break one promise each, on purpose: the check named for it says so."""

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ray.tune.search.basic_variant import BasicVariantGenerator
from torch import Tensor, nn

from zoo import Block, Choice, DataError, Dataset, Objective, Resampler, Searcher, hookimpl
from zoo.data.series import DeclaredSplit, LabelledSeries
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


class Frozen(Scale):
    """Keeps every promise too, with a parameter that is not trained, and dropout."""

    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__(channels, dims=dims)
        self.spare = nn.Parameter(torch.ones(1), requires_grad=False)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(nn.functional.dropout(x * self.spare, 0.1, self.training))


class SeveralTimes(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x if x.shape[-1] > 1 else x[..., 1:])


class Turns(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x).transpose(-1, -2) if x.ndim == 4 else super().forward(x)


class OddLengths(Scale):
    """Halves and doubles, which loses the last of an odd number."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x)[..., : max(1, x.shape[-1] // 2 * 2)]


class OddChannels(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x)[:, : max(1, x.shape[1] // 2 * 2)]


class FewChannels(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x)[:, :32]


class FewTimes(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x)[..., :256]


class WithoutMask(Scale):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x)


class Blocked(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(torch.ones_like(x)) + 0 * x


class Roots(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x).square().sqrt()


class Counts(Scale):
    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__(channels, dims=dims)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.seen += len(x)
        return super().forward(x)


class Remembers(Scale):
    """Adds to several rows what the last single one left."""

    last: Any = 0.0

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if len(x) > 1:
            return super().forward(x + self.last)
        self.last = x.detach().mean()
        return super().forward(x)


class InPlace(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(nn.functional.relu(x, inplace=not self.training))


class InPlaceInTraining(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(nn.functional.relu(x, inplace=self.training))


class LeavesFactors(Scale):
    """Its offsets are no parameter and no buffer, so that they do not follow it to a GPU."""

    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__(channels, dims=dims)
        self.offsets = torch.zeros_like(self.factors.data)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x + self.offsets)


class ToTheCpu(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return torch.zeros_like(super().forward(x), device="cpu")


class WidePadding(Scale):
    """Subtracts a mean over all samples but for its own: right for any padding that is zero, and not for more of it."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        kept = x if mask is None else x * mask
        return super().forward(x - kept.mean(-1, keepdim=True))


class Noisy(Scale):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x + float(np.random.default_rng().normal()) * self.training)


def positional(*, channels: int, dims: int) -> nn.Module:
    return Scale(channels, dims=dims)


def series(labels: Any = (0, 0, 1, 1), noise: float = 0.0) -> LabelledSeries:
    values = np.linspace(0, 1, len(labels) * 8, dtype=np.float32).reshape(len(labels), 1, 8)
    return LabelledSeries(values + np.float32(noise), np.asarray(labels, dtype=np.int64), ("a", "b"))


def plain() -> LabelledSeries:
    """Patients have names, which are other objects each time."""
    return replace(series(), groups=np.array([f"patient {number}" for number in range(4)], dtype=object))


def one_class() -> LabelledSeries:
    return series((0, 0, 0))


def not_series() -> list[int]:
    return [1, 2]


def differs() -> LabelledSeries:
    return series(noise=float(np.random.default_rng().normal()))


def other_patients() -> LabelledSeries:
    return replace(series(), groups=np.random.default_rng().integers(1000, size=4))


def other_split() -> LabelledSeries:
    parts = np.random.default_rng().integers(3, size=64).astype(np.int8)
    return replace(series([0, 1] * 32), splits={"official": DeclaredSplit(parts)})


def short_split() -> LabelledSeries:
    return replace(series(), splits={"official": DeclaredSplit(np.zeros(3, dtype=np.int8))})


def shares_a_patient() -> LabelledSeries:
    split = DeclaredSplit(np.array([0, 0, 2, 2], np.int8), by_group=True, notes=("by patient, as published",))
    return replace(series(), groups=np.array([7, 8, 8, 9]), splits={"inter-patient": split})


def says_so() -> LabelledSeries:
    found = shares_a_patient()
    split = replace(found.splits["inter-patient"], notes=("patient 8 is in both sets, as published",))
    return replace(found, splits={"inter-patient": split})


def other_rows(*, rows: int | None) -> LabelledSeries:
    return series()


def small_labels() -> LabelledSeries:
    return replace(series(), labels=np.zeros(4, dtype=np.int32))


def third_class() -> LabelledSeries:
    return series((0, 1, 2))


def finds_files(*, data_dir: Path | None) -> LabelledSeries:
    return series()


class TwoLines(DataError):
    def __str__(self) -> str:
        return "no files\nlook there"


def says_much(*, data_dir: Path | None) -> LabelledSeries:
    raise TwoLines


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


class Doubles(Drops):
    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        rows = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        return values[rows].astype(np.float64), labels[rows]


class Floats(Drops):
    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        rows = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        return values[rows], labels[rows].astype(np.float32)


class Fourth(Drops):
    """Gives a few rows to a class that there is not."""

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        rows = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        return values[rows], np.where(np.arange(72) % 24 < 2, 3, labels[rows])


class Mixes(Drops):
    """Orders the rows and not their labels."""

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        rows = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        return values[np.random.default_rng(0).permutation(rows)], labels[rows]


class Forgets(Drops):
    """Keeps rows, and does not say which."""

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        rows = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        return values[rows], labels[rows]


class Misnames(Drops):
    """Keeps rows, and says that it kept others."""

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        rows = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        self.sample_indices_ = np.sort(rows - 1)
        return values[rows], labels[rows]


class Weighs:
    def __init__(self, *, random_state: int) -> None: ...

    def row_weights(self, labels: Any) -> Any:
        return np.random.default_rng().random(len(labels))


class Relabels(Weighs):
    def row_weights(self, labels: Any) -> Any:
        labels[:] = np.maximum(labels, 1)
        return np.ones(len(labels))


class Cuts(Drops):
    """Keeps every promise of a resampler that leaves rows out."""

    def fit_resample(self, values: Any, labels: Any) -> tuple[Any, Any]:
        self.sample_indices_ = np.concatenate([np.flatnonzero(labels == label)[:24] for label in range(3)])
        return values[self.sample_indices_], labels[self.sample_indices_]


class DrawsAlike(Weighs):
    """Keeps every promise of one that draws batches."""

    def row_weights(self, labels: Any) -> Any:
        return 1 / np.bincount(labels)[labels]


class NeverDraws:
    def __init__(self, *, random_state: int) -> None: ...

    def row_weights(self, labels: Any) -> Any:
        return (labels < 2).astype(float)


Loss = Callable[[Tensor, Tensor], Tensor]


def entropy(*, class_counts: Tensor) -> Loss:
    return nn.CrossEntropyLoss()


def per_row(*, class_counts: Tensor) -> Loss:
    return nn.CrossEntropyLoss(reduction="none")


def overflows(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: nn.functional.nll_loss(logits.exp() / logits.exp().sum(1, keepdim=True), targets)


def divides_by_counts(*, class_counts: Tensor) -> Loss:
    weights = 1 / class_counts
    return lambda logits, targets: nn.functional.cross_entropy(logits, targets) * weights.mean()


def ascends(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: -nn.functional.cross_entropy(logits, targets).clamp(max=20)


def roots(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: nn.functional.cross_entropy(logits, targets).sqrt()


def weighs_roots(*, class_counts: Tensor) -> Loss:
    """Loses nothing where a class has no rows, and has no gradient either."""
    missing = (class_counts == 0).sum()
    return lambda logits, targets: nn.functional.cross_entropy(logits, targets) + (missing * 0 * logits.sum()).sqrt()


def double(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: nn.functional.cross_entropy(logits.double(), targets)


def of_three(*, class_counts: Tensor) -> Loss:
    return nn.CrossEntropyLoss(weight=torch.ones(3))


def halves(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: nn.functional.cross_entropy(logits.detach().mul_(0.5) * 0 + logits, targets)


def fills_counts(*, class_counts: Tensor) -> Loss:
    return nn.CrossEntropyLoss(weight=1 / class_counts.clamp_(min=1))


def renumbers(*, class_counts: Tensor) -> Loss:
    return lambda logits, targets: nn.functional.cross_entropy(logits, targets.clamp_(max=1))


def draws_at_random(*, class_counts: Tensor) -> Loss:
    torch.manual_seed(0)
    return nn.CrossEntropyLoss()


class Outside(BasicVariantGenerator):
    """Proposes one rate, outside the space."""

    def next_trial(self) -> Any:
        trial = super().next_trial()
        trial.config["rate"] = 0.75
        return trial


class Above(BasicVariantGenerator):
    """Proposes one rate below the space where less is better."""

    def set_search_properties(self, metric: Any, mode: Any, config: Any, **spec: Any) -> bool:
        self.least = mode == "min"
        return True

    def next_trial(self) -> Any:
        trial = super().next_trial()
        trial.config["rate"] -= self.least
        return trial


class Ends(BasicVariantGenerator):
    """Proposes nothing more when a trial has failed."""

    failed = False

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        self.failed |= error

    def next_trial(self) -> Any:
        return None if self.failed else super().next_trial()


class Whole(BasicVariantGenerator):
    def next_trial(self) -> Any:
        trial = super().next_trial()
        trial.config["units"] = float(trial.config["units"])
        return trial


class Lacks(BasicVariantGenerator):
    def next_trial(self) -> Any:
        trial = super().next_trial()
        del trial.config["layers"]
        return trial


class Unknown(BasicVariantGenerator):
    def next_trial(self) -> Any:
        trial = super().next_trial()
        trial.config["kind"] = "c"
        return trial


def above(*, seed: int, startup: int) -> Above:
    return Above(random_state=seed)


def ends(*, seed: int, startup: int) -> Ends:
    return Ends(random_state=seed)


def whole(*, seed: int, startup: int) -> Whole:
    return Whole(random_state=seed)


def lacks(*, seed: int, startup: int) -> Lacks:
    return Lacks(random_state=seed)


def unknown(*, seed: int, startup: int) -> Unknown:
    return Unknown(random_state=seed)


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
    (part(Block, "positional", "positional"), "factory", "not accept the arguments of the harness: too many posi"),
    (part(Block, "halves", "Halves"), "shapes", r"\(2, 1, 2\) becomes \(2, 1, 1\)"),
    (part(Block, "several-times", "SeveralTimes"), "shapes", r"\(2, 1, 1\) becomes \(2, 1, 0\)"),
    (part(Block, "turns", "Turns"), "shapes", r"\(2, 1, 2, 1\) becomes \(2, 1, 1, 2\)"),
    (part(Block, "odd-lengths", "OddLengths"), "shapes", r"\(2, 1, 187\) becomes \(2, 1, 186\)"),
    (part(Block, "odd-channels", "OddChannels"), "shapes", r"\(2, 3, 1\) becomes \(2, 2, 1\)"),
    (part(Block, "few-channels", "FewChannels"), "shapes", r"\(2, 64, 1\) becomes \(2, 32, 1\)"),
    (part(Block, "few-times", "FewTimes"), "shapes", r"\(2, 1, 500\) becomes \(2, 1, 256\)"),
    (part(Block, "without-mask", "WithoutMask"), "shapes", "takes 2 positional arguments but 3 were given"),
    (part(Block, "blocked", "Blocked"), "gradients", "^the gradient of the input is zero in 1-D$"),
    (part(Block, "roots", "Roots"), "gradients", "factors gets no finite gradient in 1-D for a flat or large input"),
    (part(Block, "counts", "Counts"), "batch_independence", "a forward pass in eval mode changes seen in 1-D"),
    (part(Block, "remembers", "Remembers"), "batch_independence", "a row depends on earlier batches in 1-D"),
    (part(Block, "in-place", "InPlace"), "leaves_its_input", "it changes its input in eval mode in 1-D"),
    (part(Block, "in-training", "InPlaceInTraining"), "leaves_its_input", "its input in training mode in 1-D"),
    (
        part(Block, "leaves-factors", "LeavesFactors"),
        "moves",
        r"a tensor \(8, 1\) stays on the CPU: make it a parameter",
    ),
    (part(Block, "to-the-cpu", "ToTheCpu"), "moves", "its output stays behind in 1-D"),
    (part(Block, "wide", "WidePadding", masked=True), "padding", "^more padding changes valid positions$"),
    (part(Block, "noisy", "Noisy"), "seed", "different outputs in training mode in 1-D"),
    (part(Block, "bad-value", "Scale", space={"start": Choice("x")}), "keys", "start must be a number, not 'x'"),
    (part(Block, "rare", "Divides", space={"reduction": Choice(*[1] * 40, 4)}), "spaces", "The size of tensor"),
    (part(Block, "double", "Double"), "finite", "its output is torch.float64 in training mode in 1-D"),
    (part(Block, "standardised", "Standardised"), "finite", "NaN or infinite in training mode in 1-D"),
    (part(Block, "unused", "Unused"), "gradients", "spare gets no finite gradient in 1-D"),
    (part(Block, "neighbours", "Neighbours"), "batch_independence", "rows depend on each other in 1-D"),
    (
        part(Block, "padded", "MeansOverPadding", masked=True),
        "padding",
        "padding affects valid positions in training mode",
    ),
    (part(Block, "unseeded", "Unseeded"), "seed", "the same seed produces different weights"),
    (part(Block, "forgetful", "Forgetful"), "weights", "the state dict is incomplete: the output depends on other"),
    (part(Block, "with-lambda", "WithLambda"), "copies", "^it cannot be pickled: "),
    (part(Block, "bad-key", "Scale", space={"strat": Choice(1.0)}), "keys", "its space has strat"),
    (part(Block, "bad-space", "Divides", space={"reduction": Choice(4)}), "spaces", "RuntimeError: The size of tensor"),
    (part(Dataset, "one-class", "one_class"), "loads", r"classes have \[3, 0\] rows"),
    (part(Dataset, "short-split", "short_split"), "loads", "^its split official has 3 rows, not 4$"),
    (part(Dataset, "shares-a-patient", "shares_a_patient"), "loads", "inter-patient has patient 8 in the test set and"),
    (part(Dataset, "other-rows", "other_rows", generated=True), "loads", "it returns 0 more rows"),
    (part(Dataset, "small-labels", "small_labels"), "loads", "labels are int32, not int64"),
    (part(Dataset, "third-class", "third_class"), "loads", "labels range from 0 to 2; expected 0 to 1"),
    (part(Dataset, "other-patients", "other_patients"), "repeats", "^after two loads, its groups differ$"),
    (part(Dataset, "other-split", "other_split"), "repeats", "^after two loads, its splits differ$"),
    (part(Dataset, "not-series", "not_series"), "loads", "its factory returns list, not LabelledSeries"),
    (part(Dataset, "finds-files", "finds_files", from_files=True), "loads", "it raises no DataError "),
    (part(Dataset, "says-much", "says_much", from_files=True), "loads", "its error for missing files is longer than"),
    (part(Dataset, "differs", "differs"), "repeats", "^after two loads, its values differ$"),
    (part(Dataset, "seeds-numpy", "seeds_numpy"), "global_state", "it changes NumPy's random state"),
    (part(Dataset, "writes-a-cache", "writes_a_cache"), "writes", "it writes cache.npz in the working folder"),
    (part(Resampler, "drops", "Drops", exact=False), "balances", "drops removed all rows of class 'c'"),
    (part(Resampler, "draws", "Draws", exact=False), "seed", "the same seed produces different rows"),
    (part(Resampler, "shifts", "Shifts", exact=False), "leaves_its_input", "it changes its input rows or labels"),
    (part(Resampler, "doubles", "Doubles", exact=False), "balances", "values become float64"),
    (part(Resampler, "floats", "Floats", exact=False), "balances", "labels become float32"),
    (part(Resampler, "fourth", "Fourth", exact=False), "balances", "3 classes become 4"),
    (part(Resampler, "mixes", "Mixes", exact=False), "keeps_classes", "the mean of class a moves by 0.[4-9]"),
    (part(Resampler, "forgets", "Forgets", exact=False), "lengths", "does not report which rows it took"),
    (part(Resampler, "misnames", "Misnames", exact=False), "lengths", "^rows get the lengths of other rows$"),
    (part(Resampler, "weighs", "Weighs"), "seed", "the same seed produces different weights"),
    (part(Resampler, "relabels", "Relabels"), "leaves_its_input", "it changes its input rows or labels"),
    (part(Resampler, "never-draws", "NeverDraws"), "row_weights", "would never draw a row of class 'c'"),
    (
        part(Objective, "per-row", "per_row"),
        "scalar",
        r"the loss of 1 rows of 3 classes has the shape \(1,\), not \(\)",
    ),
    (part(Objective, "double", "double"), "scalar", "the loss of 1 rows of 3 classes is torch.float64"),
    (part(Objective, "of-three", "of_three"), "scalar", "RuntimeError: weight tensor"),
    (part(Objective, "halves", "halves"), "leaves_its_input", "^it changes its input: logits$"),
    (part(Objective, "renumbers", "renumbers"), "leaves_its_input", "^it changes its input: targets$"),
    (part(Objective, "fills-counts", "fills_counts"), "leaves_its_input", "^it changes its input: class counts$"),
    (part(Objective, "overflows", "overflows"), "extremes", "for logits of 10,000 the loss is nan"),
    (part(Objective, "roots", "roots"), "extremes", "for logits of 10,000 the loss is 0.0"),
    (part(Objective, "weighs-roots", "weighs_roots"), "absent_class", r"with a class without rows the loss is \d\.\d+"),
    (part(Objective, "divides", "divides_by_counts"), "absent_class", "a class without rows the loss is inf"),
    (part(Objective, "ascends", "ascends"), "descends", "its gradient classify only . of 30 rows c"),
    (part(Objective, "seeds-torch", "draws_at_random"), "global_state", "it changes torch's random state"),
    (part(Searcher, "outside", "outside"), "inside", "it proposes rate=0.75, not 0.0 to 0.5"),
    (part(Searcher, "above", "above"), "inside", r"it proposes rate=-0\.\d+, not 0.0 to 0.5"),
    (part(Searcher, "ends", "ends"), "inside", "^it proposes nothing after 3 trials$"),
    (part(Searcher, "whole", "whole"), "inside", r"it proposes units=\d+\.0, which is not int"),
    (part(Searcher, "lacks", "lacks"), "inside", r"it proposes values for \['kind', 'rate'"),
    (part(Searcher, "unknown", "unknown"), "inside", "it proposes kind='c', not one of a, b"),
    (part(Searcher, "unseeded", "unseeded"), "repeatable", "the same seed proposes different config"),
    (part(Searcher, "stubborn", "stubborn"), "repeatable", "different seeds propose the same config"),
]


@hookimpl
def zoo_components() -> Iterator[Part]:
    for spec, _, _ in BROKEN:
        yield spec
    yield part(Block, "scale", "Scale", space={"start": Choice(0.5, 1.0)}, masked=True)
    yield part(Block, "bare", "Frozen", dims=(2,), masked=True)
    yield part(Resampler, "cuts", "Cuts", exact=False)
    yield part(Resampler, "draws-alike", "DrawsAlike")
    yield part(Dataset, "plain", "plain")
    yield part(Dataset, "says-so", "says_so")
    yield part(Objective, "entropy", "entropy")


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


# Parts that keep every promise, and the checks that apply to them of those that do not apply to all.
FINE = {
    "block scale": {"keys", "padding", "spaces"},
    "block bare": set(),
    "dataset plain": {"repeats"},
    "dataset says-so": {"repeats"},
    "objective entropy": set(),
    "resampler cuts": {"lengths"},
    "resampler draws-alike": {"lengths", "row_weights"},
}


@pytest.mark.parametrize("name", FINE)
def test_a_part_as_it_should_be_passes_every_check_that_applies(registry: Registry, name: str) -> None:
    kind, _, own = name.partition(" ")
    checks = list(checks_for(registry, registry.get(kind, own)))
    for check in checks:
        check()
    somewhere = {function.__name__ for function in getattr(KITS[kind], "WHERE", {})}
    assert {check.name for check in checks} & somewhere == FINE[name]


def test_what_a_data_set_from_files_cannot_show_is_not_listed_as_checked(registry: Registry) -> None:
    assert "repeats" not in {check.name for check in checks_for(registry, registry.get("dataset", "says-much"))}


@pytest.mark.parametrize("kind", ["block", "dataset", "resampler", "objective", "searcher"])
def test_every_check_of_a_kind_has_one_that_it_catches(kind: str) -> None:
    assert {check.__name__ for check in KITS[kind].CHECKS} <= {name for spec, name, _ in BROKEN if spec.kind == kind}
