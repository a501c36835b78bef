"""Run checks, and report their status, time and peak memory."""

import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

import torch

from zoo.cost import PeakMemory
from zoo.harness.containment import contained
from zoo.inspection import count_parameters, on_meta
from zoo.networks import Network
from zoo.registry import Registry
from zoo.surroundings.kept import kept
from zoo.testing.check import Check, NotConforming, Unexpected
from zoo.testing.collection import Subject
from zoo.workers.forks import guard_forks

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}  # the size for counting parameters, as in `zoo show`


class CheckStatus(StrEnum):
    """The status of a check; `expected` is a failure that the component has declared with a reason."""

    PASSED = "passed"
    FAILED = "failed"
    EXPECTED = "expected"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    message    the failure in one line; for an expected failure, its reason; "" if the check passed
    traceback  the traceback of the failure; "" if the check passed
    """

    check: Check
    status: CheckStatus
    message: str
    seconds: float
    traceback: str


@dataclass(frozen=True)
class Report:
    """The outcomes of all checks of a plugin or a component; only an architecture has a number of `parameters`."""

    subject: Subject
    outcomes: tuple[Outcome, ...]
    parameters: int | None
    seconds: float
    peak_memory_mib: float

    @property
    def failed(self) -> bool:
        return any(outcome.status == CheckStatus.FAILED for outcome in self.outcomes)

    @property
    def expected(self) -> bool:
        """Whether an expected failure occurred."""
        return any(outcome.status == CheckStatus.EXPECTED for outcome in self.outcomes)


def run(check: Check) -> Outcome:
    """Run one check and return its outcome."""
    started = time.perf_counter()
    status, message, trace = CheckStatus.PASSED, "", ""
    try:
        with kept(random=False):  # the next check starts in the same state
            check()
    except (NotConforming, Unexpected) as broken:
        known = bool(check.expected) and isinstance(broken, NotConforming)
        status, message = (CheckStatus.EXPECTED, check.expected) if known else (CheckStatus.FAILED, str(broken))
        trace = "".join(traceback.format_exception(broken))
    return Outcome(check, status, message, time.perf_counter() - started, trace)


@dataclass(frozen=True)
class Measures:
    """The size of an architecture, and the peak memory of the checks of a subject."""

    parameters: int | None = None
    peak_memory_mib: float = 0.0


class CheckRunner(Protocol):
    """A context that runs checks, those of one subject after those of another."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def run(self, subject: Subject, check: Check) -> Outcome:
        """Run a check of a subject and return its outcome."""

    def measures(self, subject: Subject) -> Measures:
        """Return the measures of the subject whose checks have just run."""


class ChecksHere:
    """Runs checks in this process."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self._memory = registry, PeakMemory(torch.device("cpu"))
        self._subject: Subject | None = None

    def __enter__(self) -> Self:
        guard_forks()
        return self

    def __exit__(self, *_: object) -> None: ...

    def run(self, subject: Subject, check: Check) -> Outcome:
        if subject is not self._subject:
            self._memory.start()
            self._subject = subject
        return run(check)

    def measures(self, subject: Subject) -> Measures:
        return Measures(parameters_of(self.registry, subject), self._memory.mib())


def report(subject: Subject, outcomes: Iterable[Outcome], measures: Callable[[], Measures]) -> Report:
    """Run the checks of a subject by iterating over `outcomes`, and measure their time; then call `measures`."""
    started = time.perf_counter()
    ended = tuple(outcomes)
    seconds = time.perf_counter() - started
    measured = measures()
    return Report(subject, ended, measured.parameters, seconds, measured.peak_memory_mib)


def parameters_of(registry: Registry, subject: Subject) -> int | None:
    """Count the parameters of an architecture with its defaults; None for other subjects, or if it cannot be built."""
    if subject.entry is None or subject.kind != "architecture":
        return None
    try:
        with redirect_stdout(sys.stderr), contained():  # keep a network's prints out of the results
            network = Network.resolve(registry, subject.name)
            size = BEAT | {"n_times": max(BEAT["n_times"], network.spec.min_times)}
            return count_parameters(on_meta(lambda: network.build(**size)))
    except (Exception, SystemExit):  # a check reports the reason
        return None
