"""What a plugin offers: frozen descriptions that cost nothing to import.

A spec is data. Its `factory` is a string, `"package.module:Name"`, imported when the thing is built and
nowhere else, so a plugin module that only declares specs imports neither torch nor numpy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from zoo.space import Space, Value

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)?")
_PRESET_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class Component:
    """What every spec has: a name, where its code is, what it is and where it comes from.

    name       lower case, digits, `-` and `_`; a family may stand before a slash (`timm/resnet18`)
    factory    `"package.module:Name"`, called with keyword arguments when the component is built
    summary    one line for lists
    paper      the paper or other source, as a reader can find it
    libraries  distributions it computes with beside torch, numpy, scipy, scikit-learn and imbalanced-learn: their
               versions are recorded with a run, since its bits depend on them
    expected_failures  by the name of a conformance check (docs/checks.md), why it is known to fail
    """

    kind: ClassVar[str] = ""

    name: str
    factory: str
    summary: str
    paper: str = ""
    libraries: tuple[str, ...] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.kind} name {self.name!r} is not lower-case letters, digits, '-' and '_'")
        if not _FACTORY.fullmatch(self.factory):
            raise ValueError(f"{self.kind} {self.name!r}: factory {self.factory!r} is not 'package.module:Name'")
        for check, reason in self.expected_failures.items():
            if not reason.strip():
                raise ValueError(f"{self.kind} {self.name!r}: say why the check {check!r} is expected to fail")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named configuration of an architecture, reached as `architecture.preset`.

    params    the architecture's parameters; what is left out keeps the factory's default
    block     the block for its slot, with `block_params` for that block
    data      the resampler, with `data_params` for that resampler
    loss      the objective, with `loss_params` for that objective
    training  training settings by name (`batch_size`, `epochs`, `factor`, …)
    """

    summary: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)
    block: str | None = None
    block_params: Mapping[str, Value] = field(default_factory=dict)
    data: str | None = None
    data_params: Mapping[str, Value] = field(default_factory=dict)
    loss: str | None = None
    loss_params: Mapping[str, Value] = field(default_factory=dict)
    training: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for scope in ("data", "loss"):
            if getattr(self, f"{scope}_params") and getattr(self, scope) is None:
                raise ValueError(f"{scope}_params are those of the preset's {scope}, which it does not name")

    def params_for(self, scope: Literal["block", "data", "loss"], name: str | None) -> Mapping[str, Value]:
        """Its parameters for the component of that name; none for another than its own, None being the one it has."""
        own = {"block": self.block_params, "data": self.data_params, "loss": self.loss_params}
        return own[scope] if name in (None, getattr(self, scope)) else {}


@dataclass(frozen=True, kw_only=True)
class Architecture(Component):
    """A recipe for networks.

    The factory is called as `factory(*, n_channels, n_times, n_classes, block, **params)` (`block` only
    where there is a slot) and returns an `nn.Module` that maps float `(batch, n_channels, n_times)` to
    logits `(batch, n_classes)`. Where `takes_lengths`, the module is called as `module(x, lengths)` with
    int64 `(batch,)` whenever the data set declares lengths. Defaults of parameters stand in the factory's
    signature and run on a CPU. A class with a method `fit(batches, *, generator)`, named as the factory itself, is
    fitted by that, in place of the epoch loop: see `zoo.training.fitting`.

    block_dims  the dimensions (1 or 2) of the block slot; None: no slot
    block       the slot's default block
    recurrent   whether it steps through time: such nets run on one thread unless told otherwise
    min_times   the shortest series it can take
    spaces      search spaces by name; `default` is the one used unless another is asked for
    """

    kind: ClassVar[str] = "architecture"

    block_dims: int | None = None
    block: str = "none"
    takes_lengths: bool = False
    recurrent: bool = False
    min_times: int = 1
    spaces: Mapping[str, Space] = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.block_dims not in (None, 1, 2):
            raise ValueError(f"architecture {self.name!r}: block_dims is {self.block_dims!r}, not None, 1 or 2")
        for preset in self.presets:
            if not is_preset_name(preset):
                raise ValueError(f"architecture {self.name!r}: preset name {preset!r} is not valid")


