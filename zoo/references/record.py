"""A reference: a published result, the configuration that repeats it, and what a verification found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from zoo.scores import LOWER_IS_BETTER
from zoo.space import Value
from zoo.specs import full_name

ROUNDING = 5e-5  # published scores have four digits
WORST = {"mcc": -1.0}  # the lowest value of a score; 0 of all others
UNBOUNDED = ("log_loss",)


class Status(StrEnum):
    """The status of a reference.

    reported        a number of others, which this project has not repeated
    verified        repeated by `zoo verify`: in its band, or better
    not reproduced  `zoo verify` found a worse score than the band allows
    measured        a number of this project
    """

    REPORTED = "reported"
    VERIFIED = "verified"
    NOT_REPRODUCED = "not reproduced"
    MEASURED = "measured"


class Answer(StrEnum):
    """What a verification found: a score in the band, a better one, a worse one, or no score of all seeds."""

    VERIFIED = "verified"
    ABOVE = "above"
    BELOW = "below"
    NOT_RUN = "not run"


class Around(StrEnum):
    """The middle of a band: the published value, or the range from the lowest to the highest published run."""

    MEAN = "mean"
    RANGE = "range"


@dataclass(frozen=True)
class Band:
    """The scores that verify a published one: its middle, and on both sides the wider one of two margins.

    margin  in units of the score: 0.02
    rows    in test rows, each of which is worth 1 / (number of test rows)
    """

    around: Around = Around.RANGE
    margin: float = 0.02
    rows: float = 0.0

    def limits(self, value: float, published: tuple[float, float] | None, test_rows: int | None) -> tuple[float, float]:
        """Return the lowest and the highest score of the band. `published` is the range of the published runs."""
        low, high = published if self.around == Around.RANGE and published else (value, value)
        margin = max(self.margin, self.rows / test_rows if test_rows else 0.0)
        return low - margin, high + margin


@dataclass(frozen=True)
class Verification:
    """What `zoo verify --write` has recorded: the answer and the mean scores, from how many seeds, when, with what."""

    answer: Answer
    scores: Mapping[str, float]
    seeds: int
    date: str = ""
    versions: str = ""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A result to compare with.

    stated     its status before any verification: `reported` or `measured`
    preset, settings, block, data, loss, scale, rows, epochs  the configuration that repeats it, as `zoo bench` takes it
    protocol   how the data are separated; "" means the default of the data set
    scores     the published value of each metric; `ranges`: the lowest and the highest published run
    test_rows  the rows of the test set; None if nobody has stated them
    runs       how many runs the published value is the mean of; None if nobody has stated it
    seeds, date, versions  of a measured result
    note       a fact that a reader must know; `stays_reported`: why nobody can verify it
    file, entry  the file that holds it, and the number of its table [[reference]] in this file, counted from 0
    """

    architecture: str
    dataset: str
    scores: Mapping[str, float]
    source: str
    stated: str = Status.REPORTED
    preset: str = ""
    protocol: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)
    block: str = ""
    data: str = ""
    loss: str = ""
    scale: str = ""
    rows: int | None = None
    epochs: int | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    test_rows: int | None = None
    band: Band = field(default_factory=Band)
    runs: int | None = None
    seeds: int | None = None
    date: str = ""
    versions: str = ""
    note: str = ""
    stays_reported: str = ""
    verification: Verification | None = None
    file: str = ""
    entry: int = 0

    @property
    def name(self) -> str:
        """The architecture with its preset."""
        return full_name(self.architecture, self.preset)

    @property
    def configuration(self) -> str:
        """The settings beside the preset: `training.members=1`."""
        axes = {name: getattr(self, name) for name in ("block", "data", "loss", "scale", "rows", "epochs")}
        named = {**{key: value for key, value in axes.items() if value not in ("", None)}, **self.settings}
        return " ".join(f"{key}={value}" for key, value in named.items())

    @property
    def words(self) -> str:
        """The configuration for tables: `minirocket.paper validation=0`."""
        return " ".join(filter(None, (self.name, self.configuration.replace("training.", ""))))

    @property
    def status(self) -> str:
        """The status word; a verification decides it."""
        if self.verification is None:
            return self.stated
        return Status.NOT_REPRODUCED if self.verification.answer == Answer.BELOW else Status.VERIFIED

    @property
    def evidence(self) -> str:
        """The seeds, the day and the versions that the status rests on; "" for a number of others."""
        known = self.verification or self
        seeds = [] if not known.seeds else [f"{known.seeds} seed{'' if known.seeds == 1 else 's'}"]
        return ", ".join([*seeds, *filter(None, (known.date, known.versions))])

    def limits(self, metric: str) -> tuple[float, float]:
        """Return the lowest and the highest score of a metric that verify this reference."""
        low, high = self.band.limits(self.scores[metric], self.ranges.get(metric), self.test_rows)
        return max(low, WORST.get(metric, 0.0)), high if metric in UNBOUNDED else min(high, 1.0)

    def answer(self, metric: str, score: float) -> Answer:
        """Return the answer for a measured score. Of log loss and ECE, a lower score is the better one."""
        low, high = self.limits(metric)
        if low - ROUNDING <= score <= high + ROUNDING:
            return Answer.VERIFIED
        return Answer.ABOVE if (score > high) != (metric in LOWER_IS_BETTER) else Answer.BELOW
