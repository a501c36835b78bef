"""The parts of the global state that belong to Python and the system."""

import contextlib
import os
import random
import signal
import warnings
from typing import Any

from zoo.surroundings.parts import Change, Setting, different, unshown

# Variables with these beginnings are set by libraries when they are imported: scikit-learn, torch and Ray need them.
LIBRARIES = ("KMP_", "TORCHINDUCTOR_", "RAY_")


class Variables:
    """The environment variables; one that a library adds for itself stays."""

    def read(self) -> dict[str, str]:
        return dict(os.environ)

    def changes(self, before: dict[str, str]) -> list[Change]:
        return [Change(f"the environment variable {name}") for name in self._changed(before)]

    def restore(self, before: dict[str, str]) -> None:
        for name in self._changed(before):
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]

    def _changed(self, before: dict[str, str]) -> list[str]:
        names = different(before, self.read())
        return sorted(name for name in names if name in before or not name.startswith(LIBRARIES))


class Filters:
    """The warning filters; one that a library adds for its own warnings stays."""

    def read(self) -> list[Any]:
        return list(warnings.filters)

    def changes(self, before: list[Any]) -> list[Change]:
        return [] if self._wanted(before) == self.read() else [Change("the warning filters")]

    def restore(self, before: list[Any]) -> None:
        warnings.filters[:] = self._wanted(before)  # type: ignore[index]
        with warnings.catch_warnings():  # its end makes Python forget which filters it has applied
            pass

    def _wanted(self, before: list[Any]) -> list[Any]:
        """Return the earlier filters with the new ones that affect only some warnings."""
        now = self.read()
        added = [each for each in now if each not in before]
        narrow = [each for each in added if not _of_all(*each[1:4])]
        return now if narrow == added and [each for each in now if each in before] == before else [*narrow, *before]


class Handlers:
    """The signal handlers that Python knows; those of the zoo are no change: it sets and removes them itself."""

    def read(self) -> dict[int, Any]:
        return {number: signal.getsignal(number) for number in signal.valid_signals()}

    def changes(self, before: dict[int, Any]) -> list[Change]:
        return [Change(f"the handler of {_signal_name(number)}") for number in self._changed(before)]

    def restore(self, before: dict[int, Any]) -> None:
        """Raises ValueError outside the main thread, where Python sets no handler."""
        for number in self._changed(before):
            if number == signal.SIGALRM and before[number] in (signal.SIG_DFL, None):
                signal.setitimer(signal.ITIMER_REAL, 0)  # without a handler, a timer would end the process
            signal.signal(number, before[number])

    def _changed(self, before: dict[int, Any]) -> list[int]:
        now = self.read()
        return [number for number in different(before, now) if not _is_ours(before[number], now[number])]


def _of_all(message: Any, category: Any, module: Any) -> bool:
    """Whether a warning filter affects all code: without a message or a module, and of a built-in category."""
    return message is None and module is None and category.__module__ == "builtins"


def _is_ours(*handlers: Any) -> bool:
    return any(str(getattr(handler, "__module__", "")).startswith("zoo.") for handler in handlers)


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):  # a real-time signal
        return signal.Signals(number).name
    return f"signal {number}"


def _folder() -> str:
    with contextlib.suppress(OSError):  # it was removed
        return os.getcwd()
    return ""


PARTS = (
    Setting("the working folder", _folder, os.chdir, shown=repr),
    Variables(),
    Filters(),
    Handlers(),
)
RANDOM = (Setting("Python's random state", random.getstate, random.setstate, shown=unshown),)
