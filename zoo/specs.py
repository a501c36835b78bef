"""Specs: the descriptions of the components that a plugin provides, frozen and cheap to import.

A spec is data. Its `factory` is a string, `"package.module:Name"`, which is imported only when the component is
built. A plugin module that only declares specs therefore imports neither torch nor numpy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar, Literal

from zoo.space import Space, Value

GROUP = "zoo"  # the group of the entry points that name plugins
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)?")
_PRESET_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
SCALES = ("none", "standard", "standard-per-series", "minmax-per-series")  # the values of `--scale`


@dataclass(frozen=True, kw_only=True)
class Component:
    """The fields of every spec: name, factory, description and source.

    name       lower-case letters, digits, `-` and `_`; a family may come before a slash (`timm/resnet18`)
    factory    `"package.module:Name"`, called with keyword arguments to build the component
    summary    one line for lists
    paper      the paper or other source, in a form that a reader can find
    libraries  distributions that the component computes with, apart from torch, numpy, scipy, scikit-learn and
               imbalanced-learn; their versions are recorded with each run, because its results depend on them
    files      parameters that are paths of files, such as `("weights",)`: the key of a run has the sha256 of the
               content, not the path, and a missing file is an error of one line. The factory receives an absolute path.
               When a trained network is built again, for `zoo.load` and for its score, it receives None: it must read
               no file then, and build the same layers; the stored state is loaded into them
    expected_failures  the conformance checks (docs/checks.md) that are known to fail, each with the reason
    """

    kind: ClassVar[str] = ""

    name: str
    factory: str
    summary: str
    paper: str = ""
    libraries: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.kind} name {self.name!r} is not made of lower-case letters, digits, '-' and '_'")
        if not _FACTORY.fullmatch(self.factory):
            raise ValueError(f"{self.kind} {self.name!r}: factory {self.factory!r} is not 'package.module:Name'")
        for check, reason in self.expected_failures.items():
            if not reason.strip():
                raise ValueError(f"{self.kind} {self.name!r}: the expected failure of check {check!r} needs a reason")

    @property
    def key_name(self) -> str:
        """The name in the key of a run, whatever other components are installed."""
        return self.name


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named configuration of an architecture, used as `architecture.preset`.

    params    parameters of the architecture; all others keep the factory's defaults
    block     the block for the slot; `block_params` are its parameters
    data      the resampler; `data_params` are its parameters
    loss      the objective; `loss_params` are its parameters
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
                raise ValueError(f"{scope}_params without {scope}: set {scope} too")

    def params_for(self, scope: Literal["block", "data", "loss"], name: str | None) -> Mapping[str, Value]:
        """Return the preset's parameters for the component `name`.

        They are empty unless `name` is None or the preset's own component.
        """
        own = {"block": self.block_params, "data": self.data_params, "loss": self.loss_params}
        return own[scope] if name in (None, getattr(self, scope)) else {}


@dataclass(frozen=True, kw_only=True)
class Architecture(Component):
    """A recipe for networks.

    The factory is called as `factory(*, n_channels, n_times, n_classes, block, **params)` (`block` only if the
    architecture has a slot). It returns an `nn.Module` that maps float `(batch, n_channels, n_times)` to logits
    `(batch, n_classes)`. If `takes_lengths` is true and the data set declares lengths, the module is called as
    `module(x, lengths)`, with `lengths` int64 `(batch,)`. The factory's signature defines the defaults of the
    parameters, and with these the network must run on a CPU. If the factory is a class with a method
    `fit(batches, *, generator)`, that method replaces the epoch loop: see `zoo.training.fitting`.

    block_dims  the dimensions of the block slot, 1 or 2; None: no slot
    block       the default block of the slot
    recurrent   whether the network steps through time; such networks use one thread by default
    min_times   the length of the shortest series that the network accepts
    needs_validation  whether it needs validation rows; False for a class with `fit` that can choose without them, by
                scores of training rows that it holds out: only then may users set `training.validation=0`
    learning_rate  the rate at which the network of the factory's own size learns well; a preset or a user's setting
                overrides it; None: the rate of `registry.toml`
    spaces      search spaces by name; `default` is used unless another is requested
    """

    kind: ClassVar[str] = "architecture"

    block_dims: int | None = None
    block: str = "none"
    takes_lengths: bool = False
    recurrent: bool = False
    min_times: int = 1
    needs_validation: bool = True
    learning_rate: float | None = None
    spaces: Mapping[str, Space] = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.block_dims not in (None, 1, 2):
            raise ValueError(f"architecture {self.name!r}: block_dims must be None, 1 or 2, not {self.block_dims!r}")
        if self.learning_rate is not None and not 0 < self.learning_rate < inf:
            raise ValueError(f"architecture {self.name!r}: learning_rate {self.learning_rate!r} is not above 0")
        for preset in self.presets:
            if not is_preset_name(preset):
                raise ValueError(f"architecture {self.name!r}: preset name {preset!r} is not valid")


@dataclass(frozen=True, kw_only=True)
class Block(Component):
    """A reusable layer that keeps the shape of its input.

    The factory is called as `factory(channels, *, dims, **params)` and returns a module with
    `forward(x, mask=None)`: `x` is `(batch, channels, times)` for dims 1, `(batch, channels, height, width)`
    for dims 2; `mask` is bool `(batch, 1, times)`, true where a sample is valid.

    dims    the dimensions that the block supports
    masked  whether the block keeps padding out of valid positions when it receives a mask
    """

    kind: ClassVar[str] = "block"

    dims: tuple[int, ...] = (1, 2)
    masked: bool = False
    space: Space = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Dataset(Component):
    """A source of labelled series.

    The factory is called as `factory(**params)` and returns a `zoo.data.LabelledSeries`. It raises `zoo.DataError` if
    the data cannot be used. Each of `from_files` and `generated` adds an argument that the harness passes:

    from_files  the factory takes `data_dir`, a `pathlib.Path`, or None if no folder was given
    generated   the factory takes `rows`, the size of the training set, or None for its own default
    synthetic   the rows are simulated; the word "synthetic" is shown with every score on them
    scale       how the rows are scaled unless `--scale` is given: none, standard, standard-per-series or
                minmax-per-series
    homepage    the web page of the data set
    """

    kind: ClassVar[str] = "dataset"

    from_files: bool = False
    generated: bool = False
    synthetic: bool = False
    scale: str = "none"
    homepage: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale not in SCALES:
            raise ValueError(f"data set {self.name!r}: scale must be one of {', '.join(SCALES)}, not {self.scale!r}")


@dataclass(frozen=True, kw_only=True)
class Resampler(Component):
    """A method that balances the classes of the training set only.

    The factory is called as `factory(*, random_state, **params)` and returns one of three things. An object with
    imbalanced-learn's `fit_resample(X, y)` returns new rows for float32 `(rows, channels * times)` and then has the
    attribute `sampling_strategy_`. An object with `row_weights(labels)` keeps the rows and returns float64 `(rows,)`,
    the relative probability of each row to be drawn for a batch. None keeps the rows and draws each once an epoch.

    interpolates  makes new rows between neighbours; refused if the data set declares unequal lengths
    exact         reaches exactly the requested class counts; if false, the classes must become more balanced than
                  before, or reach a ratio of at most two to one
    """

    kind: ClassVar[str] = "resampler"

    interpolates: bool = False
    exact: bool = True


@dataclass(frozen=True, kw_only=True)
class Objective(Component):
    """A training loss.

    The factory is called as `factory(*, class_counts, **params)`. `class_counts` is an int64 tensor `(n_classes,)`:
    the training rows of each class after resampling. The factory returns a callable that maps logits
    `(batch, n_classes)` and int64 targets `(batch,)` to a scalar tensor.
    """

    kind: ClassVar[str] = "objective"


@dataclass(frozen=True, kw_only=True)
class Searcher(Component):
    """A search algorithm that proposes hyperparameters.

    The factory is called as `factory(*, seed, startup, **params)` and returns a `Searcher` or a `SearchAlgorithm` of
    Ray Tune. `startup` is the number of first proposals that are drawn at random. Ray Tune passes the space and the
    metric to the search algorithm. With one trial at a time, the same seed proposes the same configurations.
    """

    kind: ClassVar[str] = "searcher"


Spec = Architecture | Block | Dataset | Resampler | Objective | Searcher
KINDS: Mapping[str, type[Component]] = {
    spec.kind: spec for spec in (Architecture, Block, Dataset, Resampler, Objective, Searcher)
}


def is_preset_name(name: str) -> bool:
    """Return whether a preset's short name is valid: lower-case letters, digits, `-`, `_` and `.`."""
    return _PRESET_NAME.fullmatch(name) is not None


def full_name(architecture: str, preset: str) -> str:
    """Return the full name of a preset, such as `cnngru.study`; the architecture's name without a preset."""
    return f"{architecture}.{preset}" if preset else architecture
