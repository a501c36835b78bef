"""Who follows a study: the command line's live table, or nobody."""

from typing import TYPE_CHECKING, Protocol

from zoo.harness.reporter import BenchReporter, SilentReporter

if TYPE_CHECKING:
    from zoo.store.study import Study


class TuneReporter(BenchReporter, Protocol):
    """Told what happens to a study and, when its winner is retrained, to that run. What it raises ends the study."""

    def on_study(self, study: "Study") -> None:
        """The study is about to start its trials, or to go on with them; once."""

    def on_trials(self, study: "Study", seconds_left: float | None) -> None:
        """Something changed, or a second has passed; `seconds_left` of the time budget, None without one."""


class SilentTuneReporter(SilentReporter):
    """A watch that looks away."""

    def on_study(self, study: "Study") -> None: ...
    def on_trials(self, study: "Study", seconds_left: float | None) -> None: ...
