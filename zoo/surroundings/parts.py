"""The parts of the global state: how each is read, compared and restored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Change:
    """A change of the global state: its name, and its new value as text if that helps."""

    name: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.name} to {self.value}" if self.value else self.name


class Part(Protocol):
    """A part of the global state."""

    def read(self) -> Any:
        """Return the present state."""

    def changes(self, before: Any) -> list[Change]:
        """Return the differences between an earlier state and the present one."""

    def restore(self, before: Any) -> object:
        """Return to an earlier state."""


@dataclass(frozen=True)
class Setting:
    """A part with one value; `standard` is the value that every run computes with, None if there is none."""

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], object]
    standard: Any = None
    shown: Callable[[Any], str] = str

    def changes(self, before: Any) -> list[Change]:
        now = self.read()
        return [] if before == now else [Change(self.name, self.shown(now))]


def unshown(value: Any) -> str:
    """Return no text, for a value that would not help a reader."""
    return ""


def different(before: dict[Any, Any], now: dict[Any, Any]) -> list[Any]:
    """Return the keys whose values differ between two mappings."""
    return [key for key in {**before, **now} if before.get(key) != now.get(key)]
