"""The tasks that a pool hands to its trainers: to train a cell, or to look at its network before that."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.harness.worker import Assignment, Look


@dataclass(kw_only=True)
class Task:
    """A task for a trainer.

    folder  receives the last words of its process
    ended   whether its last news has arrived
    spoilt  whether its code has changed the process in a way that cannot be restored
    """

    ticket: str
    folder: Path
    deaths: int = 0
    ended: bool = False
    spoilt: bool = False

    def begin(self, trainer: Any) -> Any:
        """Return Ray's reference to the answer, or to the stream of answers."""
        raise NotImplementedError

    def next(self, answer: Any) -> Any:
        """Return the reference to the next news. Raises StopIteration after the last."""
        raise NotImplementedError

    def repeat(self) -> None:
        """Prepare for another trainer after the process of the first has died."""


@dataclass(kw_only=True)
class Training(Task):
    """An assignment with its rows in the object store."""

    assignment: Assignment
    rows: Any
    validation: Any

    def begin(self, trainer: Any) -> Any:
        return trainer.train.options(num_returns="streaming").remote(self.assignment, self.rows, self.validation)

    def next(self, answer: Any) -> Any:
        return next(answer)

    def repeat(self) -> None:
        self.assignment = replace(self.assignment, resume=True)


@dataclass(kw_only=True)
class Looking(Task):
    """A look at a network, with one answer."""

    asked: Look
    timeout: float | None

    def begin(self, trainer: Any) -> Any:
        return trainer.look.remote(self.asked, self.folder, self.timeout)

    def next(self, answer: Any) -> Any:
        if self.ended:
            raise StopIteration
        return answer
