"""How long a grid of runs still takes, and when it ends."""

import time
from datetime import datetime, timedelta

SETTLED = 2.0  # seconds before the first estimate: earlier ones are mostly the start of the first run


class Pace:
    """Estimates the seconds that are left from the cells trained so far; reused and left-out cells take no time."""

    def __init__(self) -> None:
        self.start: float | None = None
        self.trained = 0

    def seconds_left(self, ended: int, running: float, total: int) -> float | None:
        """Return the seconds left, or None if that is not known yet.

        `ended` is the number of cells that need nothing more, `running` the sum of the done shares of those in
        progress.
        """
        now = time.monotonic()
        if self.start is None:
            self.start = now
        elapsed, work = now - self.start, self.trained + running
        if elapsed < SETTLED or not work:
            return None
        return elapsed / work * max(0.0, total - ended - running)


def end_text(seconds: float | None, now: datetime) -> str:
    """Return the time left and the time of the end, `1:05 left, ends 14:32`, with the date if that is another day."""
    if seconds is None:
        return ""
    end = now + timedelta(seconds=seconds)
    when = f"{end:%H:%M}" if end.date() == now.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{clock_text(seconds)} left, ends {when}"


def clock_text(seconds: float) -> str:
    """Return seconds as a clock: 1:05, 2:00:00."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
