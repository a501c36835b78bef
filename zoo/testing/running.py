"""Runs checks and says how each ended, what it took, and what memory was held."""

import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from enum import StrEnum

import torch

from zoo.cost import PeakMemory
from zoo.inspection import count_parameters, on_meta
from zoo.networks import Network
from zoo.registry import Registry
from zoo.testing.check import Check, NotConforming, Unexpected
from zoo.testing.collection import Subject

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}  # what parameters are counted for, as in `zoo show`


class CheckStatus(StrEnum):
    """How a check ended; a failure is expected that the component declared with its reason."""

    PASSED = "passed"
    FAILED = "failed"
    EXPECTED = "expected"


@dataclass(frozen=True)
class Outcome:
    """How one check ended.

    message    what was expected, in one line; of a declared failure its reason; "" for one that passed
    traceback  of what was raised; "" where nothing was
    """

    check: Check
    status: CheckStatus
    message: str
    seconds: float
    traceback: str


@dataclass(frozen=True)
class Report:
    """What came of all the checks of a plugin or a component; `parameters` is None but for an architecture."""

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
        """Whether a failure was expected, and came."""
        return any(outcome.status == CheckStatus.EXPECTED for outcome in self.outcomes)


def run(check: Check) -> Outcome:
    """Run one check, whatever comes of it."""
    started = time.perf_counter()
    status, message, trace = CheckStatus.PASSED, "", ""
    try:
        check()
    except (NotConforming, Unexpected) as broken:
        known = bool(check.expected) and isinstance(broken, NotConforming)
        status, message = (CheckStatus.EXPECTED, check.expected) if known else (CheckStatus.FAILED, str(broken))
        trace = "".join(traceback.format_exception(broken))
    return Outcome(check, status, message, time.perf_counter() - started, trace)


def report(registry: Registry, subject: Subject, outcomes: Iterable[Outcome]) -> Report:
    """Go through the outcomes of a subject, which run as they are asked for, and measure meanwhile."""
    memory, started = PeakMemory(torch.device("cpu")), time.perf_counter()
    memory.start()
    ended = tuple(outcomes)
    seconds = time.perf_counter() - started
    return Report(subject, ended, parameters_of(registry, subject), seconds, memory.mib())


def parameters_of(registry: Registry, subject: Subject) -> int | None:
    """How many parameters an architecture has by default; None for what has no number or cannot be built."""
    if subject.entry is None or subject.kind != "architecture":
        return None
    try:
        with redirect_stdout(sys.stderr):  # what a network prints is no data
            network = Network.resolve(registry, subject.name)
            size = BEAT | {"n_times": max(BEAT["n_times"], network.spec.min_times)}
            return count_parameters(on_meta(lambda: network.build(**size)))
    except (Exception, SystemExit):  # one of the checks says why
        return None
