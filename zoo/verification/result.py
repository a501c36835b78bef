"""The answers of a verification, as typed records with a plain form for JSON, tables and Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from zoo.records import JsonObject
from zoo.references.record import Answer, Reference, Status

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The answer for one metric of a reference.

    reference  the architecture with its preset; `settings`: those beside the preset
    dataset, protocol, metric  the test set and the score
    published  the published value; `low` and `high`: its band
    measured   the mean over seeds; `lowest` and `highest`: of one seed. None: no seed has a score
    answer     verified, above, below, or not run; `reason`: why it was not run
    seeds      the seeds with a score, of the `seeds_wanted`; `published_runs`: how many the published value averages
    runs       the ids of their runs
    missing    the number of runs that were not trained; `seconds`: an estimate of their time, None if it is unknown
    failed     whether a run failed, or the reference is not valid
    status     the status word of the reference before this verification
    source     where the value was published
    date, versions  of the last run
    """

    reference: str
    settings: str = ""
    dataset: str
    protocol: str = ""
    metric: str
    published: float
    low: float
    high: float
    measured: float | None = None
    lowest: float | None = None
    highest: float | None = None
    answer: Answer = Answer.NOT_RUN
    reason: str = ""
    seeds: tuple[int, ...] = ()
    seeds_wanted: int = 0
    published_runs: int | None = None
    runs: tuple[str, ...] = ()
    missing: int = 0
    seconds: float | None = None
    failed: bool = False
    status: str = ""
    source: str = ""
    date: str = ""
    versions: str = ""
    notes: tuple[str, ...] = ()
    of: Reference = field(repr=False)

    @property
    def name(self) -> str:
        """The configuration for tables."""
        return self.of.words

    @property
    def is_news(self) -> bool:
        """Whether it is below a band, and the reference does not state so."""
        return self.answer == Answer.BELOW and self.status != Status.NOT_REPRODUCED

    def to_json(self) -> JsonObject:
        """Return the answer as plain data."""
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "of"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def record(self) -> dict[str, Any]:
        """Return the answer as one flat dictionary."""
        flat = {**self.to_json(), "seeds": len(self.seeds), "answer": str(self.answer)}
        return {name: value for name, value in flat.items() if name not in ("notes", "runs")}


@dataclass(frozen=True)
class Verifications:
    """The answers for all references.

    missing  the number of runs that were not trained; `seconds`: an estimate of their time, None if it is not known of
             any of them
    unknown  the number of missing runs whose time is not known
    notes    facts that a reader must know
    """

    answers: tuple[Verified, ...]
    missing: int = 0
    seconds: float | None = None
    unknown: int = 0
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[Answer, int]:
        """The number of references with each answer."""
        return {answer: sum(each.answer == answer for each in self.answers) for answer in Answer}

    @property
    def answered(self) -> bool:
        """Whether any reference has an answer."""
        return any(each.answer != Answer.NOT_RUN for each in self.answers)

    @property
    def passed(self) -> bool:
        """Whether no reference is below its band, except those known as not reproduced, and no run failed."""
        return not any(each.is_news or each.failed for each in self.answers)

    def to_json(self) -> JsonObject:
        """Return the answers as plain data: the documented form of `zoo verify --json`."""
        return {
            "references": [each.to_json() for each in self.answers],
            "counts": {str(answer): count for answer, count in self.counts.items()},
            "passed": self.passed,
            "missing": self.missing,
            "seconds": self.seconds,
            "unknown": self.unknown,
            "notes": list(self.notes),
        }

    def records(self) -> list[dict[str, Any]]:
        """Return each answer as one flat dictionary."""
        return [each.record() for each in self.answers]

    def to_frame(self) -> "pd.DataFrame":
        """Return `records` as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.records())
