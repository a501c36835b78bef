"""Reporters of a study: the interface for a live table, and a silent reporter."""

from typing import TYPE_CHECKING, Protocol

from zoo.harness.reporter import BenchReporter, SilentReporter

if TYPE_CHECKING:
    from zoo.store.study import Study


class TuneReporter(BenchReporter, Protocol):
    """Receives the events of a study and of the run that retrains its winner. Its exceptions end the study."""

    def on_study(self, study: "Study") -> None:
        """Called once, before the study starts or resumes its trials."""

    def on_trials(self, study: "Study", seconds_left: float | None) -> None:
        """Called after a change, or every second; `seconds_left` of the time budget, None without a budget."""


class SilentTuneReporter(SilentReporter):
    """A reporter that ignores every event."""

    def on_study(self, study: "Study") -> None: ...
    def on_trials(self, study: "Study", seconds_left: float | None) -> None: ...
