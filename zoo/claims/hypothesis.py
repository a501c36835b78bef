"""A hypothesis: a claim on two groups of configurations, precise enough that stored runs confirm or refute it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import Any

from zoo.harness.request import Request
from zoo.space import Value
from zoo.tuning.request import TuneRequest

AXES = ("architecture", "preset", "block", "data", "loss", "treatment", "scale")
NAMES = ("architecture", "preset")  # the axes of the name of a network
TREATMENT = ("data", "loss")  # the axes that a treatment names together


class Kind(StrEnum):
    """What a part of a hypothesis compares."""

    DIFFERENCE = "difference"
    REPRODUCIBLE = "reproducible"
    TUNED = "tuned"


class Direction(StrEnum):
    """The side of the second group on which a claim sees the first one."""

    HIGHER = "higher"
    LOWER = "lower"
    EQUAL = "equal"


@dataclass(frozen=True)
class Group:
    """Configurations: values by axis, and settings as `--set` takes them.

    name  how answers call the group; if it is empty, its values are its name
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""

    def __str__(self) -> str:
        texts = [", ".join(values) for values in self.values.values()]
        texts += [f"{key.rpartition('.')[2]}={value}" for key, value in self.settings.items()]
        return self.name or " ".join(texts) or "defaults"

    def named(self) -> set[str]:
        """Return the axes that the group names; a treatment names the resampler and the loss."""
        return {*self.values, *(TREATMENT if "treatment" in self.values else ())}

    def over(self, common: "Group") -> "Group":
        """Return the group with the values and settings of `common` that it does not name itself."""
        hidden = self.named() | ({"treatment"} if self.named() & {*TREATMENT} else set())
        rest = {axis: values for axis, values in common.values.items() if axis not in hidden}
        return Group({**rest, **self.values}, {**common.settings, **self.settings}, self.name)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One test of a hypothesis.

    kind       a difference of two groups; `reproducible`: different seeds differ, equal seeds agree to the bit;
               `tuned`: the winner of a search, compared with the defaults
    metric     a score, `recall:F`, `overfitting`, `steps_to:0.5`, or a cost such as `train_seconds`
    direction, margin  the claim: the first is higher (lower) than the second by more than the margin; or equal: the
               difference is smaller than the margin
    ratio      whether the margin is a factor, not a difference
    common     what both groups have, and `first` and `second`: what tells them apart
    datasets   the data sets, each of which counts once; `if_available`: those that count only if they can be read
    steps      gradient steps of each run; the number of epochs follows from the rows and the batch size
    options    further fields of a request, such as the column of the labels of a file
    search, trials, space  of the kind `tuned`: the searcher, its number of trials, and keys as `--tune` takes them
    """

    kind: Kind = Kind.DIFFERENCE
    metric: str = "macro_recall"
    direction: Direction = Direction.HIGHER
    margin: float = 0.0
    ratio: bool = False
    common: Group = field(default_factory=Group)
    first: Group = field(default_factory=Group)
    second: Group = field(default_factory=Group)
    datasets: tuple[str, ...] = ()
    if_available: tuple[str, ...] = ()
    protocol: str = ""
    seeds: tuple[int, ...] = ()
    rows: int | None = None
    epochs: int | None = None
    steps: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    search: str = "random"
    trials: int = 0
    space: tuple[str, ...] = ()

    @property
    def sides(self) -> tuple[Group, ...]:
        """The groups of runs: two, or one group whose runs are compared with each other."""
        return (self.first, self.second) if self.kind == Kind.DIFFERENCE else (Group(),)

    @property
    def shared(self) -> tuple[str, ...]:
        """The axes that both groups have in common, and by which their configurations are paired."""
        named = self.first.named() | self.second.named()
        return tuple(axis for axis in self.common.values if axis not in named)

    def request(self, side: Group, dataset: str, seeds: Sequence[int] | None = None) -> Request:
        """Return the request of a bench for the configurations of a side, on one data set."""
        whole = side.over(self.common)
        axes: dict[str, Any] = {axis: values for axis, values in whole.values.items() if axis not in NAMES}
        return Request.of(
            _references(whole.values),
            **axes,
            dataset=dataset,
            protocol=self.protocol or None,
            seeds=self.seeds if seeds is None else seeds,
            rows=self.rows,
            resume=True,
            **self._length(whole.settings),
            **self.options,
        )

    def tune_request(self, dataset: str, seed: int | None = None) -> TuneRequest:
        """Return the request of the search of a seed, by default the first one.

        A setting that the space names is not fixed: the defaults have its default value.
        """
        searched = {text.partition("=")[0].strip() for text in self.space}
        cell = self.request(Group(), dataset, self.seeds[:1] if seed is None else (seed,))
        fixed = {name: value for name, value in cell.assignments.items() if name not in searched}
        asked = replace(cell, assignments=fixed, resume=False)
        return TuneRequest(cell=asked, search=self.search, trials=self.trials, overrides=self.space)

    def _length(self, settings: Mapping[str, Value]) -> dict[str, Any]:
        """Return the epochs and the settings. With a number of steps, no run stops early."""
        if self.steps is None or self.rows is None:
            return {"epochs": self.epochs, "assignments": settings}
        per_epoch = ceil(self.rows / int(settings["training.batch_size"]))
        return {"epochs": ceil(self.steps / per_epoch), "assignments": {"training.patience": 0, **settings}}


@dataclass(frozen=True)
class Hypothesis:
    """A claim with its tests: it is confirmed if all parts are, and refuted if one of them is."""

    id: str
    text: str
    parts: tuple[Part, ...]

    def label(self, number: int) -> str:
        """Return how tables call a part, counted from 0: `9`, or `9.2` if there are several."""
        return self.id if len(self.parts) == 1 else f"{self.id}.{number + 1}"


@dataclass(frozen=True)
class Elsewhere:
    """Data and seeds for all hypotheses of a file, in place of those that it names; None and () change nothing."""

    datasets: tuple[str, ...] = ()
    protocol: str | None = None
    seeds: int | None = None
    rows: int | None = None
    data_dir: Path | None = None

    def applied(self, part: Part) -> Part:
        """Return a part with these data and seeds."""
        named = {"protocol": self.protocol, "rows": self.rows, "seeds": self.seeds and tuple(range(self.seeds))}
        changed: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        if self.datasets:
            changed |= {"datasets": self.datasets, "if_available": ()}
        if self.data_dir is not None:
            changed["options"] = {**part.options, "data_dir": self.data_dir}
        return replace(part, **changed)


@dataclass(frozen=True)
class HypothesisFile:
    """The hypotheses of a file, and the folders of published results that it names."""

    path: Path
    hypotheses: tuple[Hypothesis, ...]
    results: tuple[Path, ...] = ()

    def elsewhere(self, other: Elsewhere) -> "HypothesisFile":
        """Return the file with other data or seeds for all its hypotheses."""
        changed = (replace(each, parts=tuple(other.applied(part) for part in each.parts)) for each in self.hypotheses)
        return replace(self, hypotheses=tuple(changed))

    def only(self, ids: Sequence[str]) -> "HypothesisFile":
        """Return the file with these hypotheses only. Raises UnknownName, with the nearest id, for another one."""
        from zoo.errors import unknown_name

        known = [each.id for each in self.hypotheses]
        for name in ids:
            if name not in known:
                raise unknown_name("hypothesis", name, known)
        return replace(self, hypotheses=tuple(each for each in self.hypotheses if not ids or each.id in ids))


def _references(values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    architectures, presets = values.get("architecture", ()), values.get("preset", ())
    return tuple(f"{name}.{preset}" for name in architectures for preset in presets) if presets else architectures
