"""The tasks that a pool hands to its workers: to look at the network of a cell, to train it, to score it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.harness.scoring import ToScore
from zoo.harness.worker import Assignment, Limits, Look


@dataclass(kw_only=True)
class Task:
    """A task for a worker.

    folder  receives the last words of its process
    ended   whether its last news has arrived
    spoilt  whether its code has changed the process in a way that cannot be restored
    """

    ticket: str
    folder: Path
    deaths: int = 0
    ended: bool = False
    spoilt: bool = False

    def begin(self, worker: Any) -> Any:
        """Return Ray's reference to the answer, or to the stream of answers."""
        raise NotImplementedError

    def next(self, answer: Any) -> Any:
        """Return the reference to the next news. Raises StopIteration after the last."""
        raise NotImplementedError

    def repeat(self) -> None:
        """Prepare for another worker after the process of the first has died."""


@dataclass(kw_only=True)
class Training(Task):
    """An assignment with its rows in the object store; `before` holds the training rows before resampling."""

    assignment: Assignment
    rows: Any
    before: Any
    validation: Any

    def begin(self, worker: Any) -> Any:
        rows = (self.rows, self.before, self.validation)
        return worker.train.options(num_returns="streaming").remote(self.assignment, *rows)

    def next(self, answer: Any) -> Any:
        return next(answer)

    def repeat(self) -> None:
        self.assignment = replace(self.assignment, resume=True)


@dataclass(kw_only=True)
class _Asking(Task):
    """A task with one answer."""

    limits: Limits

    def next(self, answer: Any) -> Any:
        if self.ended:
            raise StopIteration
        return answer


@dataclass(kw_only=True)
class Looking(_Asking):
    """A look at a network."""

    asked: Look

    def begin(self, worker: Any) -> Any:
        return worker.look.remote(self.asked, self.folder, self.limits)


@dataclass(kw_only=True)
class Scoring(_Asking):
    """A trained network to score, with the test rows, unlabelled, in the object store."""

    asked: ToScore
    test: Any

    def begin(self, worker: Any) -> Any:
        return worker.score.remote(self.asked, self.test, self.folder, self.limits)
