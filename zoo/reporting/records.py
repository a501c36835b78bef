"""Everything that a report shows, as typed records with a plain form for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

from zoo.records import Interval, plain
from zoo.versus.ranked import Ranked
from zoo.versus.result import DatasetComparison


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer of a board in three sentences.

    top        the positions of the configurations that are tied for the first place; one if it was shown to be the best
    first      which configurations are the best
    undecided  what the seeds and test rows do not show
    choice     which of the best costs least
    """

    top: tuple[int, ...]
    first: str
    undecided: str
    choice: str

    @property
    def sentences(self) -> tuple[str, str, str]:
        return self.first, self.undecided, self.choice


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """The protocol of a board: how its numbers were made. Each field is a text for a reader.

    split     how training set and test set were separated
    shared    which groups and equal rows are in both
    rows      the numbers of rows of the three sets
    seeds, steps, scale  of all configurations
    reuse     how many configurations were scored on the test set
    data      whether the rows are simulated or recorded
    test      the fingerprint of the test set
    """

    split: str
    shared: str
    rows: str
    seeds: str
    steps: str
    scale: str
    reuse: str
    data: str
    test: str

    @property
    def line(self) -> str:
        """The stamp in one line, for a figure."""
        return " · ".join(text for item in fields(self) if (text := getattr(self, item.name)))


@dataclass(frozen=True, kw_only=True)
class Once:
    """One run of a configuration."""

    run: str
    seed: int
    fingerprint: str
    code: str
    created: str


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """How to repeat the runs of a configuration.

    commands     with every setting; several if the seeds are not consecutive
    environment  device, threads and releases of the first run
    plugins      the distributions of its components
    """

    commands: tuple[str, ...]
    environment: str
    plugins: str
    runs: tuple[Once, ...]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A test row in a cell of a confusion matrix.

    true, predicted  the positions of its class and of the predicted class
    place          its position in the sample of the board
    votes          the number of seeds that predicted this class
    probabilities  the mean over seeds, by class
    """

    true: int
    predicted: int
    place: int
    votes: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A test row with its series.

    row       its position in the data set
    group     its patient, or another group; "" without groups
    channels  the samples of the first channels, before any scaling; of a long series each n-th
    """

    row: int
    true: int
    group: str
    channels: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The learning curve of one network of a run; None for an epoch without a value.

    scores  the monitored validation score by epoch
    losses  the training loss by epoch
    kept    the epoch whose weights were kept, counted from 1; 0 for an ensemble
    """

    seed: int
    scores: tuple[float, ...]
    losses: tuple[float, ...]
    kept: int


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The rows of a bin of the reliability curve: their number, mean confidence, and share of right predictions."""

    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class Probabilities:
    """The probabilities of test rows for one seed of a configuration.

    rows    the number of rows of each class, in the order of `values`; `of` is their number in the test set
    values  float32 `(rows, classes)`, little-endian, in base64
    """

    seed: int
    rows: tuple[int, ...]
    of: tuple[int, ...]
    values: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One configuration of a board.

    key      its place in the address of the page: the id of its first run
    name     what distinguishes it from the other configurations, as `zoo compare` names it
    ranked   its ranks, score, seeds and costs, as the leaderboard has them
    scores   the mean of each score of all classes over seeds, by name
    classes  the same by `recall`, `precision` or `f1` for each class of the board, in their order
    confusion  test rows by true class (outer) and predicted class (inner), the sum over seeds
    examples  test rows of the cells of `confusion`; none without the data
    repeat   how to repeat its runs
    curves   the learning curves of its runs, and `monitor`, the score that they show
    reliability  over the rows of all seeds
    probabilities  None for all but the first configurations of a board
    notes    facts that a reader of the score must know
    """

    key: str
    name: str
    ranked: Ranked
    scores: Mapping[str, Interval]
    classes: Mapping[str, Sequence[Interval]]
    confusion: tuple[tuple[int, ...], ...] = ()
    examples: tuple[Example, ...] = ()
    repeat: Repeat | None = None
    curves: tuple[Curve, ...] = ()
    monitor: str = ""
    reliability: tuple[Bin, ...] = ()
    probabilities: Probabilities | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A configuration without a score, with the reason and the number of its seeds by status."""

    name: str
    reason: str
    seeds: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Known:
    """A reference result for this data set and protocol.

    name    its configuration; `architecture` is the architecture with its preset
    status  `reported`, `verified`, `not reproduced` or `measured`
    """

    name: str
    architecture: str
    status: str
    score: float | None
    source: str


@dataclass(frozen=True, kw_only=True)
class Duel:
    """Two configurations of a board compared, by their positions; `difference` is that of `one` minus `other`."""

    one: int
    other: int
    difference: Interval
    p: float | None
    verdict: str


@dataclass(frozen=True, kw_only=True)
class ReportedBoard:
    """One board: the configurations that were scored on the same test rows.

    key      its place in the address of the page
    title    data set, protocol and left-out classes
    classes  in the order of their labels; `support` is their number of test rows
    tuned    pairs of positions: the defaults and the winner of a study of the same architecture
    samples  the test rows of the examples; `no_samples` is the reason if there are none
    group_noun  the word for a group; empty without groups
    reading  lines that explain the numbers of the board
    notes    facts about the data that a reader must know
    """

    key: str
    title: str
    dataset: str
    protocol: str
    classes: tuple[str, ...]
    support: tuple[int, ...]
    verdict: Verdict
    stamp: Stamp
    rows: tuple[Row, ...]
    missing: tuple[Missing, ...]
    references: tuple[Known, ...]
    duels: tuple[Duel, ...]
    tuned: tuple[tuple[int, int], ...]
    samples: tuple[Sample, ...]
    no_samples: str
    group_noun: str
    reading: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report of stored runs.

    metric   the score that ranks, such as `macro_recall`; `words` is the same in words
    lower    whether lower values of it are better
    chosen   the filters, in words; empty for all runs
    created  UTC, ISO 8601
    over_datasets  the comparison over data sets, all pairs; None for a single one
    cliques  the largest groups of configurations without a significant difference over data sets
    """

    title: str
    metric: str
    words: str
    lower: bool
    chosen: str
    created: str
    version: str
    runs: int
    boards: tuple[ReportedBoard, ...]
    over_datasets: DatasetComparison | None
    cliques: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data: what the page reads."""
        found: dict[str, Any] = plain_form(self)
        return found


def plain_form(value: Any) -> Any:
    """Return a record as plain data; an interval is `[value, low, high]`, then its reason if it has one."""
    if isinstance(value, Interval):
        ends = [value.value, value.low, value.high]
        return [*ends, value.reason] if value.reason else ends
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain_form(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain_form(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_form(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else plain(value)
