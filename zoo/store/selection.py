"""Choose stored runs: by their status, their components and their date."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from zoo.errors import UsageError, unknown_name
from zoo.store.run import Run, RunStatus


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Filters that a run must pass; an empty one lets all runs pass.

    statuses      the allowed statuses
    patterns      shell patterns by the name of a field of a run: `{"block": "se*"}`
    since, until  the first moment, and the first moment after the last, at which a run may have begun
    """

    statuses: frozenset[RunStatus] = frozenset()
    patterns: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(
        cls, *, status: str | None = None, since: str | None = None, until: str | None = None, **patterns: str | None
    ) -> "Selection":
        """Return the selection of typed filters. Raises UsageError for a status or a date that is none."""
        words = [] if status is None else status.split(",")
        for word in words:
            if word not in tuple(RunStatus):
                raise unknown_name("status", word, tuple(RunStatus))
        return cls(
            statuses=frozenset(map(RunStatus, words)),
            patterns={name: pattern for name, pattern in patterns.items() if pattern is not None},
            since=None if since is None else _moments("--since", since)[0],
            until=None if until is None else _moments("--until", until)[1],
        )

    def __bool__(self) -> bool:
        return self != Selection()

    def picks(self, run: Run) -> bool:
        if self.statuses and run.status not in self.statuses:
            return False
        if not all(_matches(run, name, pattern) for name, pattern in self.patterns.items()):
            return False
        if self.since is None and self.until is None:
            return True
        begun = _begun(run)
        return begun is not None and (self.since or begun) <= begun and (self.until is None or begun < self.until)


def _matches(run: Run, name: str, pattern: str) -> bool:
    """Return whether a field is the pattern or matches it; an architecture and a data set have two names each."""
    more = {"architecture": [run.reference], "dataset": [run.dataset_label]}
    return any(pattern == each or fnmatchcase(each, pattern) for each in (getattr(run, name), *more.get(name, ())))


def _begun(run: Run) -> datetime | None:
    """Return when a run began, or None if its record does not tell."""
    try:
        return _with_zone(datetime.fromisoformat(run.created))
    except ValueError:
        return None


def _moments(option: str, text: str) -> tuple[datetime, datetime]:
    """Return the start of a typed day or moment, and the first moment after it."""
    try:
        start = _with_zone(datetime.fromisoformat(text.strip()))
        whole_day = len(text.strip()) <= len("2026-01-31")
        return start, start + (timedelta(days=1) if whole_day else timedelta(seconds=1))
    except (ValueError, OverflowError):
        raise UsageError(f"{option} must be a date such as 2026-01-31 or 2026-01-31T14:00, not {text!r}") from None


def _with_zone(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