@dataclass(frozen=True, kw_only=True)
class Block(Component):
    """A reusable layer that keeps its input's shape.

    The factory is called as `factory(channels, *, dims, **params)` and returns a module with
    `forward(x, mask=None)`: `x` is `(batch, channels, times)` for dims 1, `(batch, channels, height, width)`
    for dims 2; `mask` is bool `(batch, 1, times)`, true where a sample is valid.

    dims    the dimensions it has a form for
    masked  whether it keeps padding out of valid positions when it is given a mask
    """

    kind: ClassVar[str] = "block"

    dims: tuple[int, ...] = (1, 2)
    masked: bool = False
    space: Space = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Dataset(Component):
    """A source of labelled series.

    The factory is called as `factory(**params)` and returns a `zoo.data.LabelledSeries`; it raises
    `zoo.DataError` where it cannot. Two of the parameters are the harness's:

    from_files  the factory takes `data_dir`, a `pathlib.Path`, or None where none was given
    generated   the factory takes `rows`, the size of the training set, or None for its own default
    synthetic   the rows are simulated: said wherever a score on them is shown
    homepage    where people find it
    """

    kind: ClassVar[str] = "dataset"

    from_files: bool = False
    generated: bool = False
    synthetic: bool = False
    homepage: str = ""


@dataclass(frozen=True, kw_only=True)
class Resampler(Component):
    """What balances the training set, and nothing else.

    The factory is called as `factory(*, random_state, **params)` and returns one of three things: an object with
    imbalanced-learn's `fit_resample(X, y)` on float32 `(rows, channels * times)`, and `sampling_strategy_` after
    it; an object with `row_weights(labels)`, which leaves the rows as they are and gives float64 `(rows,)`, how
    likely each is to be drawn for a batch, up to a factor; or None, which leaves the rows as they are.

    interpolates  makes new rows between neighbours: refused where lengths are declared unequal
    exact         meets the counts it was asked for; where not, the classes are only to be nearer to balance than
                  before, or within two to one
    """

    kind: ClassVar[str] = "resampler"

    interpolates: bool = False
    exact: bool = True


@dataclass(frozen=True, kw_only=True)
class Objective(Component):
    """The training loss.

    The factory is called as `factory(*, class_counts, **params)`, `class_counts` an int64 tensor
    `(n_classes,)` of the rows as they are trained on, after resampling; it returns a callable that maps logits
    `(batch, n_classes)` and int64 targets `(batch,)` to a scalar tensor.
    """

    kind: ClassVar[str] = "objective"


@dataclass(frozen=True, kw_only=True)
class Searcher(Component):
    """Proposes hyperparameters.

    The factory is called as `factory(*, seed, startup, **params)` and returns one of Ray Tune's: a `Searcher`, or a
    `SearchAlgorithm`. `startup` is how many proposals are drawn at random first; the space and the metric it is told
    by Tune. With one trial at a time, one seed proposes the same configurations.
    """

    kind: ClassVar[str] = "searcher"


Spec = Architecture | Block | Dataset | Resampler | Objective | Searcher
KINDS: Mapping[str, type[Component]] = {
    spec.kind: spec for spec in (Architecture, Block, Dataset, Resampler, Objective, Searcher)
}


def is_preset_name(name: str) -> bool:
    """Whether a preset may be called so beside its architecture: lower case, digits, `-`, `_` and `.`."""
    return _PRESET_NAME.fullmatch(name) is not None


def full_name(architecture: str, preset: str) -> str:
    """`cnngru.study`, as the command line names a preset; the architecture alone where there is no preset."""
    return f"{architecture}.{preset}" if preset else architecture
