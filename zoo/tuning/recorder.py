"""The recorder: store each epoch of a trial when it arrives, and notify the reporter."""

import time
from collections.abc import Callable
from typing import Any

from ray.tune import Callback

from zoo.store.studies import StudyStore
from zoo.tuning.worker import NUMBER, Result

QUIET_SECONDS = 1.0  # longest time between two notifications
BUSY_SECONDS = 0.1  # shortest time: each notification reads all trials from the store


class Recorder(Callback):
    """A callback for Ray Tune; all hooks run in the main thread of the driver."""

    def __init__(self, studies: StudyStore, name: str, tell: Callable[[], None]) -> None:
        self.studies, self.name, self.tell = studies, name, tell
        self.told, self.changed = 0.0, True

    def __reduce__(self) -> Any:
        return Callback, ()  # Tune pickles it at the start; the pickle is never read

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.studies.start(self.name, trial.config[NUMBER])
        self.changed = True

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Result, **info: Any) -> None:
        self.studies.add_epochs(self.name, trial.config[NUMBER], result["value"], result.pop("new", []))
        self.changed = True

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.changed = True

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.changed = True

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        quiet = time.monotonic() - self.told
        if quiet >= (BUSY_SECONDS if self.changed else QUIET_SECONDS):
            self.told, self.changed = time.monotonic(), False
            self.tell()
