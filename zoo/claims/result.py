"""The answers to hypotheses, as typed records with a plain form for JSON, tables and Markdown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from zoo.claims.answers import Answer
from zoo.claims.hypothesis import Kind
from zoo.records import Interval, JsonObject

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The answer of one part of a hypothesis on one data set, or over several data sets.

    hypothesis  the id; with a number, such as `9.2`, if the hypothesis has several parts
    kind        difference, reproducible or tuned
    dataset, protocol  the test set; for several data sets their number, without a protocol
    claim       the claim in words
    first, second  the groups; their configurations are compared in `pairs` pairs
    difference  of the metric, first minus second, with its 95 % interval; a ratio if `ratio`; of runs with different
                seeds, the share of test rows that they predict differently
    answer      confirmed, refuted or undecided; `reason`: why it is undecided
    p           the probability of a difference at least as far from the margin, if it is at the margin
    seeds       the seeds that were compared, of the `seeds_wanted`
    seeds_needed  the number of seeds that would decide it, if effect and variances stay the same; None: unknown, or
                more than 1,000
    rows_bound  whether more seeds cannot decide it, because the test rows are too few
    missing     the number of runs that were not trained; `seconds`: an estimate of their training time
    left_out    whether the data set counts only if its data can be read, and they cannot
    runs        the ids of the compared runs
    """

    hypothesis: str
    kind: Kind
    dataset: str
    protocol: str = ""
    metric: str
    claim: str
    direction: str = ""
    margin: float | None = None
    ratio: bool = False
    first: str
    second: str
    pairs: int = 0
    answer: Answer = Answer.UNDECIDED
    reason: str = ""
    difference: Interval = field(default_factory=Interval)
    deviation: float | None = None
    p: float | None = None
    seeds: tuple[int, ...] = ()
    seeds_wanted: int = 0
    seeds_needed: int | None = None
    rows_bound: bool = False
    missing: int = 0
    seconds: float | None = None
    left_out: bool = False
    notes: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the finding as plain data."""
        return {
            item.name: dict(value)
            if isinstance(value, Interval)
            else list(value)
            if isinstance(value, tuple)
            else value
            for item in fields(self)
            for value in [getattr(self, item.name)]
        }

    def record(self) -> dict[str, Any]:
        """Return the finding as one flat dictionary."""
        values = self.to_json()
        ends = {"low": self.difference.low, "high": self.difference.high}
        flat = {**values, "difference": self.difference.value, **ends, "seeds": len(self.seeds)}
        return {name: value for name, value in flat.items() if name not in ("notes", "runs")}


@dataclass(frozen=True)
class HypothesisAnswer:
    """The answer to a hypothesis: confirmed if all its findings are, refuted if one of them is."""

    id: str
    text: str
    answer: Answer
    findings: tuple[Finding, ...]

    def to_json(self) -> JsonObject:
        """Return the answer as plain data."""
        return {
            "id": self.id,
            "text": self.text,
            "answer": str(self.answer),
            "findings": [each.to_json() for each in self.findings],
        }


@dataclass(frozen=True)
class Hypotheses:
    """All answers of a file.

    missing  the number of runs that were not trained, each counted once; `seconds`: an estimate of their training time
    notes    facts that a reader must know, such as runs of other code
    """

    file: str
    answers: tuple[HypothesisAnswer, ...]
    missing: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> Iterator[Finding]:
        """The findings of all hypotheses."""
        return (finding for each in self.answers for finding in each.findings)

    @property
    def counts(self) -> Mapping[Answer, int]:
        """The number of hypotheses with each answer."""
        return {answer: sum(each.answer == answer for each in self.answers) for answer in Answer}

    def to_json(self) -> JsonObject:
        """Return the answers as plain data: the documented form of `zoo hypotheses --json`."""
        return {
            "file": self.file,
            "hypotheses": [each.to_json() for each in self.answers],
            "counts": {str(answer): count for answer, count in self.counts.items()},
            "missing": self.missing,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }

    def records(self) -> list[dict[str, Any]]:
        """Return each finding as one flat dictionary."""
        return [each.record() for each in self.findings]

    def to_frame(self) -> "pd.DataFrame":
        """Return `records` as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.records())
