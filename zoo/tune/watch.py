"""Who follows a study: the command line's live table, or nobody."""

from typing import TYPE_CHECKING, Protocol

from zoo.harness.watch import BenchWatch, Silent

if TYPE_CHECKING:
    from zoo.tune.records import Study


class TuneWatch(BenchWatch, Protocol):
    """Told what happens to a study and, when its winner is retrained, to that run. What it raises ends the study."""

    def on_study(self, study: "Study") -> None:
        """The study is about to start its trials, or to go on with them; once."""

    def on_trials(self, study: "Study", seconds_left: float | None) -> None:
        """Something changed, or a second has passed; `seconds_left` of the time budget, None without one."""


class SilentTune(Silent):
    """A watch that looks away."""

    def on_study(self, study: "Study") -> None: ...
    def on_trials(self, study: "Study", seconds_left: float | None) -> None: ...
